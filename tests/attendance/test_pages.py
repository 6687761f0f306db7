"""The key of a page: who continues a lease, what a minute's signature is worth, what acknowledgements say."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from server.attendance import records as leases
from server.attendance.lease import How
from server.attendance.minutes import MINUTE_MS
from server.attendance.pages import records
from server.attendance.pages.records import signed_record
from server.attendance.service import Entry, Granted
from server.core.errors import DomainError
from server.ledger import records as ledger
from server.ledger.rules import split
from server.verify.acks import read_ack
from server.verify.formats import Kind, Record, read_record
from server.verify.notes import decode, read_note
from server.verify.pages import check_page, head_text
from server.verify.signatures import Mode, unpack
from server.verify.tree import Refused
from tests.attendance.page_key import PageKey
from tests.attendance.world import LESSON, T0, Page, World, trainee

BOTH_STORES = True
ME = trainee(1).person_id


class Stamp:
    """Signs nothing; what it was asked to sign is enough here."""

    origin = "keshi/0123456789abcdef"

    def attest(self, text: str) -> str:
        return f"{text}\n\u2014 {self.origin} AAAAAAAA\n"


@pytest_asyncio.fixture
async def world(tmp_path: Path, store_url: str) -> AsyncIterator[World]:
    made = await World.make(tmp_path / "world", store_url)
    made.attests = Stamp()
    await made.crash()
    yield made
    await made.close()


async def refused(code: str, work: object) -> DomainError:
    with pytest.raises(DomainError) as caught:
        await work  # type: ignore[misc]
    assert caught.value.code == code
    return caught.value


async def joined(world: World, key: PageKey | None, name: str = "page-000", resume: str | None = None) -> Page:
    page = Page(world, trainee(1), name, key=key, resume=resume)
    page.show()
    await page.join()
    return page


async def said(world: World, mode: Mode) -> list[Record]:
    """What the log was told of keys, in order of leases and minutes."""
    async with world.database.read() as connection:
        entries = await ledger.said_of(connection, LESSON)
    found = [read_record(raw) for one in entries for raw in split(one.records)]
    return sorted(
        (one for one in found if one.kind == Kind.PAGE_KEY and one.mode == mode), key=lambda one: (one.slot, one.seq)
    )


async def earned(world: World, page: Page) -> int:
    return (await world.book()).credit_ms(page.actor.person_id, world.now())


async def test_a_lease_is_granted_with_its_pages_key(world: World) -> None:
    """The log says of each whether it is new to the account, and of a page without one that it has none."""
    key = PageKey()
    first = await joined(world, key)
    await first.drop()
    again = await joined(world, key, "page-001", first.resume)
    await again.drop()
    lost = await joined(world, PageKey(), "page-002", again.resume)
    await lost.drop()
    bare = await joined(world, None, "page-003", lost.resume)
    async with world.database.read() as connection:
        keys = await records.keys_of_lesson(connection, LESSON)
    epochs = [first.epoch, again.epoch, lost.epoch, bare.epoch]
    assert [keys[ME, epoch] for epoch in epochs[:2]] == [key.public, key.public]
    assert keys[ME, bare.epoch] == "" != keys[ME, lost.epoch]
    for mode, expected in ((Mode.FRESH, [first, lost]), (Mode.KNOWN, [again]), (Mode.NONE, [bare])):
        assert [one.seq for one in await said(world, mode)] == [one.epoch for one in expected]


@pytest.mark.parametrize("change", ["another key", "another nonce", "another page", "no proof", "no key", "no base64"])
async def test_a_join_whose_proof_is_not_the_keys_is_refused(world: World, change: str) -> None:
    page = Page(world, trainee(1), key=PageKey())
    join = world.attendance.join

    async def forge(entry: Entry) -> Granted:
        assert page.key
        changes: dict[str, dict[str, str | None]] = {
            "another key": {"key": PageKey().public},
            "another nonce": {"nonce": "another"},
            "another page": {"page": "page-forged"},
            "no proof": {"proof": None},
            "no key": {"key": None},
            "no base64": {"proof": "?"},
        }
        return await join(replace(entry, **changes[change]))  # type: ignore[arg-type]

    world.attendance.join = forge  # type: ignore[method-assign]
    await refused("page_key_wrong", page.join())


async def test_the_same_page_continues_with_its_key_and_last_nonce(world: World) -> None:
    page = await joined(world, PageKey())
    epoch = page.epoch
    for _ in range(3):
        world.clock.advance(10_000)
        await page.beat(signed=True)
        await page.drop()
        world.clock.advance(20_000)
        await page.join()
        assert page.epoch == epoch
    world.clock.advance(10_000)
    await page.beat(signed=True)
    assert await earned(world, page) == world.now() - T0


async def test_it_continues_when_the_answer_to_its_last_beat_was_lost(world: World) -> None:
    page = await joined(world, PageKey())
    epoch = page.epoch
    world.clock.advance(10_000)
    await page.deliver(page.take())
    await page.drop()
    await page.join()
    assert page.epoch == epoch
    world.clock.advance(10_000)
    await page.beat(signed=True)
    assert await earned(world, page) == 20_000


@pytest.mark.parametrize("thief", ["no key", "another key", "old nonce"])
async def test_page_id_and_resume_without_the_key_do_not_continue(world: World, thief: str) -> None:
    """The lease that was there ends; whoever comes instead is a new page with a record of its own."""
    key = PageKey()
    page = await joined(world, key)
    old = page.nonce
    for _ in range(3):
        world.clock.advance(10_000)
        await page.beat()
    other = Page(world, page.actor, page.name, resume=page.resume)
    other.key = {"no key": None, "another key": PageKey(), "old nonce": key}[thief]
    other.nonce = old if thief == "old nonce" else page.nonce
    await refused("lease_held", other.join())
    await page.drop()
    await other.join()
    assert other.epoch > page.epoch
    await refused("lease_lost", page.deliver(page.take()))


async def test_a_copied_resume_beside_a_living_page_is_another_device(world: World) -> None:
    """A copied profile has resume and key, and perhaps a nonce; not the page's id, and the page answers."""
    key = PageKey()
    page = await joined(world, key)
    copy = Page(world, page.actor, "page-copy", key=key, resume=page.resume, nonce=page.nonce)
    await refused("lease_held", copy.join())
    world.clock.advance(10_000)
    await page.beat(signed=True)
    assert await earned(world, page) == 10_000


