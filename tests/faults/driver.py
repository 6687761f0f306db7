"""The process that is killed: the real service, spool, sealer, log and store, told what happens through a pipe.

It is forked from a process that has loaded the program already, so that many can be killed in little time. Each message
is one moment `{"now": ms, "join": [...], "beats": [...], "end": bool, "failing": bool}`; the clock is moved there and
everything in it happens at once. Each answer is `{"joined": [...]}` or `{"acked": [person, seq, nonce]}`, sent as soon
as it is known; `{"done": ms}` ends the moment. All the while tasks seal, so that a kill may hit anything.
"""

import asyncio
import random
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import structlog

from server.attendance.credit import Beat
from server.attendance.register import Register
from server.attendance.sealer import Sealer
from server.attendance.service import Attendance, Entry, Ports
from server.attendance.timeline import Phase, Transition
from server.core.actor import Actor, Role
from server.core.clock import ManualClock
from server.core.database import Database
from server.core.errors import DomainError
from server.core.signing import FileSigner
from server.core.tasks import Tasks
from server.core.vault import Vault
from server.ledger import records
from server.ledger.service import Ledger
from server.ledger.tiles import TileFolder
from server.ledger.witnesses import Known, Witnesses
from server.verify.notes import read_checkpoint, read_key, read_note
from tests.faults.broken import Broken

LESSON: Final = "1e55000000000001"
#: small, so that the spool is begun anew again and again
SPOOL_BYTES: Final = 4_000
SEED: Final = b"log.key.for.kills".ljust(32, b".")


async def yes(*_: object) -> bool:
    return True


async def nothing(*_: object) -> None:
    return None


class Driver:
    """One life of the server."""

    def __init__(self, pipe: Connection, first: dict[str, Any]) -> None:
        self.pipe = pipe
        folder = Path(first["folder"])
        self.clock = ManualClock(first["now"])
        self.transitions = [Transition(first["open"], Phase.OPEN)]
        self.tasks = Tasks()
        database = self.database = Database(first["store"])
        self.broken = Broken(random.Random(first["seed"]), first["die_at"])
        self.broken.install(database)
        self.register = Register(database, self.clock, self.tasks, folder / "spool")
        self.attendance = Attendance(self.register, Vault(b"k" * 32), Ports(yes, yes, nothing))
        self.sealer = Sealer(self.register)
        known = [Known(url, read_key(key)) for url, key in first["witnesses"]]
        asked = Witnesses(known, self.clock)
        self.log = Ledger(database, self.clock, TileFolder(folder / "log"), FileSigner(SEED), asked)

    async def start(self) -> None:
        self.register.read_spool()
        await self.set_timeline(ended=False)
        self.register.settle_spool()
        for name, work in (("seal", self.seal), ("log", self.log.round)):
            self.tasks.spawn(name, self.again(work))

    async def set_timeline(self, ended: bool) -> None:
        (await self.register.book(LESSON)).set_timeline(self.transitions, ended)

    async def again(self, work: Any) -> None:
        """As the jobs of the house: what fails is tried again."""
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001  told, and judged at the other end
                self.say({"failed": getattr(error, "code", repr(error))})
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.001)

    async def seal(self) -> None:
        await self.sealer.round()
        if self.register.spool.size > SPOOL_BYTES:
            self.register.shrink_spool()

    async def moment(self, told: dict[str, Any]) -> None:
        self.broken.failing = told.get("failing", False)
        self.clock.advance(max(told["now"] - self.clock.ms(), 0))
        if told.get("end"):
            self.transitions.append(Transition(told["now"], Phase.CLOSED))
            await self.set_timeline(ended=True)
        await asyncio.gather(*map(self.join, told.get("join", ())), *map(self.beat, told.get("beats", ())))
        done = {"done": told["now"], "finished": LESSON not in self.register.books}
        self.say({**done, "waiting": await self.waiting()} if told.get("ask") else done)

    async def waiting(self) -> int:
        """How much of what was said is in no published minute yet."""
        async with self.database.read() as connection:
            unsealed = len(await records.waiting(connection, 1 << 30))
            head, newest = await records.read_head(connection), await records.newest_checkpoint(connection)
        said = self.log.files.said()
        whole = head and said and newest == said and read_checkpoint(read_note(said).text).size == head.size
        return unsealed if whole else unsealed + 1

    async def join(self, told: dict[str, Any]) -> None:
        person = told["person"]
        entry = Entry(
            actor(person), LESSON, f"to {person}", "desktop", told["page"], told["resume"], "right", told["mono"]
        )
        try:
            one = await self.attendance.join(entry)
        except DomainError as error:
            self.say({"refused": [person, error.code, error.data]})
        else:
            self.say({"joined": [person, one.epoch, one.resume, one.seq, one.nonce]})

    async def beat(self, told: dict[str, Any]) -> None:
        person = told["person"]
        beat = Beat(told["seq"], told["nonce"], told["mono"], tuple((a, b) for a, b in told["spans"]))
        try:
            ack = await self.attendance.beat(actor(person), f"to {person}", LESSON, told["epoch"], beat)
        except DomainError as error:
            self.say({"refused": [person, error.code, error.data]})
        else:
            self.say({"acked": [person, ack.seq, ack.nonce]})

    def say(self, answer: dict[str, Any]) -> None:
        self.pipe.send(answer)


def actor(person: str) -> Actor:
    return Actor(person, Role.TRAINEE, f"s{person[1:]}")


async def live(pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    driver = Driver(pipe, await loop.run_in_executor(None, pipe.recv))
    await driver.start()
    driver.say({"started": True})
    while True:
        await driver.moment(await loop.run_in_executor(None, pipe.recv))


def run(pipe: Connection) -> None:
    """A life, until it is killed or nobody is at the other end."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    try:
        asyncio.run(live(pipe))
    except (EOFError, OSError):
        return
