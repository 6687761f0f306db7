"""Decides what the key of a page signs, and whether it did: a join, then once a minute the chain of its beats.

ECDSA over P-256 with SHA-256, as Web Crypto makes it: a key is 65 bytes (an uncompressed point), a signature 64 (r, s).
Both travel as base64. A link is SHA-256 over the link before it and the words of an acknowledged beat, so the newest
signature vouches for every beat of its lease since the page last joined.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from server.verify.notes import decode, encode
from server.verify.tree import Refused

JOIN: Final = "keshi-join/v1"
BEATS: Final = "keshi-beats/v1"
KEY_BYTES: Final = 65
SIGNATURE_BYTES: Final = 64
Spans = Sequence[tuple[int, int]]
_SHA256: Final = ECDSA(SHA256())


def join_text(lesson_id: str, page: str, nonce: str) -> str:
    """What a page signs when it joins; `nonce` is the last one it was given of the lease it had, or empty."""
    return f"{JOIN}\n{lesson_id}\n{page}\n{nonce}\n"


def first_link(lesson_id: str, epoch: int, seq: int, nonce: str) -> bytes:
    """The chain of a lease as it begins with the answer to a join."""
    return sha256(f"{BEATS}\n{lesson_id}\n{epoch}\n{seq}\n{nonce}\n".encode()).digest()


def next_link(
    link: bytes, seq: int, nonce: str, mono: int, spans: Spans, attended: tuple[Spans, Spans] | None = None
) -> bytes:
    """The chain after an acknowledged beat; `attended` are the spans with focus, and with somebody moving."""
    if len(spans) == 1:  # as nearly every beat has
        ((start, end),) = spans
        told = f"{start}-{end}"
    else:
        told = _told(spans)
    if attended is not None:
        told = f"{told} {_told(attended[0])} {_told(attended[1])}"
    return sha256(link + f"{seq} {nonce} {mono} {told}".encode()).digest()


def _told(spans: Spans) -> str:
    return ",".join([f"{start}-{end}" for start, end in spans])


def head_text(lesson_id: str, epoch: int, seq: int, link: bytes) -> str:
    """What a page signs once a minute: how far it came with which beats."""
    return f"{BEATS}\n{lesson_id}\n{epoch}\n{seq}\n{encode(link)}\n"


def check_page(key: str, signature: str, text: str) -> None:
    """Raises Refused when this is no P-256 key, or the signature of the text is not its."""
    raw = decode(signature)
    if len(raw) != SIGNATURE_BYTES:
        raise Refused("a page's signature has 64 bytes")
    if not signed_by(read_page_key(key), raw, text):
        raise Refused("the page's signature is false")


def signed_by(key: EllipticCurvePublicKey, raw: bytes, text: str) -> bool:
    """Whether 64 bytes are this key's signature of the text."""
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    try:
        key.verify(encode_dss_signature(r, s), text.encode(), _SHA256)
    except InvalidSignature:
        return False
    return True


def read_page_key(key: str) -> EllipticCurvePublicKey:
    """Raises Refused."""
    raw = decode(key)
    if len(raw) != KEY_BYTES:
        raise Refused("a page's key has 65 bytes")
    try:
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), raw)
    except ValueError as error:
        raise Refused("a page's key is no point of P-256") from error
