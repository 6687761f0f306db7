"""Decides whether what the store holds of the log fits together, and names each place where it does not.

Everything is made again from what was said: groups from records, leaves from groups, the root from leaves, and the
published files and signatures are held against it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Final

from server.core.database import Database
from server.ledger import records
from server.ledger.erasing import arranged, count_erased, hashes_of, unordered
from server.ledger.handing import refilled
from server.ledger.records import Connection, Head, Packed
from server.ledger.rules import Entry, make_group, split, subject_of
from server.ledger.tiles import TileFolder
from server.verify.bundle import HINT_BYTES
from server.verify.formats import NO_HASH, Group, groups_root, is_erased, read_group, read_leaf
from server.verify.log import check_log_files
from server.verify.notes import Key, check_log, read_checkpoint, read_note
from server.verify.progress import Progress, quiet
from server.verify.tree import Frontier, Refused, leaf_hash, root

#: leaves read at a time
BATCH: Final = 256
#: where a packed leaf stands for the schemes
SCHEMES: Final = slice(54, 86)


#: the hash of a leaf, or None
_Hashes = Callable[[int], bytes | None]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not fit: a stable code, and where; `idx` is the leaf, `group_id` what it was about."""

    code: str
    idx: int | None = None
    group_id: str = ""


async def audit(
    database: Database, files: TileFolder, keys: Sequence[Key], progress: Progress = quiet
) -> AsyncIterator[Fault]:
    """Every fault of the log, leaf by leaf. Codes: leaf_missing, leaf_added, leaf_changed, group_changed,
    records_changed, records_erased, entry_lost, entry_doubled, head_changed, files_changed, checkpoint_false.

    A leaf that was changed where nothing else says the same is named by the first signature that does not fit it. Of
    leaves that were brought back from a copy, by the log's own word, there is no more than themselves.
    """
    async with database.read() as connection:
        head = await records.read_head(connection)
        if head is None:
            if files.said() is not None or await records.outside(connection, 0):
                yield Fault("head_changed")
            return
        signed = {size: note async for size, note in records.checkpoints(connection)}
        tree = _Tree(head, keys, signed, {idx for one in await refilled(connection) for idx in one}, _published(files))
        for begin in range(0, head.size, BATCH):
            upto = min(begin + BATCH, head.size)
            async for fault in _leaves(connection, tree, begin, upto):
                yield fault
            progress(upto, head.size)
        async for fault in _beside(connection, tree):
            yield fault
        for fault in tree.ended():
            yield fault
        if not await asyncio.to_thread(_fits, files, head, keys, signed):
            yield Fault("files_changed")


async def _beside(connection: Connection, tree: "_Tree") -> AsyncIterator[Fault]:
    """What is in no leaf that there is, and what was deleted without an order."""
    async for idx, name in unordered(connection, tree.erased):
        yield Fault("records_erased", idx, name)
    for idx in await records.outside(connection, tree.head.size):
        yield Fault("leaf_added", idx)
    for code in await records.strays(connection):
        yield Fault(code)


class _Tree:
    """The leaves' tree as it grows again, held against every signature on the way."""

    def __init__(
        self, head: Head, keys: Sequence[Key], signed: Mapping[int, str], bare: Collection[int], known: _Hashes
    ) -> None:
        self.head = head
        #: hashes of leaves as they were published, and those of the leaves since the last signature that fits
        self._known = known
        self._since: list[tuple[int, bytes]] = []
        self._keys = keys
        #: leaves without what was in them
        self.bare = bare
        self._signed = signed
        self._frontier = Frontier()
        #: how many records are erased, by group and leaf
        self.erased: dict[str, dict[int, int]] = {}
        self._schemes = NO_HASH
        #: a leaf was named already: from there on no root fits
        self.strayed = False

    def add(self, idx: int, raw: bytes) -> Iterator[Fault]:
        self._frontier.add(leaf_hash(raw))
        self._since.append((idx, leaf_hash(raw)))
        self._schemes = raw[SCHEMES]
        if idx + 1 not in self._signed:
            return
        try:
            note = read_note(self._signed[idx + 1])
            found = read_checkpoint(note.text)
            true = found.origin in {key.name for key in check_log(note, self._keys)} and found.size == idx + 1
        except Refused:
            true = False
        if not true:
            yield Fault("checkpoint_false", idx)
        elif not self.strayed and found.root != self._frontier.root():
            self.strayed = True
            yield Fault("leaf_changed", idx if (other := self._first_other()) is None else other)
        self._since.clear()

    def _first_other(self) -> int | None:
        """The first leaf since the last signature that was published otherwise."""
        return next((idx for idx, hashed in self._since if self._known(idx) not in (None, hashed)), None)

    def ended(self) -> Iterator[Fault]:
        made = self._frontier.size, self._frontier.hashes, self._schemes
        named = self.head.origin in {key.name for key in self._keys}
        if made != (self.head.size, self.head.frontier.hashes, self.head.schemes) or not named:
            yield Fault("head_changed")
            if not self.strayed and (idx := self._first_other()) is not None:
                yield Fault("leaf_changed", idx)
        for size in sorted(self._signed.keys() - range(1, self.head.size + 1)):
            yield Fault("checkpoint_false", size - 1)