async def test_the_newest_signature_of_a_minute_is_kept_and_the_log_told(world: World) -> None:
    key = PageKey()
    page, bare = await joined(world, key), Page(world, trainee(2), "page-two")
    bare.show()
    await bare.join()
    for _ in range(12):
        world.clock.advance(10_000)
        await page.beat(signed=True)
        await bare.beat()
    await world.attendance.pages.round()
    world.clock.advance(MINUTE_MS)
    await world.attendance.pages.round()
    await world.attendance.pages.round()
    async with world.database.read() as connection:
        kept = await records.signatures_of(connection, LESSON)
    first = T0 // MINUTE_MS
    assert sorted(kept) == [first, first + 1, first + 2]
    for slot, seq in ((first, 4), (first + 1, 10), (first + 2, 11)):
        (one,) = unpack(kept[slot])
        assert (one.person_id, one.epoch, one.seq) == (ME, page.epoch, seq)
        signature = page.sent[seq].signature
        assert one.signature == decode(signature)
        check_page(key.public, signature, head_text(LESSON, one.epoch, one.seq, one.link))
    assert await said(world, Mode.SIGNED) == [signed_record(LESSON, slot, kept[slot]) for slot in sorted(kept)]


@pytest.mark.parametrize("forger", ["another key", "another beat", "no key"])
async def test_a_wrong_signature_is_refused_and_earns_nothing(world: World, forger: str) -> None:
    page = await joined(world, None if forger == "no key" else PageKey())
    world.clock.advance(10_000)
    page.link, link = (b"?" * 32 if forger == "another beat" else page.link), page.link
    right, page.key = page.key, page.key if forger == "another beat" else PageKey()
    beat = page.take(signed=True)
    error = await refused("beat_refused", page.deliver(beat))
    assert error.data["why"] == "signature"
    assert await earned(world, page) == 0
    page.key, page.link = right, link
    await page.beat(signed=True)
    assert await earned(world, page) == 10_000


