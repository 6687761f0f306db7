"""A small world for the tests of attendance: the real service, store, spool and sealer under a clock moved by hand."""

import asyncio
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

from server.attendance import records
from server.attendance.beats import Acknowledged
from server.attendance.book import LessonBook
from server.attendance.challenges import records as challenge_records
from server.attendance.challenges.lesson import ChallengeState
from server.attendance.challenges.rules import Event
from server.attendance.challenges.service import Challenges
from server.attendance.challenges.service import Ports as ChallengePorts
from server.attendance.credit import Attended, Beat
from server.attendance.intervals import Intervals, union
from server.attendance.lease import End
from server.attendance.minutes import MINUTE_MS
from server.attendance.pages.service import Attests
from server.attendance.register import Holder, Register
from server.attendance.sealer import Sealer
from server.attendance.service import Attendance, Entry, Granted, Ports
from server.attendance.timeline import Phase, Transition
from server.core.actor import Actor, Role
from server.core.clock import ManualClock
from server.core.database import Database, sqlite_url
from server.core.tasks import Tasks
from server.core.vault import Vault
from server.training.rules import AttentionRule, ChallengeRule
from server.verify.pages import first_link, head_text, join_text, next_link
from tests.attendance.challenges.scripted import Scripted
from tests.attendance.page_key import PageKey

#: a whole minute, far from 1970
T0: Final = 29_900_000 * MINUTE_MS
LESSON: Final = "1e55000000000001"
PASSWORD: Final = "right"
BEAT_EVERY_MS: Final = 10_000


def person_id(number: int) -> str:
    """The id of the nth trainee."""
    return f"{number:016x}"


def trainee(number: int, session: str = "") -> Actor:
    """The nth trainee, signed in."""
    return Actor(person_id(number), Role.TRAINEE, session or f"session{number}", "i")


def make_template(folder: Path) -> Path:
    """A migrated, empty store, to be copied."""

    async def make() -> None:
        database = Database(sqlite_url(folder / "template.db"))
        await database.migrate()
        async with database.read() as connection:
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        await database.close()

    asyncio.run(make())
    return folder / "template.db"