async def _leaves(connection: Connection, tree: _Tree, begin: int, upto: int) -> AsyncIterator[Fault]:
    leaves = await records.leaves_by_number(connection, begin, upto)
    groups = await records.groups_between(connection, begin, upto)
    said = await records.entries_between(connection, begin, upto)
    names = {entry.group_id for entries in said.values() for entry in entries}
    keys = {name: await records.keys_of(connection, name) for name in names}
    for idx in range(begin, upto):
        if idx not in leaves:
            yield Fault("leaf_missing", idx)
            tree.strayed = True
            continue
        for fault in _groups(idx, groups.get(idx, {}), said.get(idx, ()), keys):
            yield fault
        for entry in (one for one in said.get(idx, ()) if count_erased(one.records)):
            counts = tree.erased.setdefault(entry.group_id, {})
            counts[idx] = counts.get(idx, 0) + count_erased(entry.records)
        bare = idx in tree.bare and idx not in groups
        if not bare and not _leaf_fits(leaves[idx], tree.head.genesis + idx, groups.get(idx, {})):
            yield Fault("leaf_changed", idx)
            tree.strayed = True
        for fault in tree.add(idx, leaves[idx]):
            yield fault


def _groups(
    idx: int, groups: Mapping[str, Packed], said: Iterable[Entry], keys: Mapping[str, Mapping[str, bytes]]
) -> Iterator[Fault]:
    by_group = attrgetter("group_id")
    entries = {name: list(each) for name, each in groupby(sorted(said, key=by_group), key=by_group)}
    for name in sorted(groups.keys() | entries.keys()):
        packed = [one for entry in entries.get(name, ()) for one in split(entry.records)]
        moved = not all(_of_its_minute(entry) for entry in entries.get(name, ()))
        if name not in groups:
            yield Fault("group_changed", idx, name)
        elif not packed or moved or not _group_fits(groups[name], name, packed, keys[name]):
            yield Fault("records_changed", idx, name)


def _of_its_minute(entry: Entry) -> bool:
    """Whether what was said is of the minute for which it was said."""
    return all(int.from_bytes(raw[2:6], "big") == entry.slot for raw in split(entry.records))


def _erased_fits(stored: Packed, packed: Sequence[bytes], keys: Mapping[str, bytes]) -> bool:
    """The same where records were deleted: what they summed up to stands in the group alone, which the leaf holds."""
    hashes, group = hashes_of(arranged(packed), keys), read_group(stored.group)
    hints = b"".join([one[:HINT_BYTES] for one in hashes])
    return (group.n_records, group.records_root) == (len(hashes), root(hashes)) and stored.hints in (None, hints)


def _group_fits(stored: Packed, name: str, packed: Sequence[bytes], keys: Mapping[str, bytes]) -> bool:
    if not {subject_of(one) for one in packed if not is_erased(one)} <= keys.keys():
        return False
    if any(map(is_erased, packed)):
        return _erased_fits(stored, packed, keys)
    made = make_group(name, packed, keys)
    return made.group.pack() == stored.group and stored.hints in (None, made.hints)


def _leaf_fits(raw: bytes, slot: int, groups: Mapping[str, Packed]) -> bool:
    try:
        leaf = read_leaf(raw)
        made: list[Group] = [read_group(groups[name].group) for name in sorted(groups)]
    except Refused:
        return False
    said = (leaf.slot, leaf.n_groups, leaf.n_records, leaf.credit_ms_total, leaf.groups_root)
    sums = sum(one.n_records for one in made), sum(one.credit_ms for one in made)
    return said == (slot, len(made), *sums, groups_root(made))


def _published(files: TileFolder) -> _Hashes:
    """The hash of a leaf as it was published; None where it was not, or nobody can tell."""
    said = files.said()
    try:
        node = files.tree(read_checkpoint(read_note(said).text).size).node if said else None
    except Refused:
        node = None

    def hashed(idx: int) -> bytes | None:
        try:
            return node(0, idx) if node else None
        except Refused:
            return None

    return hashed


def _fits(files: TileFolder, head: Head, keys: Sequence[Key], signed: Mapping[int, str]) -> bool:
    """Whether the published files are the log as far as they go; the newest minute may not be out yet."""
    said = files.said()
    if said is None:
        return head.size == 0 or files.put_back
    try:
        report = check_log_files(files.fetch, keys)
    except Refused:
        return False
    return (
        files.parts_fit() and bool(report.signers) and report.first == head.genesis and signed.get(report.size) == said
    )
