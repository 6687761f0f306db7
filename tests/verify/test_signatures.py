"""What pages signed, in evidence: the right ones are counted, every false one is named by minute and seat."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import pytest

from server.attendance.pages import records as pages
from server.ledger import records
from server.ledger.facts import fact
from server.ledger.rules import MINUTE_MS, SEAL_AFTER_MS
from server.verify.bundle import Bundle, read, write
from server.verify.check import check
from server.verify.formats import Kind, Record
from server.verify.notes import decode
from server.verify.pages import head_text
from server.verify.program import _told
from server.verify.report import Finding, Report
from server.verify.signatures import SIGNED_BYTES, Mode, Signed, pack, unpack
from tests.attendance.page_key import PageKey
from tests.ledger.world import GENESIS, LESSON
from tests.verify.evidence import PEOPLE, SmallClass

JIA, YI = PEOPLE
ONLY = {LESSON: 3}
EPOCH = 7
MINUTES = 4


def link(seq: int, person: str = JIA) -> bytes:
    return sha256(f"{person} {seq}".encode()).digest()


@dataclass
class Keyed:
    """A class whose pages have keys; `forge` is what the platform makes of a signature before it seals it."""

    small: SmallClass
    keys: dict[str, PageKey] = field(default_factory=lambda: {JIA: PageKey(), YI: PageKey()})
    forge: Callable[[int, Signed], Signed] = lambda _slot, signed: signed

    async def grant(self, person: str, slot: int = 0, epoch: int = EPOCH, public: str | None = None) -> None:
        """A lease, with its key."""
        at_ms = (GENESIS + slot) * MINUTE_MS
        shown = self.keys[person].public if public is None else public
        row: dict[str, str | int] = {
            "person_id": person, "epoch": epoch, "lesson_id": LESSON, "public": shown, "granted_ms": at_ms,
        }  # fmt: skip
        granted = fact(Kind.LEASE, at_ms, {"epoch": epoch}, subject=person, session=epoch, seq=epoch)
        async with self.small.world.database.write() as connection:
            await records.append(connection, GENESIS + slot, LESSON, [granted])
            await pages.add_key(connection, row)

    def signed(self, person: str, seq: int, epoch: int = EPOCH) -> Signed:
        text = head_text(LESSON, epoch, seq, link(seq, person))
        return Signed(person, epoch, seq, link(seq, person), decode(self.keys[person].sign(text)))

    async def sign(self, slot: int, signed: list[Signed]) -> None:
        async with self.small.world.database.write() as connection:
            made = [self.forge(slot, one) for one in signed]
            await pages.add_signatures(connection, LESSON, GENESIS + slot, made)

    async def spend(self, slot: int, epoch: int = EPOCH) -> None:
        await self.small.spend(LESSON, GENESIS + slot, epoch)
        self.small.world.to(slot, SEAL_AFTER_MS)
        await self.small.world.ledger.round()

    async def attend(self, minutes: int = MINUTES) -> Bundle:
        """Everybody signs in every minute, six beats each."""
        for person in PEOPLE:
            await self.grant(person)
        for slot in range(minutes):
            await self.sign(slot, [self.signed(person, 6 * slot + 4) for person in PEOPLE])
            await self.spend(slot)
        return await self.small.bundle(ONLY)


@pytest.fixture
def keyed(small: SmallClass) -> Keyed:
    return Keyed(small)


def looked(bundle: Bundle) -> Report:
    """As a file that is written and read."""
    return check(read(write(bundle)))


def of(report: Report) -> set[tuple[int, int, str]]:
    return {(one.slot - GENESIS, one.seat, one.code) for one in report.findings}


def with_shown(bundle: Bundle, at: int, text: bytes) -> Bundle:
    return replace(bundle, shown=(*bundle.shown[:at], text, *bundle.shown[at + 1 :]))


async def test_every_minute_that_its_page_signed_is_counted(keyed: Keyed) -> None:
    report = looked(await keyed.attend())
    assert (report.findings, report.n_signed, report.n_credited) == ((), 8, 8)
    told = "  页面自己签过名 · signed by their own page: 8 / 8 分钟 · trainee-minutes"
    assert told in list(_told(report))


async def test_a_class_without_keys_is_told_as_such_and_holds(keyed: Keyed) -> None:
    for person in PEOPLE:
        await keyed.grant(person, public="")
    await keyed.spend(0)
    report = looked(await keyed.small.bundle(ONLY))
    assert (report.findings, report.n_signed, report.n_credited) == ((), 0, 2)


async def test_a_signature_covers_its_minute_and_the_one_before(keyed: Keyed) -> None:
    await keyed.grant(JIA)
    await keyed.grant(YI, public="")
    for slot in range(5):
        if slot in (1, 4):
            await keyed.sign(slot, [keyed.signed(JIA, 6 * slot + 4)])
        await keyed.spend(slot)
    report = looked(await keyed.small.bundle(ONLY))
    assert (report.findings, report.n_signed, report.n_credited) == ((), 4, 10)


async def test_a_lost_key_is_registered_again_and_costs_no_minute(keyed: Keyed) -> None:
    await keyed.grant(JIA)
    await keyed.grant(YI, public="")
    await keyed.sign(0, [keyed.signed(JIA, 4)])
    await keyed.small.spend(LESSON, GENESIS)
    keyed.keys[JIA] = PageKey()
    await keyed.grant(JIA, 1, EPOCH + 1)
    await keyed.grant(YI, 1, EPOCH + 1, public="")
    await keyed.sign(1, [keyed.signed(JIA, 1, EPOCH + 1)])
    await keyed.spend(1, EPOCH + 1)
    report = looked(await keyed.small.bundle(ONLY))
    assert (report.findings, report.n_signed, report.n_credited) == ((), 1, 4)


async def test_every_flipped_bit_of_what_is_shown_is_named_at_its_minute(keyed: Keyed) -> None:
    bundle = await keyed.attend(1)
    signed = next(at for at, text in enumerate(bundle.shown) if len(text) == 2 * SIGNED_BYTES)
    for at, text in enumerate(bundle.shown):
        for bit in range(0, len(text) * 8, 1 if at == signed else 7):
            forged = bytearray(text)
            forged[bit // 8] ^= 1 << bit % 8
            found = of(check(with_shown(bundle, at, bytes(forged))))
            expected = {(0, -1, "page_signature_wrong")} if at == signed else {(0, 17, "page_key_wrong")}
            assert found >= expected or (at != signed and (0, 18, "page_key_wrong") in found)


async def test_what_the_log_was_told_of_must_be_shown(keyed: Keyed) -> None:
    bundle = await keyed.attend(2)
    for at, text in enumerate(bundle.shown):
        found = of(check(replace(bundle, shown=bundle.shown[:at] + bundle.shown[at + 1 :])))
        code = "page_key_wrong" if text.startswith(b"{") else "page_signature_wrong"
        assert code in {one[2] for one in found}
    assert check(replace(bundle, shown=(*bundle.shown, b"more"))).consistent, "what nobody names says nothing"


def changed(**fields: Any) -> Callable[[int, Signed], Signed]:
    """What is signed in the third minute by seat 17 is changed before it is sealed."""
    return lambda slot, one: replace(one, **fields) if (slot, one.person_id) == (2, JIA) else one


FORGED = [
    changed(signature=bytes(64)),
    changed(signature=b"\xff" * 64),
    changed(link=bytes(32)),
    changed(seq=17),
    changed(epoch=EPOCH + 1),
]


@pytest.mark.parametrize("forge", FORGED)
async def test_a_false_signature_that_was_sealed_is_named_by_minute_and_seat(
    keyed: Keyed, forge: Callable[[int, Signed], Signed]
) -> None:
    """Who has the log's key can seal anything; the page's key they do not have."""
    keyed.forge = forge
    report = looked(await keyed.attend())
    assert report.findings == (Finding(GENESIS + 2, 3, 17, "page_signature_wrong"),)
    assert report.n_signed == 8, "the signature of the next minute covers it"


async def test_every_bit_of_a_sealed_signature_counts(keyed: Keyed) -> None:
    """Sampled: each bit is a log of its own."""
    flips: Iterator[int] = iter(range(5, 64 * 8, 64))
    keyed.forge = lambda _slot, one: replace(one, signature=_flipped(one.signature, next(flips)))
    report = looked(await keyed.attend())
    assert of(report) == {(slot, seat, "page_signature_wrong") for slot in range(MINUTES) for seat in (17, 18)}
    assert report.n_signed == 0


def _flipped(raw: bytes, bit: int) -> bytes:
    found = bytearray(raw)
    found[bit // 8] ^= 1 << bit % 8
    return bytes(found)


async def test_another_key_than_the_leases_is_named(keyed: Keyed) -> None:
    """The platform swaps the keys of two trainees, or registers one of its own."""
    bundle_keys = dict(keyed.keys)
    keyed.keys = {JIA: bundle_keys[YI], YI: bundle_keys[JIA]}
    for person in PEOPLE:
        await keyed.grant(person)
    keyed.keys = bundle_keys
    await keyed.sign(0, [keyed.signed(person, 4) for person in PEOPLE])
    await keyed.spend(0)
    report = looked(await keyed.small.bundle(ONLY))
    assert of(report) == {(0, 17, "page_signature_wrong"), (0, 18, "page_signature_wrong")}


async def test_a_signature_of_another_minute_is_named(keyed: Keyed) -> None:
    """What a page signed long ago is put into a minute in which it was not there."""
    for person in PEOPLE:
        await keyed.grant(person)
    first = [keyed.signed(person, 4) for person in PEOPLE]
    await keyed.sign(0, first)
    await keyed.spend(0)
    await keyed.sign(1, [keyed.signed(person, 10) for person in PEOPLE])
    await keyed.spend(1)
    await keyed.sign(2, first)
    await keyed.spend(2)
    report = looked(await keyed.small.bundle(ONLY))
    assert of(report) == {(2, 17, "page_signature_wrong"), (2, 18, "page_signature_wrong")}


async def test_a_chain_that_stands_still_is_named(keyed: Keyed) -> None:
    """Whoever has the page's key too: it signs that it went on, over what it had signed before."""

    def still(slot: int, one: Signed) -> Signed:
        text = head_text(LESSON, EPOCH, one.seq, link(4, one.person_id))
        signature = decode(keyed.keys[one.person_id].sign(text))
        return replace(one, link=link(4, one.person_id), signature=signature) if slot else one

    keyed.forge = still
    bundle = await keyed.attend(2)
    assert of(looked(bundle)) == {(1, 17, "page_signature_wrong"), (1, 18, "page_signature_wrong")}


