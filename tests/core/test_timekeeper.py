"""Where ledger time starts after any end, what it follows, and that processes with different clocks agree."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from server.core.clock import CLOCK_WRONG_MS, SystemClock, is_wrong
from server.core.database import Database
from server.core.timekeeper import CONTINUE_S, FILE, DatabaseTime, Reference, TimeKeeper, never_before, reached_ms
from tests.core.machine import HOUR_S, NOON_NS, FakeMachine

NOON_MS = NOON_NS // 1_000_000


class Knows:
    """A reference that shows the true time, or a wrong one, or nothing."""

    every_s = 30.0

    def __init__(self, machine: FakeMachine, ahead_s: float | None = 0.0, trusted: bool = True) -> None:
        self.name = "database" if trusted else "ntp"
        self.trusted = trusted
        self.ahead_s = ahead_s
        self._true_ns = NOON_NS - machine.boot_ns()
        self._machine = machine

    async def measure(self, clock: SystemClock) -> float | None:
        """Against the machine's steady clock, as a second machine would show it."""
        if self.ahead_s is None:
            return None
        true_ns = self._true_ns + self._machine.boot_ns()
        return (true_ns - clock.ns()) / 1e6 + self.ahead_s * 1_000


class Broken(Knows):
    """One that fails in a way nobody thought of."""

    async def measure(self, clock: SystemClock) -> float | None:
        raise RuntimeError("no such column")


async def started(machine: FakeMachine, folder: Path, references: Sequence[Reference] = ()) -> TimeKeeper:
    """A process that starts now."""
    keeper = TimeKeeper(SystemClock(machine), folder / "clock", references)
    await keeper.begin()
    return keeper


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
async def test_a_wall_clock_set_between_two_processes_moves_nothing(tmp_path: Path, step_s: int) -> None:
    machine = FakeMachine()
    first = await started(machine, tmp_path)
    machine.go_on(100)
    await first.round()
    machine.set_wall(step_s)
    machine.go_on(7)
    second = await started(machine, tmp_path)
    assert second.clock.ms() == NOON_MS + 107_000
    machine.set_wall(-step_s)
    machine.go_on(1)
    assert second.clock.ms() == NOON_MS + 108_000


@pytest.mark.parametrize(("later_s", "continued"), [(CONTINUE_S, True), (CONTINUE_S + 1, False)])
async def test_who_mended_the_wall_clock_and_waited_is_believed(tmp_path: Path, later_s: int, continued: bool) -> None:
    assert CONTINUE_S == 300
    machine = FakeMachine()
    await started(machine, tmp_path)
    machine.set_wall(HOUR_S)
    machine.go_on(later_s)
    second = await started(machine, tmp_path)
    assert second.clock.ms() == NOON_MS + later_s * 1_000 + (0 if continued else HOUR_S * 1_000)


async def test_after_a_new_start_of_the_machine_time_is_never_before_the_last_written(tmp_path: Path) -> None:
    machine = FakeMachine()
    await started(machine, tmp_path)
    machine.reboot(30)
    assert (await started(machine, tmp_path)).clock.ms() == NOON_MS + 30_000
    machine.reboot(0)
    machine.set_wall(-HOUR_S)
    assert (await started(machine, tmp_path)).clock.ms() == NOON_MS + 30_000


async def test_what_was_slewed_is_not_lost_by_a_restart(tmp_path: Path) -> None:
    machine = FakeMachine()
    machine.set_wall(-10)
    first = await started(machine, tmp_path)
    first.references = (Knows(machine, 10.0),)
    await first.measure(first.references[0])
    machine.go_on(2_000)
    await first.round()
    assert (await started(machine, tmp_path)).clock.ns() == first.clock.ns()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"boot_id": "boot-1"}', b"\xff"])
async def test_a_damaged_memory_is_none(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "clock").write_bytes(damage)
    assert (await started(FakeMachine(), tmp_path)).clock.ms() == NOON_MS


