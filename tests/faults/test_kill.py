"""The server is killed, stopped and starved at random moments: what was acknowledged is sealed once, in one history.

I12, and the log's promise: each life of the server ends by SIGKILL, at a moment, in the middle of a call, while it is
stopped, after writes that failed, on a full disk, or after its database was stopped.
"""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from server.attendance.intervals import subtract, total
from tests.faults.classroom import PEOPLE, Classroom, Life, later, sealed
from tests.faults.disk import Disk, small_disk
from tests.faults.history import Seen, check_history, witnessed
from tests.servers import Postgres
from tests.stores import postgres_copy, sqlite_copy

MOMENTS_A_LIFE: Final = 60
#: a life of which the end is not at a random moment
FEW: Final = 12
#: for so many moments in a row nothing can be stored; less than a hole that costs a page something
TROUBLED: Final = 3
#: what a server says when it cannot store
STORELESS: Final = {"disk_full", "store_unavailable"}


@dataclass
class Faults:
    """A classroom and what is done to it."""

    room: Classroom
    disk: Disk
    postgres: Postgres | None
    seen: Seen
    blows: Counter[str] = field(default_factory=Counter)

    def strike(self, blow: str) -> None:
        """One life of the server, to its end."""
        self.blows[blow] += 1
        kinds: dict[str, Callable[[], None]] = {
            "SIGKILL": self.at_a_moment,
            "SIGSTOP": lambda: self.at_a_moment(stops=True),
            "in a call": self.in_a_call,
            "failed writes": lambda: self.in_trouble(self.failing),
            "full disk": lambda: self.in_trouble(self.full),
            "database stopped": lambda: self.in_trouble(self.storeless),
        }
        kinds[blow]()
        self.seen.look()

    def at_a_moment(self, stops: bool = False) -> None:
        """Whatever it does; with `stops` it stands still first, and dies so or some time after it went on."""
        with self.life() as life:
            steps = [(lambda: life.signal(signal.SIGKILL), 0.0)]
            if stops:
                goes_on = self.room.chance.random() < 0.5
                pause_s = self.room.chance.uniform(0.01, 0.1)
                steps = [(lambda: life.signal(signal.SIGSTOP), pause_s), *steps]
                if goes_on:
                    steps.insert(1, (lambda: life.signal(signal.SIGCONT), self.room.chance.uniform(0.0, 0.1)))
            killer = later(self.room.chance.uniform(0.0, 0.3), *steps)
            self.until_gone(life, MOMENTS_A_LIFE)
            killer.join()

    def in_a_call(self) -> None:
        """Before, in or after one of its own writes, syncs, renames or commits."""
        try:
            with self.life(self.room.chance.randint(1, 150)) as life:
                self.until_gone(life, MOMENTS_A_LIFE)
        except EOFError:
            return  # it died before it was ready

    def in_trouble(self, trouble: Callable[[Life], None]) -> None:
        """Nothing can be stored for a while; it lives through that, and is killed a little later."""
        with self.life() as life:
            for _ in range(self.room.chance.randint(1, FEW)):
                self.room.moment(life)
            trouble(life)
            for _ in range(self.room.chance.randint(0, FEW)):
                self.room.moment(life)

    def failing(self, life: Life) -> None:
        for _ in range(TROUBLED):
            self.room.moment(life, failing=True)

    def full(self, life: Life) -> None:
        with self.disk.full(life.pid):
            for _ in range(TROUBLED):
                self.room.moment(life)

    def storeless(self, life: Life) -> None:
        """Beats go on without the database."""
        assert self.postgres is not None
        self.postgres.stop()
        try:
            for _ in range(TROUBLED):
                self.room.moment(life)
        finally:
            self.postgres.start()

    def until_gone(self, life: Life, moments: int) -> None:
        try:
            for _ in range(moments):
                self.room.moment(life)
        except EOFError:
            return

    @contextmanager
    def life(self, die_at: int | None = None) -> Iterator[Life]:
        made = self.room.begin(die_at)
        try:
            yield made
        finally:
            made.end()

    def check(self) -> str:
        """The lesson ends and is sealed; compare. Returns what to print."""
        with self.life() as life:
            for _ in range(FEW):
                self.room.moment(life)
            self.room.finish(life)
        self.seen.look()
        slots, found = asyncio.run(sealed(self.room.at["store"]))
        promised = sum(total(client.acked) for client in self.room.all())
        assert set(self.room.refusals) <= STORELESS
        assert set(self.room.failures) <= STORELESS
        assert slots == list(range(slots[0], slots[0] + len(slots))), "a minute is missing or sealed twice"
        for client in self.room.all():
            got = found.get(client.person, ())
            assert subtract(client.acked, got) == (), "acknowledged, but not sealed"
            assert subtract(got, client.claimed) == (), "sealed, but never said"
        assert self.room.acks > sum(self.blows.values()) * PEOPLE
        checkpoints, leaves = asyncio.run(check_history(self.room, self.seen))
        blows = ", ".join(f"{name} {count}" for name, count in sorted(self.blows.items()))
        return (
            f"kills: {sum(self.blows.values())} ({blows}); acknowledged beats: {self.room.acks}, acknowledged: "
            f"{promised} ms, sealed: {sum(map(total, found.values()))} ms, minutes: {len(slots)}, refused beats: "
            f"{sum(self.room.refusals.values())}; checkpoints: {checkpoints} of {leaves} leaves, one history"
        )


