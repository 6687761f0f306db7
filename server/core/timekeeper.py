"""Decides where ledger time starts and what it is brought nearer to.

It starts where this process's predecessor was, when that is not long ago on this machine: then no step of the wall
clock meanwhile moves a lesson. Else at the database's clock, or at what NTP servers say when the wall clock is near
it, or at the wall clock. Afterwards the first reference steers by slewing, and each is measured and told.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import orjson
import structlog

from server.core.capability import Job
from server.core.clock import CLOCK_OFF_MS, CLOCK_WRONG_MS, Machine, Readings, SystemClock
from server.core.database import Database

log = structlog.get_logger("time")

#: a predecessor that stopped longer ago than this is not continued: whoever mended the wall clock meanwhile is right
CONTINUE_S: Final = 300
REMEMBER_S: Final = 5.0
#: in the data folder: where the clock was
FILE: Final = "clock"
DATABASE_EVERY_S: Final = 30.0
#: the quickest of so many answers is taken
DATABASE_TRIES: Final = 3


class Reference(Protocol):
    """Somebody who knows the time. `trusted`: whoever answers is known, so that ledger time may start there."""

    name: str
    every_s: float
    trusted: bool

    async def measure(self, clock: SystemClock) -> float | None:
        """What it shows more than we, in milliseconds; None when it is silent."""
        ...


class DatabaseTime:
    """The database server's clock: what makes processes with different clocks agree."""

    name = "database"
    every_s = DATABASE_EVERY_S
    trusted = True

    def __init__(self, database: Database) -> None:
        self._database = database

    async def measure(self, clock: SystemClock) -> float | None:
        """Its clock against the middle of the question's round trip."""
        best: tuple[float, float] | None = None
        async with self._database.read() as connection:
            for _ in range(DATABASE_TRIES):
                sent_ms = clock.ns() / 1e6
                found = await connection.exec_driver_sql(
                    "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8"
                )
                shown, received_ms = float(found.scalar_one()), clock.ns() / 1e6
                asked = (received_ms - sent_ms, shown - (sent_ms + received_ms) / 2)
                best = asked if best is None else min(best, asked)
        return best[1] if best else None


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an earlier process wrote down last."""

    boot_id: str
    boot_ns: int
    ledger_ns: int


def read_remembered(file: Path) -> Remembered | None:
    """What is written there; None where nothing is, or nothing of use."""
    try:
        said: Any = orjson.loads(file.read_bytes())
        return Remembered(str(said["boot_id"]), int(said["boot_ns"]), int(said["ledger_ns"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def reached_ms(file: Path, readings: Readings | None = None) -> int:
    """Ledger time that whoever remembers there has reached by now; 0 when nobody does (for backups)."""
    left, here = read_remembered(file), readings or Machine()
    if left is None:
        return 0
    passed_ns = here.boot_ns() - left.boot_ns if left.boot_id == here.boot_id() else 0
    return (left.ledger_ns + (passed_ns if 0 <= passed_ns <= CONTINUE_S * 1_000_000_000 else 0)) // 1_000_000


def never_before(file: Path, ms: int) -> None:
    """Let whoever starts over this file start at `ms` or later, and continue nobody (for restored data)."""
    file.touch(mode=0o600)
    file.write_bytes(orjson.dumps({"boot_id": "", "boot_ns": 0, "ledger_ns": ms * 1_000_000}))


class TimeKeeper:
    """Starts a clock, steers it, and remembers where it was."""

    def __init__(self, clock: SystemClock, file: Path, references: Sequence[Reference]) -> None:
        self.clock = clock
        self.references = references
        self._file = file
        self._told: dict[str, str] = {}

    async def begin(self) -> None:
        """Choose the start; before anybody asks for the time."""
        left, readings = read_remembered(self._file), self.clock.readings
        continued = left is not None and left.boot_id == readings.boot_id()
        if left is not None and continued:
            passed_ns = readings.boot_ns() - left.boot_ns
            continued = 0 <= passed_ns <= CONTINUE_S * 1_000_000_000
            if continued:
                self.clock.start_at(left.ledger_ns + passed_ns)
        if self.references and not continued:
            offset_ms = await self._ask(self.references[0])
            if offset_ms is not None and self._follows(self.references[0], offset_ms):
                self.clock.start_at(self.clock.ns() + round(offset_ms * 1_000_000))
        if left is not None:
            self.clock.not_before(left.ledger_ns // 1_000_000)
        for reference in self.references:
            await self.measure(reference)
        self.remember()

    async def measure(self, reference: Reference) -> None:
        """Ask a reference, tell what is wrong, steer by it if it is the first."""
        offset_ms = await self._ask(reference)
        if offset_ms is None:
            return
        self.heard(reference.name, offset_ms)
        if reference is self.references[0] and self._follows(reference, offset_ms):
            self.clock.slew(offset_ms)

    def heard(self, name: str, offset_ms: float | None) -> None:
        """What somebody who is not asked by us shows more than we (witnesses); None: nothing any more."""
        self.clock.measured(name, offset_ms)
        if offset_ms is not None:
            self._tell(name, offset_ms)

    async def _ask(self, reference: Reference) -> float | None:
        try:
            return await reference.measure(self.clock)
        except Exception as error:  # noqa: BLE001  whatever ails it, the clock goes on
            log.warning("time_reference_failed", reference=reference.name, error=type(error).__name__)
            return None

    @staticmethod
    def _follows(reference: Reference, offset_ms: float) -> bool:
        """Nobody signs what NTP servers say: far from us they are told of, and not followed."""
        return reference.trusted or abs(offset_ms) <= CLOCK_WRONG_MS

    def remember(self) -> None:
        """Write down where the clock is, for a process that follows soon."""
        readings = self.clock.readings
        left = {"boot_id": readings.boot_id(), "boot_ns": readings.boot_ns(), "ledger_ns": self.clock.ns()}
        draft = self._file.with_suffix(f".{os.getpid()}.draft")  # several processes share the file
        try:
            draft.write_bytes(orjson.dumps(left))
            os.replace(draft, self._file)  # noqa: PTH105  no sync: it matters only while this machine stays up
        except OSError as error:
            log.warning("clock_not_remembered", reason=error.strerror)

    async def round(self) -> None:
        """Every REMEMBER_S: remember, and tell of a wall clock that was set."""
        self.remember()
        self._tell("wall", self.clock.wall_offset_ms)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """What is done again and again while we serve."""
        asked = (Job(f"time.{one.name}", one.every_s, partial(self.measure, one)) for one in self.references)
        return (Job("time.remember", REMEMBER_S, self.round), *asked)

    async def problem(self) -> str | None:
        """None, or a word for what is wrong (health)."""
        offset_ms = self.clock.offset_ms
        return "clock_wrong" if offset_ms is not None and abs(offset_ms) > CLOCK_WRONG_MS else None

    def _tell(self, name: str, offset_ms: float) -> None:
        """Log each change of how far off we are, once."""
        far = abs(offset_ms)
        word = "clock_wrong" if far > CLOCK_WRONG_MS else "clock_off" if far > CLOCK_OFF_MS else "clock_right"
        if self._told.get(name, "clock_right") != word:
            self._told[name] = word
            (log.info if word == "clock_right" else log.error)(word, reference=name, offset_ms=round(offset_ms))