async def test_a_full_disk_stops_no_clock(tmp_path: Path) -> None:
    keeper = TimeKeeper(SystemClock(FakeMachine()), tmp_path / "missing" / "clock", ())
    with capture_logs() as told:
        await keeper.begin()
    assert [line["event"] for line in told] == ["clock_not_remembered"]


@pytest.mark.parametrize("off_s", [HOUR_S, -HOUR_S, 12])
async def test_processes_with_different_clocks_start_at_the_databases(tmp_path: Path, off_s: int) -> None:
    machine = FakeMachine()
    reference = Knows(machine)
    right = await started(machine, tmp_path / "a", (reference,))
    machine.set_wall(off_s)
    wrong = await started(machine, tmp_path / "b", (reference,))
    assert abs(right.clock.ms() - wrong.clock.ms()) <= 1
    assert abs(wrong.clock.offset_ms or 0) <= 1
    assert await wrong.problem() is None


async def test_a_reference_that_is_stepped_is_followed_slowly_and_told(tmp_path: Path) -> None:
    machine = FakeMachine()
    reference = Knows(machine)
    keeper = await started(machine, tmp_path, (reference,))
    reference.ahead_s = HOUR_S
    with capture_logs() as told:
        for _ in range(3):
            await keeper.measure(reference)
    assert [(line["event"], line["reference"]) for line in told] == [("clock_wrong", "database")]
    assert await keeper.problem() == "clock_wrong"
    machine.go_on(1_000)
    assert keeper.clock.ms() == NOON_MS + 1_000_000 + 500
    reference.ahead_s = 0.0
    with capture_logs() as told:
        await keeper.measure(reference)
    assert [line["event"] for line in told] == ["clock_right"]
    machine.go_on(1_000)
    assert keeper.clock.ms() == NOON_MS + 2_000_000


@pytest.mark.parametrize(
    ("ahead_s", "word"), [(2.0, None), (2.1, "clock_off"), (30.0, "clock_off"), (30.1, "clock_wrong")]
)
async def test_more_than_two_seconds_are_told_and_more_than_thirty_open_no_lesson(
    tmp_path: Path, ahead_s: float, word: str | None
) -> None:
    machine = FakeMachine()
    keeper = await started(machine, tmp_path)
    with capture_logs() as told:
        keeper.references = (Knows(machine, ahead_s),)
        await keeper.measure(keeper.references[0])
    assert [line["event"] for line in told] == ([word] if word else [])
    assert await keeper.problem() == (word if word == "clock_wrong" else None)


@pytest.mark.parametrize(("ahead_s", "followed"), [(29.0, True), (31.0, False), (-HOUR_S, False)])
async def test_unsigned_time_is_followed_only_where_the_wall_clock_is_near(
    tmp_path: Path, ahead_s: float, followed: bool
) -> None:
    machine = FakeMachine()
    keeper = await started(machine, tmp_path, (Knows(machine, ahead_s, trusted=False),))
    assert keeper.clock.ms() == NOON_MS + (round(ahead_s * 1_000) if followed else 0)
    assert await keeper.problem() == (None if followed else "clock_wrong")
    machine.go_on(1_000)
    assert keeper.clock.ms() == NOON_MS + 1_000_000 + (round(ahead_s * 1_000) if followed else 0)


async def test_the_first_reference_steers_and_the_others_are_only_measured(tmp_path: Path) -> None:
    machine = FakeMachine()
    keeper = await started(machine, tmp_path, (Knows(machine), Knows(machine, 40.0, trusted=False)))
    machine.go_on(1_000)
    assert keeper.clock.ms() == NOON_MS + 1_000_000
    assert (await keeper.problem(), CLOCK_WRONG_MS) == ("clock_wrong", 30_000)


async def test_a_silent_or_broken_reference_stops_nothing(tmp_path: Path) -> None:
    machine = FakeMachine()
    keeper = await started(machine, tmp_path, (Knows(machine, None), Broken(machine)))
    assert (keeper.clock.ms(), keeper.clock.offset_ms, await keeper.problem()) == (NOON_MS, None, None)