#: of a hundred kills
MIXED: Final = {"SIGKILL": 40, "SIGSTOP": 20, "in a call": 20, "failed writes": 12, "full disk": 8}
WITH_POSTGRES: Final = {"SIGKILL": 40, "SIGSTOP": 20, "in a call": 16, "failed writes": 12, "database stopped": 12}


@contextmanager
def faults(store: str, seed: int, folder: Path, postgres: Postgres | None, template: Path | str) -> Iterator[Faults]:
    """A classroom over a store of its own, on a disk that is easily filled."""
    with small_disk(folder / "disk") as disk:
        copy = sqlite_copy(Path(template), disk.folder) if postgres is None else postgres_copy(postgres, str(template))
        with copy as url:
            room = Classroom({"folder": str(disk.folder), "store": url}, random.Random(f"{store} {seed}"))
            with witnessed(room, folder / "witness") as seen:
                yield Faults(room, disk, postgres, seen)


def play(made: Faults, blows: dict[str, int]) -> None:
    """Strike so often with each, in any order; then compare."""
    order = [name for name, count in blows.items() for _ in range(count)]
    made.room.chance.shuffle(order)
    for blow in order:
        made.strike(blow)
    print(made.check())


@pytest.mark.timeout(300)
def test_what_was_acknowledged_is_sealed_once_after_20_kills(tmp_path: Path, blank: Path) -> None:
    with faults("sqlite", 10, tmp_path, None, blank) as made:
        play(made, {"SIGKILL": 6, "SIGSTOP": 4, "in a call": 6, "failed writes": 2, "full disk": 2})


@pytest.mark.timeout(300)
def test_what_was_acknowledged_is_sealed_once_after_10_kills_over_postgres(
    tmp_path: Path, postgres_server: Postgres, blank_postgres: str
) -> None:
    with faults("postgres", 10, tmp_path, postgres_server, blank_postgres) as made:
        play(made, {"SIGKILL": 3, "SIGSTOP": 2, "in a call": 3, "failed writes": 1, "database stopped": 1})


@pytest.mark.long
@pytest.mark.timeout(1_500)
@pytest.mark.parametrize("seed", range(6))
def test_what_was_acknowledged_is_sealed_once_after_600_kills(tmp_path: Path, blank: Path, seed: int) -> None:
    with faults("sqlite", seed, tmp_path, None, blank) as made:
        play(made, MIXED)


@pytest.mark.long
@pytest.mark.timeout(1_500)
@pytest.mark.parametrize("seed", range(4))
def test_what_was_acknowledged_is_sealed_once_after_400_kills_over_postgres(
    tmp_path: Path, postgres_server: Postgres, blank_postgres: str, seed: int
) -> None:
    with faults("postgres", seed, tmp_path, postgres_server, blank_postgres) as made:
        play(made, WITH_POSTGRES)
