"""Decides by which keys a log was ever signed: the first, and each to which it was handed over.

The log's name stands for its first key and stays when the key is changed: one tree, one history for every witness.
Only a successor has another name, because another history must not be taken for the old one.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.core.errors import DomainError
from server.core.signing import LOG_FILE, open_signer
from server.verify.handover import Handover, hand_over, read_handover
from server.verify.notes import Key, Kind, Signer
from server.verify.tree import Refused

FILE: Final = "log.handovers"
NEXT: Final = "log.key.next"
MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class LogKeys:
    """What signs now, and the notes of all handovers, the oldest first."""

    signer: Signer
    notes: tuple[str, ...] = ()

    @property
    def handovers(self) -> tuple[Handover, ...]:
        """The notes, read. Raises Refused."""
        return tuple(map(read_handover, self.notes))

    @property
    def keys(self) -> tuple[Key, ...]:
        """All keys, the oldest first. Raises DomainError key_damaged when they are no chain to the one that signs."""
        try:
            handed = self.handovers
        except Refused as error:
            raise DomainError("key_damaged", file=FILE, reason=str(error)) from error
        if not handed:
            return (Key(origin_of(self.signer), Kind.LOG, self.signer.public),)
        chain = (handed[0].before, *(one.after for one in handed))
        if chain[:-1] != tuple(one.before for one in handed) or chain[-1].public != self.signer.public:
            raise DomainError("key_damaged", file=FILE)
        return chain

    @property
    def key(self) -> Key:
        """By what its signatures are known now."""
        return self.keys[-1]


def origin_of(signer: Signer) -> str:
    """The name of a log that begins with this key, so that two logs never have the same."""
    return f"keshi/{hashlib.sha256(signer.public).hexdigest()[:16]}"


def keys_in(folder: Path) -> LogKeys:
    """The keys in a folder, the first made at the first start; a change that was cut off is finished.

    Raises DomainError key_damaged.
    """
    notes, signer = _read(folder), open_signer(folder)
    if notes and (folder / NEXT).is_file():
        following = open_signer(folder, NEXT)
        if _after(notes[-1]) == following.public:
            (folder / NEXT).replace(folder / LOG_FILE)
            signer = following
    return LogKeys(signer, notes)


def rotate(folder: Path, seen: str) -> LogKeys:
    """Make a new key and let the old one say so; the old one is gone afterwards. `seen`: what was published last."""
    now, following = keys_in(folder), open_signer(folder, NEXT)
    after = Key(now.key.name, Kind.LOG, following.public)
    return _hand(folder, now, (after, following), seen)


def succeed(folder: Path, seen: str) -> LogKeys:
    """The same key under another name, for a log that cannot go on from what was seen of it."""
    now = keys_in(folder)
    parts = now.key.name.split("/")
    number = int(parts[2]) if len(parts) > 2 else 1
    after = Key(f"{parts[0]}/{parts[1]}/{number + 1}", Kind.LOG, now.signer.public)
    return _hand(folder, now, (after, now.signer), seen)


def _hand(folder: Path, now: LogKeys, after: tuple[Key, Signer], seen: str) -> LogKeys:
    note = hand_over((now.key, now.signer), after, seen)
    read_handover(note)
    _write(folder, (*now.notes, note))
    return keys_in(folder)


def _after(note: str) -> bytes:
    try:
        return read_handover(note).after.public
    except Refused as error:
        raise DomainError("key_damaged", file=FILE, reason=str(error)) from error


def _read(folder: Path) -> tuple[str, ...]:
    try:
        return tuple(map(str, json.loads((folder / FILE).read_bytes())))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError) as error:
        raise DomainError("key_damaged", file=FILE, reason=type(error).__name__) from error


def _write(folder: Path, notes: Iterable[str]) -> None:
    handle, draft = tempfile.mkstemp(dir=folder, prefix=".")
    with os.fdopen(handle, "w") as file:
        json.dump(list(notes), file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    Path(draft).chmod(MODE)
    Path(draft).replace(folder / FILE)
