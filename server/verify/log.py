"""Decides whether a published log is whole: its files up to the signed root, and what somebody saw of it before. Pure.

Anybody can do this with the files alone, from `/log/` or from a copy of it (tlog-tiles); they hold no person.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from server.verify import tiles
from server.verify.formats import LeafFlag, read_leaf
from server.verify.handover import Handover, published, reached, signers_of
from server.verify.notes import Cosigned, Key, Kind, check_log, check_witnesses, read_checkpoint, read_note
from server.verify.progress import Progress, quiet
from server.verify.tiles import CHECKPOINT, WIDTH, Fetch
from server.verify.tree import HASH_BYTES, Refused, leaf_hash, root

#: more than a century of minutes
SIZE_MOST: Final = 60_000_000


@dataclass(frozen=True, slots=True)
class LogReport:
    """A log that is whole: by whom it is signed, how far it goes (unix minutes), which minutes were sealed late."""

    origin: str
    signers: tuple[Key, ...]
    witnesses: tuple[Cosigned, ...]
    size: int
    first: int
    last: int
    gaps: int
    handovers: tuple[Handover, ...] = ()
    #: the reader named witnesses, and none of them signed
    is_unseen: bool = False


def check_log_files(
    fetch: Fetch, keys: Iterable[Key], seen: str | None = None, progress: Progress = quiet
) -> LogReport:
    """Look at every file of a log; `seen` is a note of the same log from before.

    Raises Refused with what does not hold: a signature, a tile, a leaf (by its minute), the history since `seen`.
    """
    handovers = published(fetch)
    known = reached(keys, handovers)
    note = read_note(_text(fetch))
    checkpoint = read_checkpoint(note.text)
    if not 0 < checkpoint.size <= SIZE_MOST:
        raise Refused("a log without leaves, or with too many")
    signers = signers_of(note, checkpoint, known, handovers)
    hashes, slots, gaps = [], [], 0
    for index, width in tiles.widths(checkpoint.size, 0):
        for raw in tiles.entries(tiles.file_of(fetch, tiles.path("entries", index, width)), width):
            leaf = read_leaf(raw)
            hashes.append(leaf_hash(raw))
            slots.append(leaf.slot)
            gaps += bool(leaf.flags & LeafFlag.GAP)
        progress(len(hashes), checkpoint.size)
    _check_tiles(fetch, hashes, checkpoint.size)
    if root(hashes) != checkpoint.root:
        raise Refused("the leaves do not lead to the signed root")
    for at, slot in enumerate(slots):
        if slot != slots[0] + at:
            raise Refused(f"leaf {at} is of minute {slot}, not of {slots[0] + at}")
    if seen is not None:
        _check_history(seen, known, {checkpoint.origin, *(one.before.name for one in handovers)}, hashes)
    witnesses = tuple(check_witnesses(note, known))
    return LogReport(
        checkpoint.origin,
        signers,
        witnesses,
        checkpoint.size,
        slots[0],
        slots[-1],
        gaps,
        tuple(handovers),
        not witnesses and any(key.kind is Kind.WITNESS for key in known),
    )


def _check_history(seen: str, keys: Iterable[Key], origins: set[str], hashes: list[bytes]) -> None:
    note = read_note(seen)
    check_log(note, keys)
    before = read_checkpoint(note.text)
    if before.origin not in origins:
        raise Refused(f"the note that was seen is of another log, {before.origin}")
    if before.size > len(hashes):
        raise Refused(f"the log was rolled back: {before.size} leaves were seen, there are {len(hashes)}")
    if root(hashes[: before.size]) != before.root:
        raise Refused(f"the log was rewritten within the {before.size} leaves that were seen")


def _check_tiles(fetch: Fetch, hashes: list[bytes], size: int) -> None:
    """Every tile says what the leaves say."""
    level, below = 0, hashes
    while below:
        for index, width in tiles.widths(size, level):
            name = tiles.path(level, index, width)
            raw = tiles.file_of(fetch, name)
            for at in range(width):
                mine = below[index * WIDTH + at]
                if raw[at * HASH_BYTES : (at + 1) * HASH_BYTES] != mine:
                    raise Refused(f"{name} does not fit leaf or tile {index * WIDTH + at}")
            if len(raw) != width * HASH_BYTES:
                raise Refused(f"{name} is too long")
        whole = len(below) // WIDTH
        below = [root(below[at * WIDTH : (at + 1) * WIDTH]) for at in range(whole)]
        level += 1


def _text(fetch: Fetch) -> str:
    try:
        return tiles.file_of(fetch, CHECKPOINT).decode()
    except UnicodeDecodeError as error:
        raise Refused("the checkpoint is no text") from error
