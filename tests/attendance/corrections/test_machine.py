"""Any history of corrections keeps every minute in its bounds, balances, is applied once and can be undone (I9)."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, event, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from hypothesis.strategies import integers, sampled_from

from server.attendance.audit import differences
from server.attendance.corrections import records, rules
from server.attendance.minutes import MINUTE_MS
from server.core.clock import ManualClock
from tests.attendance.corrections.test_service import slots_of, taught
from tests.school import School, school

#: minutes of the lesson; jia was hidden in the second, yi never came
MINUTES: Final = 3
Counts = dict[tuple[str, int], int]
#: each refusal that a wish may meet, and none else
REFUSALS: Final = {
    "correction_empty", "correction_stale", "correction_decided", "correction_not_approved", "second_person_needed",
}  # fmt: skip


class Machine(RuleBasedStateMachine):
    """Staff and administrator propose and decide, a regulator objects; what counts is looked at after each step."""

    template: Path
    slots: tuple[int, ...]
    now: int
    lived: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="keshi-test-"))
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.known: list[str] = []
        #: what counted before an approval, and the approvals since
        self.before: dict[str, Counts] = {}
        #: a proposal that undoes another, and how many entries there were when that one was the newest
        self.undoes: dict[str, tuple[str, int]] = {}
        self.entries = 0
        self.counts: Counts = {}
        self.recorded: Counts = {}
        self.served: School
        self.people: dict[str, ClientSession]

    def run_async(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        async def make() -> None:
            shutil.copytree(self.template, self.folder / "school")
            self.served = await self.stack.enter_async_context(school(self.folder / "school", ManualClock(self.now)))
            self.people = {
                who: await self.stack.enter_async_context(self.served.http(who))
                for who in ("staff", "admin", "regulator")
            }
            self.recorded = await self.cells("credit_ms")
            self.counts = await self.cells("counts")

        self.run_async(make())

    async def ask(self, who: str, method: str, path: str, body: Any = None) -> tuple[bool, Any]:
        async with self.people[who].request(method, f"/api/v1/{path}", json=body) as answer:
            said = await answer.json()
            if answer.status >= 400:
                assert said["code"] in REFUSALS, said
                event(f"refused: {said['code']}")
            return answer.status < 400, said

    async def cells(self, what: str) -> Counts:
        """Of every trainee and minute: what was recorded, was delivered, or counts."""
        _, strips = await self.ask("staff", "GET", f"lessons/{self.served.lesson_id}/strips")
        found: Counts = {}
        for row in strips["rows"]:
            for cell in row["cells"]:
                delivered = cell["credit_ms"] + sum(reason["ms"] for reason in cell["reasons"])
                corrected = cell["corrected_ms"]
                value = {
                    "credit_ms": cell["credit_ms"],
                    "delivered": delivered,
                    "counts": cell["credit_ms"] if corrected is None else corrected,
                }[what]
                found[row["person_id"], cell["slot"]] = value
        return found

    async def to_regulator(self) -> int:
        """What the institution's account gave and took, as the regulator sees it."""
        _, queue = await self.ask("regulator", "GET", "corrections")
        return sum(rate["given_ms"] - rate["taken_ms"] for rate in queue["rates"])

    @rule(
        who=sampled_from(["staff", "admin"]),
        whom=sampled_from(["jia", "yi", None]),
        measure=sampled_from(["full", "full", "none", "fault"]),
        first=integers(0, MINUTES - 1),
        more=integers(0, MINUTES - 1),
        at_once=sampled_from([True, True, False]),
    )
    def propose(self, who: str, whom: str | None, measure: str, first: int, more: int, at_once: bool) -> None:
        async def work() -> None:
            wish = {
                "person_id": self.served.ids[whom] if whom else None,
                "first_slot": self.slots[first],
                "last_slot": self.slots[min(first + more, MINUTES - 1)],
                "measure": measure,
                "text": "讲师证明",
                "appeal_id": None,
            }
            done, said = await self.ask(who, "POST", f"lessons/{self.served.lesson_id}/corrections", wish)
            if done:
                self.known.append(said["id"])
            if done and at_once:
                await self._decide("admin" if who == "staff" else "staff", said["id"], "approved")

        self.run_async(work())

    @precondition(lambda self: self.known)
    @rule(
        who=sampled_from(["staff", "admin"]), pick=integers(0, 99), verdict=sampled_from(["approved"] * 4 + ["refused"])
    )
    def decide(self, who: str, pick: int, verdict: str) -> None:
        self.run_async(self._decide(who, self.known[pick % len(self.known)], verdict))

    async def _decide(self, who: str, one: str, verdict: str) -> None:
        """Twice: the second time nothing may happen any more."""
        body = {"verdict": verdict, "text": "已核对"}
        held = await self.cells("counts")
        done, _ = await self.ask(who, "POST", f"corrections/{one}/decide", body)
        after = await self.cells("counts")
        if not done:
            assert after == held
            return
        if verdict == "approved":
            if self.undoes.get(one, ("", -1))[1] == self.entries:
                assert after == self.before[self.undoes[one][0]], "not undone"
                self.lived.append("undone")
            self.entries += 1
            self.before[one] = held
            self.lived.append("approved")
        again, _ = await self.ask(who, "POST", f"corrections/{one}/decide", body)
        assert not again
        assert after == await self.cells("counts"), "it was applied twice"

    @precondition(lambda self: self.before)
    @rule(who=sampled_from(["staff", "admin"]), pick=integers(0, 99))
    def reverse(self, who: str, pick: int) -> None:
        async def work() -> None:
            one = list(self.before)[pick % len(self.before)]
            done, said = await self.ask(who, "POST", f"corrections/{one}/reverse", {"text": "误操作"})
            if done:
                self.known.append(said["id"])
                newest = one == list(self.before)[-1] and self.entries == len(self.before)
                self.undoes[said["id"]] = (one, self.entries if newest else -1)
                self.served.clock.advance(MINUTE_MS)  # the same minute is changed once in a minute
                await self._decide("admin" if who == "staff" else "staff", said["id"], "approved")

        self.run_async(work())

    @precondition(lambda self: self.before)
    @rule(pick=integers(0, 99))
    def object(self, pick: int) -> None:
        async def work() -> None:
            one = list(self.before)[pick % len(self.before)]
            last = one == list(self.before)[-1] and self.entries == len(self.before)
            done, _ = await self.ask("regulator", "POST", f"corrections/{one}/object", {"text": "无依据"})
            if done:
                if last:
                    assert await self.cells("counts") == self.before[one], "not undone by the objection"
                self.entries += 1
                self.lived.append("objected")

        self.run_async(work())

    @rule()
    def a_minute_passes(self) -> None:
        self.served.clock.advance(MINUTE_MS)

    @invariant()
    def minutes_have_bounds_sums_are_told_and_a_replay_gives_the_same(self) -> None:
        if not hasattr(self, "people"):
            return

        async def look() -> None:
            assert await self.cells("credit_ms") == self.recorded, "what was recorded changed"
            delivered, counts = await self.cells("delivered"), await self.cells("counts")
            for key, ms in counts.items():
                assert 0 <= ms <= delivered[key] <= MINUTE_MS
            assert await self.to_regulator() == sum(counts.values()) - sum(self.recorded.values())
            async with self.served.house.store.database.read() as connection:
                entries = await records.entries_of(connection, self.served.lesson_id)
            assert len(entries) == self.entries
            assert self.recorded | rules.replay(entries) == counts
            assert all(sum(one.ms for one in rules.postings("school", entry)) == 0 for entry in entries)

        self.run_async(look())

    def teardown(self) -> None:
        async def close() -> None:
            try:
                if hasattr(self, "served"):
                    assert [one async for one in differences(self.served.house.store.database)] == []
            finally:
                await self.stack.aclose()

        try:
            self.run_async(close())
        finally:
            self.runner.close()
            shutil.rmtree(self.folder, ignore_errors=True)


def play(folder: Path, examples: int, steps: int) -> list[str]:
    """One lesson is taught; each history begins with a copy of it."""

    async def teach() -> tuple[tuple[int, ...], int]:
        async with taught(folder) as served:
            return tuple((await slots_of(served))[:MINUTES]), served.clock.ms()

    slots, now = asyncio.run(teach())
    lived: list[str] = []
    kept = {"template": folder, "slots": slots, "now": now + MINUTE_MS, "lived": lived}
    run_state_machine_as_test(
        type("Machine", (Machine,), kept),
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    return lived


@pytest.mark.timeout(300)
def test_any_history_of_corrections(tmp_path: Path) -> None:
    lived = play(tmp_path / "school", examples=6, steps=30)
    print({what: lived.count(what) for what in set(lived)})
    assert lived.count("approved") > 6


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_any_history_of_corrections_at_length(tmp_path: Path) -> None:
    lived = play(tmp_path / "school", examples=60, steps=50)
    print({what: lived.count(what) for what in set(lived)})
    assert {"approved", "undone", "objected"} <= set(lived)