async def test_a_wall_clock_that_was_set_is_told_once(tmp_path: Path) -> None:
    machine = FakeMachine()
    keeper = await started(machine, tmp_path)
    machine.set_wall(-HOUR_S)
    with capture_logs() as told:
        for _ in range(3):
            await keeper.round()
    assert [(line["event"], line["reference"]) for line in told] == [("clock_wrong", "wall")]
    assert await keeper.problem() is None  # lessons go on: ledger time did not move


async def test_everything_is_asked_again_and_again(tmp_path: Path) -> None:
    machine = FakeMachine()
    keeper = await started(machine, tmp_path, (Knows(machine),))
    assert {job.name: job.seconds for job in keeper.jobs} == {"time.remember": 5.0, "time.database": 30.0}
    for job in keeper.jobs:
        await job.work()


async def test_what_another_process_has_reached_is_known_while_it_may_live(tmp_path: Path) -> None:
    machine, file = FakeMachine(), tmp_path / FILE
    assert reached_ms(file, machine) == 0
    await started(machine, tmp_path)
    machine.set_wall(-HOUR_S)
    machine.go_on(CONTINUE_S)
    assert reached_ms(file, machine) == NOON_MS + CONTINUE_S * 1_000
    machine.go_on(1)  # it would have written again
    assert reached_ms(file, machine) == NOON_MS
    machine.reboot()
    assert reached_ms(file, machine) == NOON_MS


@pytest.mark.parametrize("wall_s", [-HOUR_S, HOUR_S])
async def test_over_restored_data_time_starts_at_the_wall_but_not_before_what_is_in_it(
    tmp_path: Path, wall_s: int
) -> None:
    machine = FakeMachine()
    never_before(tmp_path / FILE, NOON_MS)
    machine.set_wall(wall_s)
    assert (await started(machine, tmp_path)).clock.ms() == NOON_MS + max(wall_s, 0) * 1_000


# -- a real database server --------------------------------------------------------------------------


@pytest.mark.parametrize("off_s", [HOUR_S, -HOUR_S])
async def test_two_processes_over_postgresql_agree_whatever_their_clocks_show(
    postgres: str, tmp_path: Path, off_s: int
) -> None:
    class Off:
        """This machine with another wall clock."""

        def __init__(self, by_s: int) -> None:
            self._real, self._by_ns = SystemClock().readings, by_s * 1_000_000_000

        def wall_ns(self) -> int:
            return self._real.wall_ns() + self._by_ns

        def boot_ns(self) -> int:
            return self._real.boot_ns()

        def boot_id(self) -> str:
            return self._real.boot_id()

    database = Database(postgres)
    try:
        keepers = []
        for name, by_s in (("right", 0), ("wrong", off_s)):
            (tmp_path / name).mkdir()
            keeper = TimeKeeper(SystemClock(Off(by_s)), tmp_path / name / "clock", (DatabaseTime(database),))
            await keeper.begin()
            keepers.append(keeper)
        right, wrong = (keeper.clock.ns() for keeper in keepers)
        assert abs(right - wrong) < 500_000_000
        for keeper in keepers:
            await keeper.measure(keeper.references[0])
            assert abs(keeper.clock.offset_ms or 0) < 500
    finally:
        await database.close()


async def test_somebody_elses_clock_that_is_far_off_stops_lessons_until_it_is_silent(tmp_path: Path) -> None:
    keeper = await started(FakeMachine(), tmp_path)
    with capture_logs() as lines:
        for offset_ms in (1_000.0, 2_001.0, -30_001.0):
            keeper.heard("witness", offset_ms)
    assert [line["event"] for line in lines] == ["clock_off", "clock_wrong"]
    assert (is_wrong(keeper.clock), await keeper.problem()) == (True, "clock_wrong")
    keeper.heard("witness", None)
    assert (is_wrong(keeper.clock), keeper.clock.offset_ms) == (False, None)