async def test_few_beats_cannot_have_earned_many_minutes(keyed: Keyed) -> None:
    """A page that sent one beat signed it; what the platform credited before, five minutes, is not its own."""
    await keyed.grant(JIA)
    await keyed.grant(YI, public="")
    for slot in range(9):
        if slot >= 7:
            await keyed.sign(slot, [keyed.signed(JIA, 1 if slot == 7 else 5)])
        await keyed.spend(slot)
    assert of(looked(await keyed.small.bundle(ONLY))) == {(7, 17, "page_signature_wrong")}


async def test_signatures_before_their_key_are_named(keyed: Keyed) -> None:
    await keyed.grant(JIA, 1)
    await keyed.grant(YI, public="")
    await keyed.sign(0, [keyed.signed(JIA, 4)])
    await keyed.small.spend(LESSON, GENESIS)
    await keyed.sign(1, [keyed.signed(JIA, 10)])
    await keyed.spend(1)
    assert (0, 17, "page_signature_wrong") in of(looked(await keyed.small.bundle(ONLY)))


@pytest.mark.parametrize(
    ("field_", "value"),
    [
        ("epoch", EPOCH + 1),
        ("epoch", -1),
        ("epoch", "7"),
        ("lesson_id", "00" * 8),
        ("person_id", YI),
        ("known", "known"),
        ("known", "signed"),
        ("known", None),
        ("granted_ms", (GENESIS + 1) * MINUTE_MS),
        ("granted_ms", None),
        ("public", ""),
        ("public", "AAAA"),
        ("public", None),
    ],
)
async def test_a_key_that_says_something_else_than_its_record_is_named(
    keyed: Keyed, field_: str, value: object
) -> None:
    """Sealed so by the platform itself."""
    row = {
        "person_id": JIA, "epoch": EPOCH, "lesson_id": LESSON, "public": keyed.keys[JIA].public,
        "granted_ms": GENESIS * MINUTE_MS, "known": "fresh",
    }  # fmt: skip
    await seal_key(keyed, json.dumps(row | {field_: value}).encode())