async def test_a_retried_beat_goes_into_the_chain_as_it_was_taken(world: World) -> None:
    page = await joined(world, PageKey())
    world.clock.advance(10_000)
    first = page.take()
    ack = await page.deliver(first)
    world.clock.advance(1_000)
    again = await page.deliver(page.take())
    assert again == ack
    assert again.mono == first.mono
    page.heard(again)
    world.clock.advance(10_000)
    await page.beat(signed=True)
    assert await earned(world, page) == 21_000


async def test_after_a_crash_the_key_is_known_and_the_chain_goes_on(world: World) -> None:
    """The second process reads key and chain: from the store, from the spool."""
    page = await joined(world, PageKey())
    epoch = page.epoch
    for _ in range(2):
        world.clock.advance(10_000)
        await page.beat(signed=True)
    link = page.link
    await world.crash()
    holder = await world.register.holder(ME)
    assert holder is not None
    assert (holder.key, holder.link) == (page.key.public if page.key else "", link)
    await page.join()
    assert page.epoch == epoch
    world.clock.advance(10_000)
    await page.beat(signed=True)
    assert await earned(world, page) == 30_000


async def test_acknowledgements_are_signed_once_a_minute_with_what_they_promise(world: World) -> None:
    page = await joined(world, PageKey())
    for _ in range(13):
        world.clock.advance(10_000)
        await page.beat()
    first = T0 // MINUTE_MS
    acks = [read_ack(read_note(one).text) for one in page.notes]
    assert [(one.seq, dict(one.minutes)) for one in acks] == [
        (1, {first: 10_000}),
        (6, {first: MINUTE_MS}),
        (12, {first: MINUTE_MS, first + 1: MINUTE_MS}),
    ]
    assert {(one.origin, one.person_id, one.lesson_id, one.epoch, one.sealed_slot, one.sealed_ms) for one in acks} == {
        (Stamp.origin, ME, LESSON, page.epoch, first, 0)
    }
    world.clock.advance(2 * MINUTE_MS)
    await world.sealer.round()
    await page.drop()
    await page.join()
    world.clock.advance(1_000)
    await page.beat()
    (newest,) = [read_ack(read_note(one).text) for one in page.notes[3:]]
    assert (newest.sealed_slot, newest.sealed_ms) == (first + 2, 2 * MINUTE_MS)
    await world.end()
    await page.beat()
    assert len(page.notes) == 5, "the last one of a lesson is signed as well"


async def test_a_repeated_beat_gets_its_note_again(world: World) -> None:
    page = await joined(world, None)
    world.clock.advance(10_000)
    beat = page.take()
    first = await page.deliver(beat)
    assert first.note
    assert (await page.deliver(beat)).note == first.note
    page.heard(first)
    world.clock.advance(1_000)
    assert (await page.beat()).note is None


async def test_what_was_hidden_is_not_promised(world: World) -> None:
    page = await joined(world, None)
    world.clock.advance(10_000)
    await page.beat()
    page.hide()
    world.clock.advance(20_000)
    await page.beat()
    page.show()
    world.clock.advance(30_000)
    await page.beat()
    assert read_ack(read_note(page.notes[-1]).text).minutes == ((T0 // MINUTE_MS, 40_000),)


async def test_how_a_reload_is_granted_does_not_change(world: World) -> None:
    page = await joined(world, PageKey())
    await page.drop()
    again = await joined(world, page.key, "page-001", page.resume)
    holder = await world.register.holder(ME)
    assert holder is not None
    async with world.database.read() as connection:
        newest = await leases.newest_lease(connection, ME)
    assert newest is not None
    assert newest.how is How.RESUME
    assert again.epoch == page.epoch + 1


@pytest.mark.parametrize("key", ["", "AAAA", "?", "A" * 88])
def test_what_is_no_key_proves_nothing(key: str) -> None:
    with pytest.raises(Refused):
        check_page(key, PageKey().sign("text"), "text")
