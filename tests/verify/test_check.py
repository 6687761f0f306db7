"""Evidence that holds, and every way of changing it that we could think of: each is found, where it was done."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from server.ledger import records
from server.ledger.rules import SEAL_AFTER_MS
from server.verify.bundle import Bundle, Claim, GroupPart, LeafPart, read, write
from server.verify.check import check
from server.verify.formats import Kind, Record
from server.verify.notes import Key, Note, cosign, read_note, sign
from server.verify.notes import Kind as KeyKind
from server.verify.report import Finding, Report
from server.verify.tree import Refused
from tests.ledger.world import GENESIS, LESSON, OTHER, World
from tests.verify.evidence import LESSONS, MINUTES, PEOPLE, SmallClass

NUMBER = LESSONS[LESSON]


def looked(bundle: Bundle, *keys: Key) -> Report:
    """As a file that is written and read."""
    return check(read(write(bundle)), keys)


def with_leaf(bundle: Bundle, index: int, change: Callable[[LeafPart], LeafPart]) -> Bundle:
    leaves = tuple(change(one) if at == index else one for at, one in enumerate(bundle.leaves))
    return replace(bundle, leaves=leaves)


def with_group(bundle: Bundle, index: int, change: Callable[[GroupPart], GroupPart]) -> Bundle:
    """The first group of a leaf, which is that of LESSON."""

    def changed(leaf: LeafPart) -> LeafPart:
        return replace(leaf, groups=(change(leaf.groups[0]), *leaf.groups[1:]))

    return with_leaf(bundle, index, changed)


async def test_what_is_honest_holds_and_a_known_log_signed_it(small: SmallClass) -> None:
    await small.attend()
    bundle = await small.bundle()
    alone = looked(bundle)
    assert (alone.findings, alone.consistent, alone.authentic) == ((), True, False)
    assert (alone.n_minutes, alone.n_records) == (MINUTES, MINUTES * len(LESSONS) * (len(PEOPLE) + 1))
    assert looked(bundle, small.world.ledger.key).authentic
    stranger = Key(small.world.ledger.key.name, KeyKind.LOG, bytes(32))
    assert not looked(bundle, stranger).authentic


async def test_a_witness_is_told(small: SmallClass) -> None:
    await small.attend()
    bundle, signer = await small.bundle(), small.world.signer
    note = read_note(bundle.checkpoint)
    seen = Note(note.text, (*note.signatures, cosign(note.text, "county", signer, 1_788_000_000)))
    witness = Key("county", KeyKind.WITNESS, signer.public)
    report = looked(replace(bundle, checkpoint=str(seen)), witness)
    assert [(one.key, one.at_s) for one in report.witnesses] == [(witness, 1_788_000_000)]
    assert not report.authentic, "a witness alone says nothing of whose log it is"


async def test_the_credit_of_one_trainee_is_named_by_minute_and_seat(small: SmallClass) -> None:
    await small.attend()
    bundle = await small.bundle()
    at = next(at for at, raw in enumerate(_records(bundle, 1)) if raw[0] == Kind.MINUTE and raw[17] == 0xA1)

    def more(part: GroupPart) -> GroupPart:
        raw = bytearray(part.records)
        raw[73 * at + 38] ^= 1
        return replace(part, records=bytes(raw))

    found = looked(with_group(bundle, 1, more)).findings
    assert Finding(GENESIS + 1, NUMBER, 17, "record_changed") in found
    assert {(one.slot, one.lesson, one.seat) for one in found} == {
        (GENESIS + 1, NUMBER, 17),  # the record
        (GENESIS + 1, NUMBER, -1),  # the sum of its minute
        (-1, NUMBER, 17),  # the total of its lesson
    }


def _records(bundle: Bundle, index: int) -> list[bytes]:
    raw = bundle.leaves[index].groups[0].records
    return [raw[at : at + 73] for at in range(0, len(raw), 73)]


def flipped(raw: bytes) -> Iterator[bytes]:
    """Every single bit."""
    for bit in range(len(raw) * 8):
        forged = bytearray(raw)
        forged[bit // 8] ^= 1 << bit % 8
        yield bytes(forged)


@pytest.mark.parametrize("name", ["leaf", "path"])
async def test_every_flipped_bit_of_a_leaf_is_found_at_its_minute(small: SmallClass, name: str) -> None:
    await small.attend(2, {LESSON: 3})
    bundle = await small.bundle({LESSON: 3})
    value = getattr(bundle.leaves[1], name)
    for forged in flipped(value if name == "leaf" else b"".join(value)):
        whole: Any = forged if name == "leaf" else tuple(forged[at : at + 32] for at in range(0, len(forged), 32))
        report = check(with_leaf(bundle, 1, partial(replace, **{name: whole})))
        assert Finding(GENESIS + 1, -1, -1, "leaf_changed") in report.findings


@pytest.mark.parametrize("name", ["group", "path", "records", "salts", "hints", "evidence"])
async def test_every_flipped_bit_of_a_group_is_found_at_its_minute(small: SmallClass, name: str) -> None:
    await small.attend(2, {LESSON: 3})
    bundle = await small.bundle({LESSON: 3})
    value = getattr(bundle.leaves[1].groups[0], name)
    for forged in flipped(b"".join(value) if name == "path" else value):
        whole: Any = tuple(forged[at : at + 32] for at in range(0, len(forged), 32)) if name == "path" else forged
        changed = with_group(bundle, 1, partial(replace, **{name: whole}))
        try:
            report = check(changed)
        except Refused:
            assert name == "evidence", "a length that is wrong cuts it off"
            continue
        assert any(one.slot == GENESIS + 1 for one in report.findings), forged.hex()


async def test_every_flipped_bit_of_the_checkpoint_is_refused(small: SmallClass) -> None:
    await small.attend()
    bundle = await small.bundle()
    for forged in flipped(bundle.checkpoint.encode()):
        try:
            report = check(replace(bundle, checkpoint=forged.decode()), [small.world.ledger.key])
        except (Refused, UnicodeDecodeError):
            continue
        assert not report.authentic


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda one: replace(one, leaves=(one.leaves[0], one.leaves[2])), (GENESIS + 1, "minute_missing")),
        (lambda one: replace(one, leaves=one.leaves[1:]), (-1, "total_wrong")),
        (lambda one: replace(one, leaves=one.leaves[:-1]), (-1, "total_wrong")),
        (lambda one: replace(one, leaves=(*one.leaves, one.leaves[1])), (GENESIS + 1, "leaf_moved")),
        (lambda one: replace(one, genesis=one.genesis + 1), (GENESIS + 1, "leaf_moved")),
        (lambda one: replace(one, claims=one.claims[1:]), (-1, "total_wrong")),
        (lambda one: replace(one, claims=(*one.claims, one.claims[0])), (-1, "total_wrong")),
        (lambda one: replace(one, claims=(*one.claims, Claim("ee" * 8, "ff" * 8, 1))), (-1, "total_wrong")),
        (lambda one: replace(one, lessons=one.lessons[1:]), (-1, "total_wrong")),
        (
            lambda one: with_leaf(one, 1, lambda leaf: replace(leaf, groups=leaf.groups[1:])),
            (GENESIS + 1, "minute_missing"),
        ),
        (lambda one: with_leaf(one, 1, lambda leaf: replace(leaf, groups=leaf.groups[::-1])), None),
        (lambda one: with_group(one, 1, lambda part: replace(part, at=1 - part.at)), (GENESIS + 1, "group_changed")),
        (lambda one: with_leaf(one, 1, lambda leaf: replace(leaf, index=2)), (GENESIS + 2, "leaf_changed")),
        (
            lambda one: with_leaf(one, 1, lambda leaf: replace(leaf, groups=one.leaves[0].groups)),
            (GENESIS + 1, "group_changed"),
        ),
        (
            lambda one: with_group(one, 1, lambda part: replace(part, records=b"", salts=b"", hints=b"", evidence=b"")),
            (GENESIS + 1, "records_changed"),
        ),
    ],
)
async def test_what_is_removed_added_moved_or_swapped(
    small: SmallClass, change: Callable[[Bundle], Bundle], expected: tuple[int, str] | None
) -> None:
    await small.attend()
    found = {(one.slot, one.code) for one in looked(change(await small.bundle())).findings}
    assert (found == set()) if expected is None else expected in found


async def test_a_log_that_was_sealed_with_false_content_is_still_held_to_its_rules(small: SmallClass) -> None:
    """Whoever has the log's key can sign anything; what contradicts itself is named all the same."""
    await small.attend(1, {LESSON: 3})
    person = bytes.fromhex(next(iter(PEOPLE)))
    resource = bytes.fromhex(LESSON)
    more = [Record(Kind.MINUTE, GENESIS + 1, subject=person, resource=resource, credit_ms=60_001)]
    more += [Record(Kind.LESSON_MINUTE, GENESIS + 1, seq=2, resource=resource, credit_ms=60_000)]
    more += [Record(Kind.MINUTE, GENESIS, subject=person, resource=resource, credit_ms=60_000)]
    await small.world.say(1, more)
    small.world.to(1, SEAL_AFTER_MS)
    await small.world.ledger.round()
    found = {(one.slot, one.seat, one.code) for one in looked(await small.bundle({LESSON: 3})).findings}
    assert {
        (GENESIS + 1, 17, "minute_wrong"),
        (GENESIS + 1, 17, "evidence_changed"),
        (GENESIS + 1, -1, "minute_missing"),
        (GENESIS, 17, "minute_moved"),
        (GENESIS, 17, "minute_doubled"),
        (-1, 17, "total_wrong"),
    } <= found