@dataclass
class World:
    """One server: `folder` holds its store and spool, `alive` the connections that still answer."""

    folder: Path
    clock: ManualClock
    database: Database
    alive: set[str] = field(default_factory=set)
    told: list[tuple[str, End]] = field(default_factory=list)
    transitions: tuple[Transition, ...] = (Transition(T0, Phase.OPEN),)
    ended: bool = False
    connections: int = 0
    #: how trainees are challenged, whose page shows nothing of it, and what each connection was shown last
    rule: ChallengeRule | None = None
    #: what the scheme asks of pages in front
    attention: AttentionRule | None = None
    deaf: set[str] = field(default_factory=set)
    shown: dict[str, ChallengeState] = field(default_factory=dict)
    attests: Attests | None = None
    #: the clock that goes on while the process stands still
    boot_ms: int = 0

    @classmethod
    async def make(
        cls,
        folder: Path,
        template: Path | str,
        start_ms: int = T0,
        rule: ChallengeRule | None = None,
        attention: AttentionRule | None = None,
    ) -> "World":
        """A new server with an open lesson, on a copy of a migrated file or on the empty store of a URL."""
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(template, Path):
            shutil.copyfile(template, folder / "keshi.db")
            template = sqlite_url(folder / "keshi.db")
        world = cls(folder, ManualClock(start_ms), Database(template), rule=rule, attention=attention)
        await world.start()
        await world.challenges.begin(LESSON)
        return world

    async def start(self) -> None:
        """Like the service's start: read the spool, load what it needs, begin a new one."""
        self.tasks = Tasks()
        self.register = Register(
            self.database, self.clock, self.tasks, self.folder / "spool", boot=lambda: self.boot_ms
        )
        self.register.attention_of = self._attention
        ports = Ports(self._verify, self._answers, self._lost, self.attests)
        self.attendance = Attendance(self.register, Vault(b"k" * 32), ports)
        self.sealer = Sealer(self.register)
        asked = ChallengePorts(self._rule, self._show, self.attendance.holder_of)
        self.challenges = Challenges(self.register, Vault(b"k" * 32), asked, Scripted())
        for lesson_id in sorted(self.register.read_spool() | {LESSON}):
            book = await self.register.book(lesson_id)
            if lesson_id == LESSON:
                book.set_timeline(self.transitions, self.ended)
        self.register.settle_spool()

    async def crash(self) -> None:
        """The process dies between two steps; nothing is said to anybody. The next one starts at once."""
        self.register.spool.close()
        self.alive.clear()
        await self.start()

    async def close(self) -> None:
        """The end of the test."""
        await self.tasks.close()
        self.register.spool.close()
        await self.database.close()

    def now(self) -> int:
        return self.clock.ms()

    async def book(self) -> LessonBook:
        """The lesson's book, with its timeline as `live` pushes it."""
        book = await self.register.book(LESSON)
        book.set_timeline(self.transitions, self.ended)
        return book

    async def set_timeline(self, transitions: Iterable[Transition], ended: bool = False) -> None:
        """What `live` does after each event."""
        self.transitions, self.ended = tuple(transitions), ended
        await self.book()

    async def end(self) -> None:
        """The lesson ends now."""
        await self.set_timeline([*self.transitions, Transition(self.now(), Phase.CLOSED)], ended=True)

    async def challenge(self) -> None:
        """A round of challenges, and all that it shows."""
        await self.challenges.round()
        await asyncio.gather(*self.challenges.showing.values(), return_exceptions=True)

    def stand_still(self, ms: int) -> None:
        """The process does nothing for so long, and lives on."""
        self.boot_ms += ms
        self.clock.advance(ms)

    async def seal_all(self) -> None:
        """Let everything become final."""
        for _ in range(4):
            self.clock.advance(MINUTE_MS)
            await self.sealer.round()

    def connect(self) -> str:
        """A new connection that answers."""
        self.connections += 1
        name = f"connection{self.connections}"
        self.alive.add(name)
        return name

    async def sealed(self) -> dict[str, Intervals]:
        """Credited ledger milliseconds by person, as the journal has them."""
        found: dict[str, Intervals] = {}
        async with self.database.read() as connection:
            for minute in await records.sealed_minutes(connection, LESSON):
                base = minute.slot * MINUTE_MS
                for record in minute.records:
                    spans = tuple((base + a, base + b) for a, b in record.credited)
                    found[record.person_id] = union(found.get(record.person_id, ()), spans)
        return found

    async def held(self, person: str) -> Intervals:
        """When the account held a lease, as its table has it. Raises AssertionError when two overlap (I8)."""
        async with self.database.read() as connection:
            rows = await records.leases_of_lesson(connection, LESSON)
        spans = [(row.granted_ms, row.ended_ms or self.now()) for row in rows if row.person_id == person]
        for (_, end), (start, _) in pairwise(spans):
            assert end <= start, "two leases of one account at once"
        return union(spans)

    async def happened(self) -> dict[str, list[Event]]:
        """What happened to challenges, by person."""
        async with self.database.read() as connection:
            return await challenge_records.events_of(connection, LESSON)

    async def seed(self) -> bytes | None:
        """What decided when somebody was asked; None before the lesson is over."""
        async with self.database.read() as connection:
            return await challenge_records.revealed(connection, LESSON)

    async def _rule(self, _lesson_id: str) -> ChallengeRule | None:
        return self.rule

    async def _attention(self, _lesson_id: str) -> AttentionRule | None:
        return self.attention

    async def _show(self, connection: str, state: ChallengeState) -> bool:
        if connection not in self.alive or connection in self.deaf:
            return False
        self.shown[connection] = state
        return True

    async def _verify(self, _person: str, password: str) -> bool:
        return password == PASSWORD

    async def _answers(self, connection: str) -> bool:
        return connection in self.alive

    async def _lost(self, holder: Holder, reason: End, _device: str, _at: int) -> None:
        self.told.append((holder.connection, reason))


@dataclass
class Track:
    """Stretches of a page's clock in which something was so, from its beginning until it is turned off."""

    closed: list[tuple[int, int]] = field(default_factory=list)
    since: int | None = 0

    def turn(self, on: bool, mono: int) -> None:
        if self.since is not None and not on:
            self.closed.append((self.since, mono))
            self.since = None
        elif self.since is None and on:
            self.since = mono

    def until(self, mono: int) -> tuple[tuple[int, int], ...]:
        running = [(self.since, mono)] if self.since is not None and self.since < mono else []
        return tuple(self.closed + running)

    def forget(self, told: int) -> None:
        self.closed = [(max(a, told), b) for a, b in self.closed if b > told]
        if self.since is not None:
            self.since = max(self.since, told)


