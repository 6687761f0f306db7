"""Handovers: both keys sign them, nothing else passes, and what a replaced key signs afterwards does not count."""

from dataclasses import replace
from pathlib import Path

import pytest

from server.core.signing import FileSigner
from server.ledger.rules import SEAL_AFTER_MS
from server.ledger.service import Ledger
from server.verify.check import check
from server.verify.handover import FORMAT, Handover, hand_over, published, reached, read_handover, valid
from server.verify.notes import Checkpoint, Key, Kind, Note, read_note, sign
from server.verify.program import HOLDS, UNKNOWN, verify
from server.verify.tree import Refused
from tests.ledger.world import GENESIS
from tests.verify.evidence import LESSONS, SmallClass

SIGNERS = [FileSigner(bytes([number]) * 32) for number in range(4)]
KEYS = [Key("keshi/a", Kind.LOG, one.public) for one in SIGNERS]


def seen(size: int, by: int = 0) -> str:
    text = str(Checkpoint("keshi/a", size, bytes(32)))
    return str(Note(text, (sign(text, "keshi/a", SIGNERS[by]),)))


def handed(before: int, after: int, said: str = "") -> str:
    return hand_over((KEYS[before], SIGNERS[before]), (KEYS[after], SIGNERS[after]), said)


def test_a_chain_reaches_as_far_as_it_is_signed() -> None:
    chain = [read_handover(handed(1, 2)), read_handover(handed(0, 1)), read_handover(handed(3, 2))]
    assert set(reached([KEYS[0]], chain)) == {KEYS[0], KEYS[1], KEYS[2]}
    assert reached([], chain) == []


def test_a_replaced_key_signs_nothing_more() -> None:
    one = read_handover(handed(0, 1, seen(7)))
    assert [valid(KEYS[0], size, [one]) for size in (7, 8)] == [True, False]
    assert valid(KEYS[1], 8, [one])
    other = Key("keshi/a/2", Kind.LOG, KEYS[0].public)
    succession = read_handover(hand_over((KEYS[0], SIGNERS[0]), (other, SIGNERS[0]), seen(7)))
    assert valid(KEYS[0], 8, [succession]), "its name alone says which log it signs"


def test_only_what_both_keys_signed_is_a_handover() -> None:
    good = handed(0, 1, seen(7))
    text = read_note(good).text
    by = {number: sign(text, "keshi/a", SIGNERS[number]) for number in (0, 1, 2)}
    for signatures in ((by[0],), (by[1],), (by[0], by[2])):
        with pytest.raises(Refused):
            read_handover(str(Note(text, signatures)))
    with pytest.raises(Refused):
        read_handover(handed(0, 0))
    with pytest.raises(Refused):
        read_handover(handed(0, 1, seen(7, by=2)))
    with pytest.raises(Refused):
        read_handover(seen(7))
    for at in range(len(good)):
        with pytest.raises(Refused):
            read_handover(good[:at] + chr(ord(good[at]) ^ 1) + good[at + 1 :])


@pytest.mark.parametrize("raw", [b"7", b"[7]", b"[", b'["x"]'])
def test_what_lies_beside_a_log_is_read_or_refused(raw: bytes) -> None:
    with pytest.raises(Refused):
        published(lambda _name: raw)


def test_most_logs_have_none() -> None:
    def nothing(name: str) -> bytes:
        raise KeyError(name)

    assert published(nothing) == []
    assert FORMAT in str(Handover(KEYS[0], KEYS[1], ""))


async def rotated(small: SmallClass) -> Ledger:
    """A class whose log changed its key after its first minute."""
    world = small.world
    await small.attend(1)
    before, following = world.ledger.key, FileSigner(b"n" * 32)
    after = Key(before.name, Kind.LOG, following.public)
    note = hand_over((before, world.signer), (after, following), world.folder.said() or "")
    world.ledger = Ledger(world.database, world.clock, world.folder, following, handovers=[note])
    for slot in (1, 2):
        for lesson_id in LESSONS:
            await small.spend(lesson_id, GENESIS + slot)
        world.to(slot, SEAL_AFTER_MS)
        await world.ledger.round()
    return world.ledger


async def test_a_package_is_trusted_by_the_first_key_and_names_the_change(small: SmallClass, tmp_path: Path) -> None:
    old = small.world.ledger.key
    new = (await rotated(small)).key
    bundle = await small.bundle()
    for known in (old, new):
        report = check(bundle, [known])
        assert (report.consistent, report.authentic, report.signers) == (True, True, (new,))
        assert [(one.before, one.after, one.last.size) for one in report.handovers] == [(old, new, 1)]
    trust = tmp_path / "keys.txt"
    trust.write_text(f"{old}\n")
    code, lines = verify(tmp_path / "log", trust)
    assert code == HOLDS
    assert any("换过密钥" in line for line in lines)


async def test_a_package_signed_by_the_key_that_was_replaced_is_not_authentic(
    small: SmallClass, tmp_path: Path
) -> None:
    old, signer = small.world.ledger.key, small.world.signer
    await rotated(small)
    bundle = await small.bundle()
    text = read_note(bundle.checkpoint).text
    forged = str(Note(text, (sign(text, old.name, signer),)))
    report = check(replace(bundle, checkpoint=forged), [old])
    assert (report.consistent, report.authentic) == (True, False)
    (tmp_path / "log" / "checkpoint").write_text(forged)
    trust = tmp_path / "keys.txt"
    trust.write_text(f"{old}\n")
    assert verify(tmp_path / "log", trust)[0] == UNKNOWN


async def test_a_changed_handover_is_named(small: SmallClass) -> None:
    old = small.world.ledger.key
    await rotated(small)
    bundle = await small.bundle()
    at, part = next(
        (at, part)
        for at, leaf in enumerate(bundle.leaves)
        for part in leaf.groups
        if b"keshi-handover" in part.evidence
    )
    groups = [
        replace(one, evidence=one.evidence.replace(b"seen ", b"seem ")) if one is part else one
        for one in bundle.leaves[at].groups
    ]
    leaves = [*bundle.leaves]
    leaves[at] = replace(leaves[at], groups=tuple(groups))
    report = check(replace(bundle, leaves=tuple(leaves)), [old])
    assert [one.code for one in report.findings] == ["evidence_changed"]
    assert report.signers == (), "nobody said that this key follows"