async def test_late_minutes_count_and_a_gap_is_told(small: SmallClass) -> None:
    await small.attend(1, {LESSON: 3})
    await small.spend(LESSON, GENESIS + 1)
    small.world.to(2, SEAL_AFTER_MS)  # nobody was there in time
    await small.world.ledger.round()
    await small.spend(LESSON, GENESIS + 2)  # its leaf is sealed already
    small.world.to(3, SEAL_AFTER_MS)
    await small.world.ledger.round()
    bundle = await small.bundle({LESSON: 3})
    report = looked(bundle)
    assert (report.findings, [one.index for one in bundle.leaves]) == ((), [0, 1, 3])
    assert report.gaps == ()
    await small.spend(LESSON, GENESIS + 4)
    small.world.to(6, SEAL_AFTER_MS)
    await small.world.ledger.round()
    report = looked(await small.bundle({LESSON: 3}))
    assert report.gaps == (GENESIS + 4,)
    assert [(one.slot, one.code) for one in report.findings] == [(GENESIS + 3, "minute_missing")]


async def test_another_log_with_another_key_is_not_taken_for_this_one(small: SmallClass, tmp_path: Any) -> None:
    await small.attend()
    bundle = await small.bundle()
    other = World(small.world.database, tmp_path / "other", seed=bytes(31) + b"\x01")
    note = read_note(bundle.checkpoint)
    resigned = str(Note(note.text, (sign(note.text, other.ledger.key.name, other.signer),)))
    report = looked(replace(bundle, checkpoint=resigned), small.world.ledger.key, other.ledger.key)
    assert (report.consistent, report.authentic) == (True, False), "its name is not the origin's"


async def test_nothing_is_shown_before_it_is_published(small: SmallClass) -> None:
    await small.attend()
    async with small.world.database.write() as connection:
        said = [Record(Kind.LESSON_EVENT, GENESIS + MINUTES, resource=bytes.fromhex(LESSON))]
        await records.append(connection, GENESIS + MINUTES, LESSON, said)
    with pytest.raises(Exception, match="lesson_not_sealed"):
        await small.bundle()


async def test_a_lesson_that_has_ended_says_so_and_one_without_its_last_minutes_does_not(small: SmallClass) -> None:
    await small.attend(2)
    assert check(await small.bundle()).unended == (3, 4)
    await small.end(LESSON, GENESIS + 2)
    await small.end(OTHER, GENESIS + 4)
    small.world.to(4, SEAL_AFTER_MS)
    await small.world.ledger.round()
    bundle = await small.bundle()
    report = check(bundle)
    assert (report.findings, report.unended) == ((), (4,)), "two minutes of lesson 4 are not there"
    cut = replace(bundle, leaves=bundle.leaves[:1], claims=())
    assert check(cut).unended == (3, 4)
