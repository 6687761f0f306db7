"""The page's key under attack: who has words of another page, but not its key, earns nothing and continues nothing."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.verify.pages import first_link, head_text, join_text, next_link
from tests.attacks.arena import BEAT_MS, Arena, Client, arena
from tests.attendance.page_key import PageKey

PAGE = "page-one"


@pytest.fixture
async def lesson(tmp_path: Path) -> AsyncIterator[Arena]:
    async with arena(tmp_path / "data") as found:
        yield found


class Keyed(Client):
    """A client that keeps its key and chain as the page does."""

    key: PageKey
    link: bytes = b""

    def shown(self, lesson: Arena, page: str, nonce: str | None) -> dict[str, Any]:
        text = join_text(lesson.school.lesson_id, page, nonce or "")
        return {"page": page, "key": self.key.public, "nonce": nonce, "proof": self.key.sign(text)}

    async def enter(self, lesson: Arena, page: str = PAGE, **more: Any) -> dict[str, Any]:
        answer = await self.join(**self.shown(lesson, page, self.lease.get("nonce")), **more)
        if answer["ok"]:
            self.link = first_link(lesson.school.lesson_id, *(self.lease[name] for name in ("epoch", "seq", "nonce")))
        return answer

    async def attend(self, lesson: Arena) -> dict[str, Any]:
        """Ten seconds in front, signed."""
        lesson.pass_time(BEAT_MS)
        self.mono += BEAT_MS
        spans, nonce, seq = [[0, self.mono]], self.lease["nonce"], self.lease["seq"]
        signature = self.key.sign(head_text(lesson.school.lesson_id, self.lease["epoch"], seq, self.link))
        answer = await self.beat(spans, signature=signature)
        if answer["ok"]:
            self.link = next_link(self.link, seq + 1, nonce, self.mono, ((0, self.mono),))
        return answer


def keyed(page: Any, key: PageKey | None = None) -> Keyed:
    client = Keyed(page)
    client.key = key or PageKey()
    return client


async def test_an_honest_page_signs_and_keeps_its_minute(lesson: Arena) -> None:
    """The measure of all that follows."""
    async with lesson.school.page("jia") as page:
        client = keyed(page)
        await client.enter(lesson)
        for _ in range(6):
            assert (await client.attend(lesson))["ok"]
    assert await lesson.earned("jia") == lesson.wall_ms


async def test_a_stolen_nonce_without_the_key_continues_nothing(lesson: Arena) -> None:
    """Whoever read the page's whole memory, its page id, resume and nonce, lacks what cannot be read."""
    async with lesson.school.page("jia") as one, lesson.school.page("jia") as two:
        victim, thief = keyed(one), keyed(two)
        resume = (await victim.enter(lesson))["lease"]["resume"]
        assert (await victim.attend(lesson))["ok"]
        thief.lease = dict(victim.lease)
        assert (await thief.enter(lesson, resume=resume))["code"] == "lease_held"
        assert (await two.join(page=PAGE, resume=resume, nonce=victim.lease["nonce"]))["code"] == "lease_held"
        stolen = thief.shown(lesson, PAGE, victim.lease["nonce"]) | {"key": victim.key.public}
        assert (await two.join(**stolen, resume=resume))["code"] == "page_key_wrong"
        assert (await thief.beat())["code"] == "lease_lost"
        assert (await victim.attend(lesson))["ok"]
    assert await lesson.earned("jia") == lesson.wall_ms


async def test_an_old_proof_of_the_page_is_worth_nothing_after_its_next_beats(lesson: Arena) -> None:
    """A join that was overheard carries the nonce of then."""
    async with lesson.school.page("jia") as one, lesson.school.page("jia") as two:
        victim, thief = keyed(one), keyed(two)
        resume = (await victim.enter(lesson))["lease"]["resume"]
        await victim.attend(lesson)
        overheard = victim.shown(lesson, PAGE, victim.lease["nonce"])
        await victim.attend(lesson)
        await victim.attend(lesson)
        assert (await thief.join(**overheard, resume=resume))["code"] == "lease_held"
        assert (await victim.attend(lesson))["ok"]
    assert await lesson.earned("jia") == lesson.wall_ms


async def test_an_old_page_key_neither_continues_nor_signs(lesson: Arena) -> None:
    """A key that was lost and found again: another was registered meanwhile."""
    old = PageKey()
    async with lesson.school.page("jia") as page:
        first = keyed(page, old)
        resume = (await first.enter(lesson))["lease"]["resume"]
        await first.attend(lesson)
    async with lesson.school.page("jia") as one, lesson.school.page("jia") as two:
        now, forger = keyed(one), keyed(two, old)
        resume = (await now.enter(lesson, "page-new", resume=resume))["lease"]["resume"]
        now.mono = 0
        forger.lease = dict(now.lease)
        assert (await forger.enter(lesson, "page-new", resume=resume))["code"] == "lease_held"
        right, now.key = now.key, old
        refused = await now.attend(lesson)
        assert (refused["code"], refused["data"]["why"]) == ("beat_refused", "signature")
        now.key = right
        assert (await now.attend(lesson))["ok"]
        refusals = dict(lesson.school.house.sockets.counts)
        assert refusals["beat", "beat_refused:signature"] == 1
    assert await lesson.earned("jia") <= lesson.wall_ms


async def test_a_copied_resume_with_a_copied_key_is_a_second_device(lesson: Arena) -> None:
    """A copied profile brings key, resume, even the nonce along; but the first page answers, so it is not the same."""
    async with lesson.school.page("jia") as one, lesson.school.page("jia") as two:
        page, copy = keyed(one), keyed(two)
        copy.key = page.key
        resume = (await page.enter(lesson))["lease"]["resume"]
        assert (await page.attend(lesson))["ok"]
        copy.lease = dict(page.lease)
        assert (await copy.enter(lesson, "page-copy", resume=resume))["code"] == "lease_held"
        assert (await copy.attend(lesson))["code"] == "lease_lost"
        assert (await page.attend(lesson))["ok"]
    assert await lesson.earned("jia") <= lesson.wall_ms


@pytest.mark.parametrize("signature", ["", "AAAA", "?", "A" * 86 + "=="])
async def test_a_beat_with_a_false_signature_earns_nothing(lesson: Arena, signature: str) -> None:
    async with lesson.school.page("jia") as page:
        client = keyed(page)
        await client.enter(lesson)
        for _ in range(6):
            lesson.pass_time(BEAT_MS)
            client.mono += BEAT_MS
            assert (await client.beat(signature=signature))["ok"] is (signature == "")
    assert await lesson.earned("jia") == (lesson.wall_ms if signature == "" else 0)
