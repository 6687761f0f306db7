"""What is shown of the log leads to its signed root; what is not published yet is not shown."""

import hashlib
from dataclasses import replace

import pytest

from server.core.errors import DomainError
from server.ledger.rules import SEAL_AFTER_MS
from server.verify.bundle import evidence_of
from server.verify.formats import read_group, read_leaf, record_hash
from server.verify.tree import check_inclusion, leaf_hash, root
from tests.ledger.world import GENESIS, LESSON, OTHER, World, minute

BOTH_STORES = True

TEXT = b"what was seen"


async def sealed(world: World) -> None:
    await world.ledger.round()
    for slot in range(3):
        await world.say(slot, [replace(minute(GENESIS + slot, 1), evidence=hashlib.sha256(TEXT).digest())])
        await world.say(slot, [minute(GENESIS + slot, 2)])
        await world.say(slot, [minute(GENESIS + slot, 3)], OTHER)
        world.to(slot, SEAL_AFTER_MS)
        await world.ledger.round()


async def test_it_leads_to_the_signed_root(world: World) -> None:
    await sealed(world)
    proofs = await world.ledger.proofs([LESSON, LESSON], {hashlib.sha256(TEXT).digest(): TEXT})
    published = world.published()
    assert published is not None
    assert (proofs.genesis, proofs.checkpoint) == (GENESIS, world.folder.said())
    assert [one.index for one in proofs.leaves] == [0, 1, 2]
    for one in proofs.leaves:
        check_inclusion(leaf_hash(one.leaf), one.index, published.size, one.path, published.root)
        (part,) = one.groups
        leaf, group = read_leaf(one.leaf), read_group(part.group)
        check_inclusion(leaf_hash(part.group), part.at, leaf.n_groups, part.path, leaf.groups_root)
        pairs = zip(range(0, 146, 73), range(0, 32, 16), strict=True)
        hashes = [record_hash(part.salts[salt : salt + 16], part.records[at : at + 73]) for at, salt in pairs]
        assert (group.id.hex(), group.records_root) == (LESSON, root(hashes))
        assert part.hints == b"".join(one[:8] for one in hashes)
        assert evidence_of(part.evidence, 2) == [TEXT, b""]


async def test_several_groups_of_a_minute_stand_in_one_leaf(world: World) -> None:
    await sealed(world)
    proofs = await world.ledger.proofs([OTHER, LESSON], {})
    assert [[read_group(part.group).id.hex() for part in one.groups] for one in proofs.leaves] == [[LESSON, OTHER]] * 3
    assert (await world.ledger.proofs(["00000000000000cc"], {})).leaves == ()


async def test_what_is_not_published_yet(world: World) -> None:
    with pytest.raises(DomainError, match="lesson_not_sealed"):
        await world.ledger.proofs([LESSON], {})
    await sealed(world)
    await world.say(3, [minute(GENESIS + 3, 1)])
    with pytest.raises(DomainError, match="lesson_not_sealed"):
        await world.ledger.proofs([LESSON], {})
    await world.ledger.proofs([OTHER], {})
