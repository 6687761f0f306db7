"""A trainee's page is asked, answers and is told how it stands; strips, hours and results follow."""

from pathlib import Path
from typing import Any

from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS
from tests.attendance.test_views import BEAT_MS, _get, _seal
from tests.school import Page, School, school

RULE = {"limit_ms": 240_000, "answer_ms": 60_000}
SCHEME = {"class_hour_ms": 60_000, "challenges": RULE}
#: nobody answers sooner who reads
READ_MS = 2_000
#: whoever was here so long was asked
ASKED_MS = 130_000


async def ask(served: School) -> None:
    (work,) = (job.work for one in served.house.capabilities for job in one.jobs if job.name == "attendance.challenges")
    await work()


class Seat:
    """jia's page: in front all the time."""

    def __init__(self, served: School, page: Page) -> None:
        self.served, self.page, self.mono = served, page, 5_000
        self.lease: dict[str, Any] = {}

    def shown(self, payload: Any) -> bool:
        """What a real page does with what it is told: show it, and say so."""
        self.page.told.append(("challenge:state", payload))
        return True

    async def attend(self, ms: int) -> None:
        self.lease = self.lease or (await self.page.join())["lease"]
        for _ in range(ms // BEAT_MS):
            self.served.clock.advance(BEAT_MS)
            spans = [[self.mono, self.mono + BEAT_MS]]
            self.mono += BEAT_MS
            seq, nonce = self.lease["seq"] + 1, self.lease["nonce"]
            answer = await self.page.call("beat", epoch=self.epoch, seq=seq, nonce=nonce, mono=self.mono, spans=spans)
            self.lease.update(seq=answer["seq"], nonce=answer["nonce"])
            await ask(self.served)

    @property
    def epoch(self) -> int:
        return int(self.lease["epoch"])

    async def stands(self) -> dict[str, Any]:
        """What the page was told last."""
        return dict(self.page.heard("challenge:state")[-1])

    async def say(self, state: dict[str, Any], answer: str = "") -> dict[str, Any]:
        self.served.clock.advance(READ_MS)
        said = answer or state["prompt"]["text"].split()[-1]
        return await self.page.call("challenge:answer", epoch=self.epoch, number=state["number"], answer=said)


async def check_the_end(served: School) -> None:
    """All is sealed: what was voided is refused with its reason, the rest counts."""
    await ask(served)
    served.clock.advance(MINUTE_MS + SEAL_AFTER_MS)
    await _seal(served)
    (own,) = (await _get(served, "jia", f"lessons/{served.lesson_id}/strips"))["rows"]
    totals = own["totals"]
    refused = sum(one["ms"] for one in totals["refused"])
    assert {one["code"] for one in totals["refused"]} == {"identity_failed"}
    assert refused >= ASKED_MS - BEAT_MS + 20_000
    assert totals["credit_ms"] == totals["confirmed_ms"] + refused
    assert (totals["pending_ms"], totals["state"]) == (0, "confirmed")
    hours = (await _get(served, "staff", f"classes/{served.class_id}/hours"))["rows"]
    mine = next(row["hours"] for row in hours if row["person_id"] == served.ids["jia"])
    assert mine["class_hours"] == totals["confirmed_ms"] // 60_000
    (result, _) = await served.house.exchange._attendance.results(served.class_id)
    assert (result.tally.asked, result.tally.passed, result.tally.failed) == (3, 2, 1)


async def test_an_answer_confirms_a_wrong_one_voids_until_the_trainee_is_verified_again(tmp_path: Path) -> None:
    async with school(tmp_path, scheme=SCHEME) as served:
        async with served.page("teacher") as teacher, served.page("jia") as trainee:
            await teacher.join()
            assert (await teacher.call("lesson:start"))["ok"]
            seat = Seat(served, trainee)
            trainee.client.on("challenge:state", seat.shown)
            await seat.attend(ASKED_MS)
            first = await seat.stands()
            assert (first["state"], first["number"], first["reason"]) == ("asked", 1, None)
            assert (await seat.say(first))["state"] == "clear"
            (jia, _) = (await _get(served, "staff", f"lessons/{served.lesson_id}/strips"))["rows"]
            confirmed = jia["totals"]["credit_ms"] - jia["totals"]["pending_ms"]
            assert 0 < confirmed <= ASKED_MS
            await seat.attend(ASKED_MS)
            second = await seat.stands()
            assert (second["state"], second["number"]) == ("asked", 2)
            wrong = await seat.say(second, "no")
            assert (wrong["state"], wrong["reason"]) == ("blocked", "identity_failed")
            early = await trainee.call("challenge:verify", epoch=seat.epoch)
            assert (early["ok"], early["code"]) == (False, "challenge_too_soon")
            await seat.attend(20_000)
            again = await trainee.call("challenge:verify", epoch=seat.epoch)
            assert (again["state"], again["number"]) == ("asked", 3)
            assert (await seat.say(again))["state"] == "clear"
            await seat.attend(60_000)
            await teacher.call("lesson:end")
        await check_the_end(served)
