"""Decides which signatures on a text count: C2SP signed notes, checkpoints of a log, cosignatures of witnesses.

https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint, https://c2sp.org/tlog-cosignature. Ed25519 alone.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol

import pybase64
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from server.verify.tree import HASH_BYTES, Refused

#: more is not a note of ours; 16 signatures must be taken
NOTE_BYTES: Final = 16_384
SIGNATURES_MOST: Final = 64
KEY_BYTES: Final = 32
ID_BYTES: Final = 4
SIGNATURE_BYTES: Final = 64
TIME_BYTES: Final = 8
TIME_MOST: Final = 2**63 - 1
SIZE_MOST: Final = 2**63 - 1
#: how the name of a witness begins that the operator of the log keeps itself (非独立)
DEPENDENT: Final = "not-independent/"
_NAME: Final = re.compile(r"[^\s+]+")
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_DASH: Final = "\u2014"


class Kind(IntEnum):
    """What a key signs."""

    LOG = 1  # a note
    WITNESS = 4  # a checkpoint that was seen to grow, at a time


class Signer(Protocol):
    """Something that holds a private key: a file, later a smart card or a module."""

    @property
    def public(self) -> bytes:
        """The 32 bytes of the Ed25519 public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Key:
    """Somebody whose signature is known: name, what is signed, 32 bytes."""

    name: str
    kind: Kind
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that stand before a signature."""
        material = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(material).digest()[:ID_BYTES]

    def __str__(self) -> str:
        """As a line of a keys file: name+id+key."""
        return f"{self.name}+{self.id.hex()}+{encode(bytes([self.kind]) + self.public)}"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line: whose it says it is, and its bytes behind the key's id."""

    name: str
    key_id: bytes
    raw: bytes

    def __str__(self) -> str:
        return f"{_DASH} {self.name} {encode(self.key_id + self.raw)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, its final newline included, and what is said to be signatures of it."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log: how many leaves, and their root. `extra` are further lines."""

    origin: str
    size: int
    root: bytes
    extra: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The text of the note."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, encode(self.root), *self.extra))


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A witness saw this checkpoint at this time (seconds since 1970)."""

    key: Key
    at_s: int


def is_name(text: str) -> bool:
    """Whether a key may be called so."""
    return _NAME.fullmatch(text) is not None


def read_key(line: str) -> Key:
    """A key as `str(key)` wrote it. Raises Refused."""
    name, _, rest = line.partition("+")
    said_id, _, said = rest.partition("+")
    if not is_name(name):
        raise Refused("not a key: its name")
    material = decode(said)
    if len(material) != 1 + KEY_BYTES or material[0] not in tuple(Kind):
        raise Refused("not a key: neither a log's nor a witness's Ed25519 key")
    key = Key(name, Kind(material[0]), material[1:])
    if key.id.hex() != said_id:
        raise Refused("not a key: its id does not belong to it")
    return key


def read_note(text: str) -> Note:
    """Take a signed note apart; nothing is believed yet. Raises Refused."""
    if len(text.encode("utf-8", "surrogatepass")) > NOTE_BYTES:
        raise Refused("the note is too long")
    if any((ord(char) < 0x20 and char != "\n") or 0xD800 <= ord(char) <= 0xDFFF for char in text):
        raise Refused("the note holds control characters")
    body, blank, lines = text.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise Refused("the note has no signatures")
    signatures = tuple(_signature(line) for line in lines.removesuffix("\n").split("\n"))
    if len(signatures) > SIGNATURES_MOST:
        raise Refused("the note has too many signatures")
    return Note(body + "\n", signatures)


def _signature(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != _DASH or not _NAME.fullmatch(parts[1]):
        raise Refused("a line of the note is no signature")
    raw = decode(parts[2])
    if len(raw) <= ID_BYTES:
        raise Refused("a signature of the note is too short")
    return Signature(parts[1], raw[:ID_BYTES], raw[ID_BYTES:])


def read_checkpoint(text: str) -> Checkpoint:
    """The text of a note as a checkpoint. Raises Refused."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] != "" or not all(lines[:-1]):
        raise Refused("not a checkpoint: three lines and more, none of them empty")
    origin, size, root, *extra = lines[:-1]
    if not _DECIMAL.fullmatch(size) or int(size) > SIZE_MOST:
        raise Refused("not a checkpoint: its size")
    hashed = decode(root)
    if len(hashed) != HASH_BYTES:
        raise Refused("not a checkpoint: its root")
    return Checkpoint(origin, int(size), hashed, tuple(extra))


def sign(text: str, name: str, signer: Signer) -> Signature:
    """A log's signature of a text."""
    key = Key(name, Kind.LOG, signer.public)
    return Signature(name, key.id, signer.sign(text.encode()))


def cosign(text: str, name: str, signer: Signer, at_s: int) -> Signature:
    """A witness's signature of a checkpoint's text at a time."""
    key = Key(name, Kind.WITNESS, signer.public)
    return Signature(name, key.id, at_s.to_bytes(TIME_BYTES, "big") + signer.sign(cosigned_message(text, at_s)))


def cosigned_message(text: str, at_s: int) -> bytes:
    """What a witness signs."""
    return f"cosignature/v1\ntime {at_s}\n{text}".encode()


def check_log(note: Note, keys: Iterable[Key]) -> list[Key]:
    """The logs' keys among these that signed the note. Raises Refused when one of their signatures is false."""
    return [key for key, _ in _known(note, keys, Kind.LOG)]


def check_witnesses(note: Note, keys: Iterable[Key]) -> list[Cosigned]:
    """The witnesses among these that cosigned, each once. Raises Refused when a signature of theirs is false."""
    found = {key: int.from_bytes(raw[:TIME_BYTES], "big") for key, raw in _known(note, keys, Kind.WITNESS)}
    return [Cosigned(key, at_s) for key, at_s in found.items()]


def _known(note: Note, keys: Iterable[Key], kind: Kind) -> Iterable[tuple[Key, bytes]]:
    by_id = {(key.name, key.id): key for key in keys if key.kind == kind}
    for signature in note.signatures:
        key = by_id.get((signature.name, signature.key_id))
        if key is None:
            continue
        message, raw = note.text.encode(), signature.raw
        if kind is Kind.WITNESS:
            at_s = int.from_bytes(raw[:TIME_BYTES], "big")
            message, raw = cosigned_message(note.text, at_s), raw[TIME_BYTES:]
            if at_s > TIME_MOST:
                raise Refused(f"the signature of {key.name} is false")
        if not _verifies(key.public, raw, message):
            raise Refused(f"the signature of {key.name} is false")
        yield key, signature.raw


def _verifies(public: bytes, raw: bytes, message: bytes) -> bool:
    if len(raw) != SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(raw, message)
    except InvalidSignature:
        return False
    return True


def encode(raw: bytes) -> str:
    """Base64 as all of these formats write it (RFC 4648, section 4)."""
    return base64.b64encode(raw).decode()


def decode(text: str | memoryview) -> bytes:
    """Base64, or the bytes of such a text, in its one canonical form. Raises Refused."""
    try:
        raw = pybase64.b64decode(text, validate=True)  # a hundred times as fast as binascii, which reads byte by byte
    except (binascii.Error, ValueError) as error:
        raise Refused("not base64") from error
    left = len(raw) % 3 or 3  # only the last three bytes have more than one form
    last = text[-4:] if isinstance(text, str) else bytes(text[-4:]).decode()
    if len(text) != (len(raw) + 2) // 3 * 4 or (raw and encode(raw[-left:]) != last):
        raise Refused("not canonical base64")
    return raw
