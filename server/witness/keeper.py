"""Decides how a witness keeps the leaves of a log beside its word for them: copied once they are published as signed.

A copy is files of tlog-tiles again, so whoever holds it can check it (`keshi verify FOLDER`) and a log that lost its
store can bring its leaves back from it. A leaf and its hashes take about 130 bytes: 70 MB a year for each log.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from typing import Final, Protocol

import structlog

from server.core.errors import DomainError
from server.verify.handover import notes_beside
from server.verify.notes import Key, Kind, read_checkpoint, read_key, read_note
from server.verify.tiles import CHECKPOINT, Fetch, Tiles, file_of, leaves_of
from server.verify.tree import Frontier, Node, Refused, leaf_hash

log = structlog.get_logger("keeper")

#: how often it looks whether a log has published what was signed
ROUND_S: Final = 10.0
NAME_DIGITS: Final = 16


class Copy(Protocol):
    """Where the files of one log are kept."""

    def said(self) -> str | None:
        """The checkpoint up to which it is whole."""
        ...

    def tree(self, size: int) -> Tiles:
        """The hashes of the first `size` leaves."""
        ...

    def grow(self, old: int, leaves: Sequence[bytes]) -> None:
        """Add leaves. Raises DomainError disk_full, Refused."""
        ...

    def say(self, checkpoint: str, handovers: Sequence[str] = ()) -> None:
        """It is whole up to here; with the handovers of the log's keys, if there were any."""
        ...


class Keeper:
    """Keeps copies of logs by their names; `signed` gives the note of a log that was signed last."""

    def __init__(self, signed: Callable[[str], str | None], logs: Mapping[str, tuple[Fetch, Copy]]) -> None:
        self._signed, self._logs = signed, logs

    async def round(self) -> None:
        """Keep up with each; what fails is told and tried again in the next round."""
        for origin, (fetch, copy) in self._logs.items():
            try:
                note = self._signed(origin)
                if note is not None:
                    await asyncio.to_thread(keep_up, note, fetch, copy)
            except (Refused, DomainError, OSError, UnicodeDecodeError, HTTPException) as error:
                log.error("log_not_kept", log=origin, error=type(error).__name__, reason=str(error))


def name_of(origin: str) -> str:
    """What the copy of a log is called, in a folder and in an address."""
    return hashlib.sha256(origin.encode()).hexdigest()[:NAME_DIGITS]


def read_logs(text: str) -> list[tuple[Key, str]]:
    """Logs of a file, one in a line: a key, and the address of its files where they are to be kept; `#` begins a
    remark. Raises Refused.
    """
    found = []
    for line in (line.strip() for line in text.splitlines()):
        if not line or line.startswith("#"):
            continue
        said, _, url = line.partition(" ")
        key = read_key(said)
        if key.kind is not Kind.LOG:
            raise Refused("not the key of a log")
        found.append((key, url.strip()))
    return found


def keep_up(signed: str, fetch: Fetch, copy: Copy) -> bool:
    """Copy what the log published up to the note that was signed last; False while it has not published it.

    Raises Refused for files that are not what was signed, or where our own copy is damaged; nothing is kept then.
    """
    said = copy.said()
    last = read_checkpoint(read_note(signed).text)
    kept = read_checkpoint(read_note(said).text).size if said else 0
    if kept >= last.size:
        return True
    published = read_checkpoint(read_note(file_of(fetch, CHECKPOINT).decode("utf-8", "replace")).text)
    if (published.origin, published.size) != (last.origin, last.size):
        return False
    new = leaves_of(fetch, kept, last.size)
    frontier = Frontier(kept, _peaks(copy.tree(kept).node, kept))
    for raw in new:
        frontier.add(leaf_hash(raw))
    if frontier.root() != last.root:
        raise Refused("the files are not what was signed")
    handovers = notes_beside(fetch)
    copy.grow(kept, new)
    copy.say(signed, handovers)
    return True


def _peaks(node: Node, size: int) -> list[bytes]:
    """The hashes of the perfect subtrees of a tree, the largest first."""
    found, at = [], 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            found.append(node(level, at >> level))
            at += 1 << level
    return found
