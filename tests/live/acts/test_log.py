"""The ordered log of a lesson's acts over a real store: order, answers, lost answers, restarts."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.cluster.owners import Alone
from server.core.database import Database, sqlite_url
from server.core.errors import DomainError
from server.live.acts import log as acts
from server.live.acts import records
from server.live.acts.log import ActLog, Lesson, changed_since
from server.live.acts.port import Act, Activity, Fact, Name, Scene, Who

L, JIA = "c" * 16, Who("a" * 16)


@dataclass
class Counted:
    total: int = 0
    by: dict[str, int] = field(default_factory=dict)


class Counting(Activity[Counted]):
    """Adds numbers up; 0 changes nothing, a negative one is refused, 13 is a fault of ours; at 100 it begins anew."""

    name = "counting"
    commands = ()

    def start(self) -> Counted:
        return Counted()

    def decide(self, state: Counted, command: int, scene: Scene, who: Who) -> Sequence[Fact]:
        if command == 13:
            raise RuntimeError("a fault of ours")
        if command < 0:
            raise DomainError("bad_request", field="", problem=f"at {state.total}")
        return [Fact("add", {"n": 1})] * command

    def due(self, state: Counted, now_ms: int) -> Sequence[Fact]:
        return [Fact("reset")] if state.total >= 100 else []

    def apply(self, state: Counted, act: Act) -> Iterable[str]:
        if act.kind == "reset":
            state.total = 0
            return ("total",)
        state.total += act.body["n"]
        state.by[act.actor_id] = state.by.get(act.actor_id, 0) + 1
        return ("total", act.actor_id)

    def keys(self, state: Counted) -> Iterable[str]:
        return ("total", *state.by)

    def view(self, state: Counted, key: str, desk: bool, name: Name) -> Any:
        return (key, state.total if key == "total" else state.by[key], name(key))


class Order(Counting):
    """Stands where the log looks for the order."""

    name = "order"


class Store:
    """A real store whose next transactions are counted, refused, or committed with the answer lost."""

    def __init__(self, database: Database) -> None:
        self.read = database.read
        self._database = database
        self.writes = 0
        self.lost: list[bool] = []
        self.gate: asyncio.Event | None = None
        self.begun = asyncio.Semaphore(0)

    @asynccontextmanager
    async def write(self, *names: str) -> AsyncIterator[AsyncConnection]:
        self.writes += 1
        self.begun.release()
        if self.gate is not None:
            await self.gate.wait()
        happened = self.lost.pop(0) if self.lost else None
        async with self._database.write(*names) as connection:
            yield connection
            if happened is False:
                raise DomainError("store_unavailable")
        if happened:
            raise DomainError("store_unavailable")


@dataclass
class Stand:
    store: Store
    told: list[Act] = field(default_factory=list)
    now_ms: int = 1_000

    def log(self) -> ActLog:
        made = ActLog(
            self.store,  # type: ignore[arg-type]  # a store whose answers get lost
            Alone(),
            (Order(), Counting()),
            lambda: self.now_ms,
            _phase,
            _names,
        )
        made.on_acts.append(self._hear)
        return made

    async def _hear(self, _lesson_id: str, happened: Sequence[Act]) -> None:
        self.told += happened

    async def stored(self) -> list[Act]:
        async with self.store.read() as connection:
            return await records.acts_of(connection, L)


async def _phase(_lesson_id: str) -> tuple[bool, bool]:
    return True, False


async def _names(ids: Iterable[str]) -> Mapping[str, str]:
    """As PostgreSQL has it."""
    if any("\0" in one for one in ids):
        raise DomainError("bad_request", reason="22021")
    return {one: f"name of {one[0]}" for one in ids}


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    database = Database(sqlite_url(tmp_path / "keshi.db"))
    await database.migrate()
    yield Stand(Store(database))
    await database.close()


async def _total(log: ActLog) -> int:
    found: int = await log.seen(L, lambda lesson: lesson.states["counting"].total)
    return found


async def test_commands_become_acts_in_order_and_are_numbered_without_holes(stand: Stand) -> None:
    log = stand.log()
    assert [await log.do(L, JIA, "counting", n) for n in (2, 0, 1)] == [2, 0, 3]
    assert [(act.seq, act.kind, act.actor_id) for act in await stand.stored()] == [
        (n, "add", JIA.person_id) for n in (1, 2, 3)
    ]
    assert stand.told == await stand.stored()


async def test_what_waits_together_is_written_together_and_each_gets_its_own_answer(stand: Stand) -> None:
    log, stand.store.gate = stand.log(), asyncio.Event()
    first = asyncio.create_task(log.do(L, JIA, "counting", 1))
    await stand.store.begun.acquire()
    others = [asyncio.create_task(log.do(L, Who(str(n)), "counting", n - 3)) for n in range(8)]
    await asyncio.sleep(0.05)
    stand.store.gate.set()
    done = await asyncio.gather(first, *others, return_exceptions=True)
    codes = [one.code if isinstance(one, DomainError) else one for one in done]
    assert codes == [1, "bad_request", "bad_request", "bad_request", 0, 2, 4, 7, 11]
    assert stand.store.writes == 2
    assert [act.seq for act in await stand.stored()] == list(range(1, 12))


async def test_whoever_names_what_is_no_person_refuses_nobody_else(stand: Stand) -> None:
    log = stand.log()
    done = await asyncio.gather(log.do(L, Who("\0"), "counting", 1), log.do(L, JIA, "counting", 1))
    assert list(done) == [1, 2]


async def test_a_fault_of_one_command_is_its_own(stand: Stand) -> None:
    log = stand.log()
    done = await asyncio.gather(*(log.do(L, JIA, "counting", n) for n in (1, 13, 2)), return_exceptions=True)
    assert [type(one) for one in done] == [int, RuntimeError, int]
    assert await _total(log) == 3


@pytest.mark.parametrize("happened", [True, False])
async def test_a_lost_answer_leaves_what_the_store_says(stand: Stand, happened: bool) -> None:
    log = stand.log()
    await log.do(L, JIA, "counting", 1)
    stand.store.lost = [happened]
    with pytest.raises(DomainError) as refused:
        await log.do(L, JIA, "counting", 2)
    assert refused.value.code == "store_unavailable"
    assert await _total(log) == (3 if happened else 1)
    assert await log.do(L, JIA, "counting", 1) == (4 if happened else 2)
    assert [act.seq for act in await stand.stored()] == list(range(1, 5 if happened else 3))


async def test_nobody_reads_what_is_not_committed(stand: Stand) -> None:
    log = stand.log()
    await log.do(L, JIA, "counting", 1)
    stand.store.gate, stand.store.lost = asyncio.Event(), [False]
    failing = asyncio.create_task(log.do(L, JIA, "counting", 5))
    for _ in range(2):
        await stand.store.begun.acquire()
    reading = asyncio.create_task(_total(log))
    await asyncio.sleep(0.02)
    stand.store.gate.set()
    assert await reading == 1
    with pytest.raises(DomainError):
        await failing


async def test_a_leader_that_is_cancelled_leaves_nobody_waiting(stand: Stand) -> None:
    log, stand.store.gate = stand.log(), asyncio.Event()
    leader = asyncio.create_task(log.do(L, JIA, "counting", 1))
    await stand.store.begun.acquire()
    follower = asyncio.create_task(log.do(L, JIA, "counting", 1))
    await asyncio.sleep(0)
    leader.cancel()
    stand.store.gate.set()
    assert await follower in (1, 2)
    assert await _total(log) == len(await stand.stored())


async def test_a_restart_and_another_owner_know_the_same(stand: Stand) -> None:
    log = stand.log()
    for n in (1, 4, 2):
        await log.do(L, JIA, "counting", n)

    def all_of(lesson: Lesson) -> Any:
        return log.views(lesson, log.everything(lesson), True), lesson.seq, list(lesson.changed.items())

    before = await log.seen(L, all_of)
    assert await stand.log().seen(L, all_of) == before
    log.lose(L)
    assert await log.seen(L, all_of) == before
    assert before[0]["counting"] == [("total", 7, ""), (JIA.person_id, 7, "name of a")]


async def test_what_changed_since_is_told_once_each_the_oldest_change_first(stand: Stand) -> None:
    log = stand.log()
    for who in ("x", "y", "x"):
        await log.do(L, Who(who), "counting", 1)
    since = [await log.seen(L, partial(changed_since, seq=n)) for n in (0, 1, 2, 3)]
    assert since == [
        [("counting", "y"), ("counting", "total"), ("counting", "x")],
        [("counting", "y"), ("counting", "total"), ("counting", "x")],
        [("counting", "total"), ("counting", "x")],
        [],
    ]


async def test_time_never_goes_back_in_a_lesson(stand: Stand) -> None:
    log = stand.log()
    await log.do(L, JIA, "counting", 1)
    stand.now_ms = 10
    await log.do(L, JIA, "counting", 1)
    assert [act.at_ms for act in await stand.stored()] == [1_000, 1_000]


async def test_what_is_due_happens_by_itself_in_nobodys_name(stand: Stand) -> None:
    log = stand.log()
    await log.do(L, JIA, "counting", 100)
    await log.tick()
    await log.tick()
    assert (await _total(log), [(act.kind, act.actor_id) for act in await stand.stored()][100:]) == (0, [("reset", "")])


async def test_more_than_fit_into_one_transaction_are_written_in_several(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "MOST_AT_ONCE", 3)
    log = stand.log()
    done = await asyncio.gather(*(log.do(L, JIA, "counting", 1) for _ in range(8)))
    assert done == list(range(1, 9))
    assert [act.seq for act in await stand.stored()] == list(range(1, 9))


async def test_a_lesson_that_nobody_asks_of_is_forgotten_and_found_again(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = stand.log()
    await log.do(L, JIA, "counting", 2)
    monkeypatch.setattr(acts, "IDLE_MS", -1)
    await log.tick()
    assert log._lessons == {}
    assert await _total(log) == 2
