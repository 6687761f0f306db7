"""Decides what is shown of the log to those who may read some of it: their groups whole, and the paths to the root."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from server.core.database import Database
from server.core.errors import DomainError
from server.ledger import records
from server.ledger.erasing import arranged, hashes_of
from server.ledger.records import Connection
from server.ledger.rules import Entry, Keys, split, subject_of
from server.ledger.tiles import TileFolder
from server.verify.bundle import HINT_BYTES, GroupPart, LeafPart, Seen, behind_lengths
from server.verify.formats import SALT_BYTES, is_erased, read_record, salt_of
from server.verify.notes import read_checkpoint, read_note
from server.verify.tiles import HEIGHT, WIDTH
from server.verify.tree import Node, leaf_hash, nodes, prove_consistency, prove_inclusion

#: leaves that lie further apart are two stretches
APART: Final = 10
#: beside what is left of an erased record
NO_SALT: Final = bytes(SALT_BYTES)


@dataclass(frozen=True, slots=True)
class Proofs:
    """`genesis` is the unix minute of leaf 0, `checkpoint` the signed note to which the leaves lead; `tiles` and `rest`
    as in verify.bundle.Bundle.
    """

    genesis: int
    checkpoint: str
    leaves: tuple[LeafPart, ...]
    seen: tuple[Seen, ...] = ()
    tiles: bytes = b""
    rest: bytes = b""


async def prove(
    database: Database,
    files: TileFolder,
    group_ids: Iterable[str],
    evidence: Mapping[bytes, bytes],
    partly: Iterable[str] = (),
) -> Proofs:
    """All that was published of these groups; and, of those named `partly`, what is published yet.

    Raises DomainError lesson_not_sealed before anything was, and while some of the former is not yet.
    """
    whole = set(group_ids)
    names = sorted(whole.union(partly))
    async with database.read() as connection:
        head, note = await records.read_head(connection), files.said()
        if head is None or note is None:
            raise DomainError("lesson_not_sealed")
        size = read_checkpoint(read_note(note).text).size
        parts: dict[int, list[GroupPart]] = {}
        for name in names:
            keys = await records.keys_of(connection, name)
            said = await records.sealed_of(connection, name, size)
            if name in whole and await records.is_waiting(connection, name, size):
                raise DomainError("lesson_not_sealed")
            for idx, entries in said.items():
                parts.setdefault(idx, []).append(await _group(connection, idx, name, entries, keys, evidence))
        node = files.tree(size).node
        leaves = []
        for idx in sorted(parts):
            (leaf,) = await records.leaves(connection, idx, idx + 1)
            leaves.append(LeafPart(idx, leaf, tuple(prove_inclusion(node, idx, size)), tuple(parts[idx])))
        seen = [one async for one in _seen(connection, sorted(parts), size, node)]
        full = size // WIDTH
        tiles = b"".join(node(HEIGHT, index) for index in range(full))
        rest = b"".join(node(0, index) for index in range(full * WIDTH, size))
    return Proofs(head.genesis, note, tuple(leaves), tuple(seen), tiles, rest)


async def _seen(connection: Connection, leaves: Sequence[int], size: int, node: Node) -> AsyncIterator[Seen]:
    """For each stretch of leaves, the first checkpoint after it that somebody else signed too."""
    ends = [one for one, after in pairwise(leaves) if after - one > APART] + [*leaves[-1:]]
    for at in ends:
        found = await records.cosigned_after(connection, at, size)
        if found is not None:
            yield Seen(found[1], tuple(prove_consistency(node, found[0], size)))


async def _group(
    connection: Connection,
    idx: int,
    name: str,
    entries: Sequence[Entry],
    keys: Keys,
    evidence: Mapping[bytes, bytes],
) -> GroupPart:
    groups = await records.groups_of(connection, idx)
    at = sorted(groups).index(name)
    hashes = [leaf_hash(groups[one].group) for one in sorted(groups)]
    packed = arranged(raw for entry in entries for raw in split(entry.records))
    salts = [NO_SALT if is_erased(raw) else salt_of(keys[subject_of(raw)], raw) for raw in packed]
    hints = groups[name].hints
    if hints is None or len(hints) != HINT_BYTES * len(packed):
        hints = b"".join([one[:HINT_BYTES] for one in hashes_of(packed, keys)])
    return GroupPart(
        at,
        groups[name].group,
        tuple(prove_inclusion(nodes(hashes), at, len(hashes))),
        b"".join(packed),
        b"".join(salts),
        hints,
        behind_lengths([evidence.get(read_record(raw).evidence, b"") for raw in packed]),
    )
