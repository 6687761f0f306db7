"""The process that is killed: the real service, spool, sealer and store, told what happens by lines on its input.

    python -m tests.faults.driver FOLDER [DATABASE]

Each input line is one moment `{"now": ms, "join": [...], "beats": [...], "end": bool}`; the clock is moved there and
everything in it happens at once. Each answer line is `{"joined": {...}}` or `{"acked": [person, seq, nonce]}`,
written as soon as it is known; `{"done": ms}` ends the moment. All the while a task seals, so that a kill may hit
anything.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

import orjson

from server.attendance.credit import Beat
from server.attendance.register import Register
from server.attendance.sealer import Sealer
from server.attendance.service import Attendance, Entry, Ports
from server.attendance.timeline import Phase, Transition
from server.core.actor import Actor, Role
from server.core.clock import ManualClock
from server.core.database import Database, sqlite_url
from server.core.errors import DomainError
from server.core.tasks import Tasks
from server.core.vault import Vault

LESSON = "1e55000000000001"
#: small, so that the spool is begun anew again and again
SPOOL_BYTES = 4_000


def say(answer: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
    sys.stdout.buffer.flush()


async def yes(*_: object) -> bool:
    return True


async def nothing(*_: object) -> None:
    return None


class Driver:
    """One life of the server."""

    def __init__(self, folder: Path, url: str, first: dict[str, Any]) -> None:
        self.clock = ManualClock(first["now"])
        self.transitions = [Transition(first["open"], Phase.OPEN)]
        self.tasks = Tasks()
        database = Database(url)
        self.register = Register(database, self.clock, self.tasks, folder / "spool")
        self.attendance = Attendance(self.register, Vault(b"k" * 32), Ports(yes, yes, nothing))
        self.sealer = Sealer(self.register)

    async def start(self) -> None:
        self.register.read_spool()
        await self.set_timeline(ended=False)
        self.register.settle_spool()
        self.tasks.spawn("seal", self.seal())

    async def set_timeline(self, ended: bool) -> None:
        (await self.register.book(LESSON)).set_timeline(self.transitions, ended)

    async def seal(self) -> None:
        while True:
            await self.sealer.round()
            if self.register.spool.size > SPOOL_BYTES:
                self.register.shrink_spool()
            await asyncio.sleep(0.001)

    async def moment(self, told: dict[str, Any]) -> None:
        self.clock.advance(max(told["now"] - self.clock.ms(), 0))
        if told.get("end"):
            self.transitions.append(Transition(told["now"], Phase.CLOSED))
            await self.set_timeline(ended=True)
        await asyncio.gather(*map(self.join, told.get("join", ())), *map(self.beat, told.get("beats", ())))
        say({"done": told["now"], "finished": LESSON not in self.register.books})

    async def join(self, told: dict[str, Any]) -> None:
        person = told["person"]
        entry = Entry(
            actor(person), LESSON, f"to {person}", "desktop", told["page"], told["resume"], "right", told["mono"]
        )
        one = await self.attendance.join(entry)
        say({"joined": [person, one.epoch, one.resume, one.seq, one.nonce]})

    async def beat(self, told: dict[str, Any]) -> None:
        person = told["person"]
        beat = Beat(told["seq"], told["nonce"], told["mono"], tuple((a, b) for a, b in told["spans"]))
        try:
            ack = await self.attendance.beat(actor(person), f"to {person}", LESSON, told["epoch"], beat)
        except DomainError as error:
            say({"refused": [person, error.code, error.data]})
        else:
            say({"acked": [person, ack.seq, ack.nonce]})


def actor(person: str) -> Actor:
    return Actor(person, Role.TRAINEE, f"s{person[1:]}")


async def main(folder: Path, url: str) -> None:
    loop = asyncio.get_running_loop()
    driver: Driver | None = None
    while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        told = orjson.loads(line)
        if driver is None:
            driver = Driver(folder, url, told)
            await driver.start()
        await driver.moment(told)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    asyncio.run(main(place, sys.argv[2] if len(sys.argv) > 2 else sqlite_url(place / "keshi.db")))