@dataclass
class Page:
    """A trainee's page as the web client is: spans in front, one beat in flight, a lost one is said again."""

    world: World
    actor: Actor
    name: str = "page-000"
    base: int = 5_000
    rate: float = 1.0
    connection: str = ""
    epoch: int = 0
    seq: int = 0
    nonce: str = ""
    resume: str | None = None
    closed: list[tuple[int, int]] = field(default_factory=list)
    since: int | None = None
    #: the same of the window's focus, and of somebody who moves; told where the scheme asks for it
    focus: "Track" = field(default_factory=lambda: Track())
    active: "Track" = field(default_factory=lambda: Track())
    first: int | None = None
    sent: list[Beat] = field(default_factory=list)
    #: its key, when its browser has Web Crypto, and the chain of its acknowledged beats
    key: PageKey | None = None
    link: bytes = b""
    notes: list[str] = field(default_factory=list)
    _from: int = -1

    def __post_init__(self) -> None:
        self._from = self.world.now()

    def mono(self) -> int:
        """The page's monotonic clock."""
        return self.base + int((self.world.now() - self._from) * self.rate)

    def set_rate(self, rate: float) -> None:
        """From now on the page's clock runs so much faster."""
        self.base, self._from, self.rate = self.mono(), self.world.now(), rate

    def show(self) -> None:
        if self.since is None:
            self.since = self.mono()

    def hide(self) -> None:
        if self.since is not None:
            self.closed.append((self.since, self.mono()))
            self.since = None

    async def join(self, password: str | None = None, device: str = "desktop") -> Granted:
        """Connect and ask for the lease; the same page continues, a new one begins."""
        self.connection = self.world.connect()
        entry = Entry(self.actor, LESSON, self.connection, device, self.name, self.resume, password, self.mono())
        if self.key is not None:
            nonce = self.nonce or None
            proof = self.key.sign(join_text(LESSON, self.name, nonce or ""))
            entry = replace(entry, key=self.key.public, nonce=nonce, proof=proof)
        granted = await self.world.attendance.join(entry)
        self.link = first_link(LESSON, granted.epoch, granted.seq, granted.nonce)
        if granted.epoch == self.epoch and self.first is not None and self.seq < granted.seq:
            self._trim()
        self.first = None
        self.epoch, self.resume, self.seq, self.nonce = granted.epoch, granted.resume, granted.seq, granted.nonce
        return granted

    async def drop(self) -> None:
        """The connection ends."""
        self.world.alive.discard(self.connection)
        await self.world.attendance.gone(self.connection)

    def take(self, signed: bool = False) -> Beat:
        """What the page would say now, `signed` by its key."""
        mono = self.mono()
        spans = [*self.closed] + ([(self.since, mono)] if self.since is not None and self.since < mono else [])
        self.first = mono if self.first is None else self.first
        signature = ""
        if signed and self.key:
            signature = self.key.sign(head_text(LESSON, self.epoch, self.seq, self.link))
        attended = Attended(self.focus.until(mono), self.active.until(mono)) if self.world.attention else None
        beat = Beat(self.seq + 1, self.nonce, mono, tuple(spans), signature, attended)
        self.sent.append(beat)
        return beat

    async def deliver(self, beat: Beat) -> Acknowledged:
        """The server hears it; the page does not hear the answer yet."""
        return await self.world.attendance.beat(self.actor, self.connection, LESSON, self.epoch, beat)

    def heard(self, ack: Acknowledged) -> None:
        """The page hears the answer."""
        if self.key:
            taken = [one for one in self.sent if (one.seq, one.mono) == (ack.seq, ack.mono)]
            self.link = next_link(self.link, ack.seq, taken[-1].nonce, ack.mono, taken[-1].spans, taken[-1].attended)
        self.seq, self.nonce = ack.seq, ack.nonce
        self.notes += [ack.note] if ack.note else []
        self._trim()
        self.first = None

    async def beat(self, signed: bool = False) -> Acknowledged:
        """One beat, there and back."""
        ack = await self.deliver(self.take(signed))
        self.heard(ack)
        return ack

    def _trim(self) -> None:
        told = self.first or 0
        self.closed = [(max(a, told), b) for a, b in self.closed if b > told]
        if self.since is not None:
            self.since = max(self.since, told)
        self.focus.forget(told)
        self.active.forget(told)