@pytest.mark.parametrize("text", [b"", b"[]", b"7", b"{}", b"\xff", b"[" * 100_000])
async def test_what_is_no_key_is_named(keyed: Keyed, text: bytes) -> None:
    await seal_key(keyed, text)


async def seal_key(keyed: Keyed, text: bytes) -> None:
    session = EPOCH.to_bytes(8, "big")
    told = Record(
        Kind.PAGE_KEY, GENESIS, EPOCH, bytes.fromhex(JIA), session, mode=Mode.FRESH, evidence=sha256(text).digest()
    )
    await keyed.small.world.say(0, [told])
    await keyed.small.spend(LESSON, GENESIS)
    keyed.small.world.to(0, SEAL_AFTER_MS)
    await keyed.small.world.ledger.round()
    bundle = await keyed.small.bundle(ONLY)
    assert of(check(replace(bundle, shown=(text,)))) == {(0, 17, "page_key_wrong")}


async def test_a_lease_has_one_key(keyed: Keyed) -> None:
    bundle = await keyed.attend(1)
    async with keyed.small.world.database.write() as connection:
        other = next(one for one in bundle.shown if JIA.encode() in one)
        again = Record(
            Kind.PAGE_KEY, GENESIS + 1, 8, bytes.fromhex(JIA), EPOCH.to_bytes(8, "big"), mode=Mode.FRESH,
            evidence=sha256(other).digest(),
        )  # fmt: skip
        await records.append(connection, GENESIS + 1, LESSON, [again])
    await keyed.spend(1)
    assert (1, 17, "page_key_wrong") in of(looked(await keyed.small.bundle(ONLY)))


@pytest.mark.parametrize("change", ["one less", "doubled", "turned round", "cut off"])
async def test_signatures_that_are_not_as_many_or_not_in_order_are_named(keyed: Keyed, change: str) -> None:
    """Sealed so by the platform itself."""
    raw = pack([keyed.signed(person, 4) for person in PEOPLE])
    one, two = raw[:SIGNED_BYTES], raw[SIGNED_BYTES:]
    text = {"one less": one, "doubled": one + one, "turned round": two + one, "cut off": raw[:-1]}[change]
    for person in PEOPLE:
        await keyed.grant(person)
    told = replace(pages.signed_record(LESSON, GENESIS, raw), evidence=sha256(text).digest())
    await keyed.small.world.say(0, [told])
    await keyed.spend(0)
    bundle = await keyed.small.bundle(ONLY)
    assert of(check(replace(bundle, shown=(*bundle.shown, text)))) == {(0, -1, "page_signature_wrong")}


def test_signatures_are_read_as_they_were_packed() -> None:
    signed = [Signed(YI, 2, 3, bytes(32), bytes(64)), Signed(JIA, 1, 2, bytes(32), bytes(64))]
    assert unpack(pack(signed)) == signed[::-1]
