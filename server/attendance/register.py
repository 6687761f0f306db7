"""Decides what attendance remembers: the open lessons' books and the lease holders, and how both survive a restart.

What the spool holds is enough to rebuild every acknowledged beat; leases and sealed minutes come from the database.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from weakref import WeakValueDictionary

from server.attendance import records
from server.attendance.awake import Watch
from server.attendance.book import LessonBook
from server.attendance.credit import Anchor
from server.attendance.estate import Estates
from server.attendance.intervals import Intervals
from server.attendance.lease import SILENCE_MS, End, Holding
from server.attendance.minutes import MINUTE_MS, Reason, slot_of
from server.attendance.spool import Spool
from server.core.clock import Clock, boot_ms
from server.core.cluster.owners import Alone, Claim, Owners
from server.core.database import Database
from server.core.tasks import Tasks
from server.core.turns import Turns
from server.ledger import records as ledger
from server.training.rules import AttentionRule
from server.verify.minutes import Odd

#: the spool is begun anew when its file has grown by this
SPOOL_BYTES: Final = 8 * 1024 * 1024
#: the spool's name in a process's own folder
SPOOL: Final = "spool"


@dataclass(slots=True)
class Holder:
    """The account's lease and its page. `note` is what the last acknowledged beat was told, for its repetition.

    `inherited`: its page may be connected, but we do not know by which connection: it shows itself by its nonce.
    `behind_ms`: by so much our clock was behind what the process before us had told the page's clock by.
    """

    person_id: str
    lesson_id: str
    epoch: int
    session_id: str
    device: str
    page: str
    resume_digest: str
    granted_ms: int
    seen_ms: int
    anchor: Anchor
    connection: str = ""
    answered_nonce: str = ""
    inherited: bool = False
    behind_ms: int = 0
    #: the page's key (empty: it has none), the chain of its beats, the minute of its last signed acknowledgement
    key: str = ""
    link: bytes = b""
    note: str | None = None
    noted_slot: int = 0
    #: kept here so that it need not be made anew for each beat
    lock: Turns | None = None
    #: why the lease ended, once it has
    ended: End | None = None

    def holding(self) -> Holding:
        """As the lease rules see it."""
        return Holding(
            self.lesson_id, self.session_id, self.page, self.resume_digest, bool(self.connection), self.seen_ms
        )

    def speaks(self, connection: str, lesson_id: str, epoch: int) -> bool:
        """Whether this connection is its page's, under this lease."""
        return self.connection == connection and self.epoch == epoch and self.lesson_id == lesson_id

    def silent(self, now_ms: int) -> bool:
        """Whether the page is gone for so long that it holds nothing any more."""
        return not self.connection and now_ms - self.seen_ms > SILENCE_MS

    def line(
        self, front: Intervals, hidden: Intervals, anchor: Anchor, answered: str, seen_ms: int, link: bytes
    ) -> dict[str, Any]:
        """The spool line after which all this is known again."""
        return {
            "link": link.hex(),
            "person": self.person_id,
            "lesson": self.lesson_id,
            "epoch": self.epoch,
            "seen": seen_ms,
            "anchor": tuple(anchor),
            "answered": answered,
            "front": front,
            "hidden": hidden,
        }


LeaseEnded = Callable[[Holder], Awaitable[None]]
Back = Callable[[], Awaitable[None]]
LessonStarts = Callable[[str], Awaitable[None]]
LessonOver = Callable[[str, LessonBook], Awaitable[None]]


class Register:
    """Books by lesson, holders by account."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        tasks: Tasks,
        folder: Path,
        owners: Owners | None = None,
        boot: Callable[[], int] = boot_ms,
    ) -> None:
        self.database = database
        self.clock = clock
        self.tasks = tasks
        self.owners: Owners = owners or Alone()
        self.spool = Spool(folder, tasks)
        self._estates = Estates()
        self._alive: dict[str, int] = {}
        self.books: dict[str, LessonBook] = {}
        self.holders: dict[str, Holder] = {}
        self.last_alive_ms = 0
        #: told of every lease that ends, whatever ended it; raises nothing and waits for nobody
        self.on_lease_end: list[LeaseEnded] = []
        self.watch = Watch(boot)
        #: told once we are back after we stood still for long; asked again until it raises nothing
        self.on_back: list[Back] = []
        self._told_gaps = 0
        #: what a lesson's scheme asks of pages in front
        self.attention_of: Callable[[str], Awaitable[AttentionRule | None]] = _nothing
        #: told of every lesson before it starts; what they raise keeps it from starting
        self.on_lesson_start: list[LessonStarts] = []
        #: told of every lesson that has ended before it is forgotten; what they raise keeps it until the next round
        self.on_lesson_over: list[LessonOver] = []
        self._left: dict[str, list[dict[str, Any]]] = {}
        self._restoring = True
        self._loading = asyncio.Lock()
        self._locks: WeakValueDictionary[str, Turns] = WeakValueDictionary()

    def look(self) -> None:
        """See whether we stood still."""
        self.slept(self.clock.ms())

    def slept(self, now_ms: int) -> bool:
        """Whether we slept and not everybody knows yet: then nothing is taken, judged or sealed before `awake`.

        Where we stood still every silence begins anew, because nobody could show themselves.
        """
        if self.watch.look(now_ms):
            for holder in self.holders.values():
                holder.seen_ms = max(holder.seen_ms, now_ms)
        return self._told_gaps < len(self.watch.gaps)

    async def awake(self) -> None:
        """Before anything is taken, judged or sealed: what we slept through is written first."""
        if self.slept(self.clock.ms()):
            known = len(self.watch.gaps)
            for told in self.on_back:
                await told()
            self._told_gaps = known

    def lock(self, person_id: str) -> Turns:
        """What an account does with its lease happens one thing at a time; the lock lives as long as the lease."""
        holder = self.holders.get(person_id)
        if holder is not None and holder.lock is not None:
            return holder.lock
        lock = self._locks.get(person_id)
        if lock is None:
            lock = self._locks[person_id] = Turns()
        if holder is not None:
            holder.lock = lock
        return lock

    def read_spool(self) -> set[str]:
        """Read what an earlier process left; returns the lessons in it. Raises DomainError spool_damaged."""
        for line in self.spool.read():
            self.last_alive_ms = max(self.last_alive_ms, line.get("alive", line.get("seen", 0)))
            for lesson_id in line.get("lessons", ()):
                self._left.setdefault(lesson_id, [])
            if "lesson" in line:
                self._left.setdefault(line["lesson"], []).append(line)
        return set(self._left)

    async def book(self, lesson_id: str) -> LessonBook:
        """The lesson's book, filled from the store at the first call, which also claims the lesson for this process.

        Raises DomainError owner_changing when another process has it.
        """
        async with self._loading:
            if lesson_id not in self.books:
                claim = await self.owners.claim(lesson_id)
                book = self.books[lesson_id] = await self._load(lesson_id, claim)
                if claim.taken:
                    await self._keep(book)
            return self.books[lesson_id]

    @property
    def loading(self) -> bool:
        """Whether a book is being filled: then none is idle."""
        return self._loading.locked()

    def alive_ms(self, lesson_id: str) -> int:
        """When whoever had the lesson before us was last known alive; 0 when nobody had it."""
        return self._alive.get(lesson_id, self.last_alive_ms)

    async def left_in(self, folder: Path) -> Collection[str]:
        """The lessons in a dead process's folder. Raises DomainError spool_damaged."""
        return (await self._estates.read(folder / SPOOL)).keys()

    def lose(self, lesson_id: str) -> None:
        """Another process has the lesson now: forget it and who holds a lease in it."""
        self.books.pop(lesson_id, None)
        for holder in [one for one in self.holders.values() if one.lesson_id == lesson_id]:
            del self.holders[holder.person_id]

    async def holder(self, person_id: str) -> Holder | None:
        """Who holds the account's lease, also when an earlier process granted it."""
        if person_id not in self.holders:
            async with self.database.read() as connection:
                row = await records.newest_lease(connection, person_id)
            if row is not None and row.ended_ms is None:
                book = await self.book(row.lesson_id)  # it must be there when the lease ends
                if person_id not in self.holders:
                    self.holders[person_id] = _holder(row, row.granted_ms)
                    book.hold(person_id, row.granted_ms, None, row.epoch)
        return self.holders.get(person_id)

    async def end_lease(self, holder: Holder, reason: End, at_ms: int) -> None:
        """Write that a lease ended and forget it: never before what its beats have reached, nor before what is sealed.

        An end that is written already (and was not heard of, because a task was cut off) stays as it is.
        """
        book = self.books.get(holder.lesson_id)
        ended_ms = max(at_ms, holder.anchor.reached_ms, book.floor_ms if book else 0)
        async with self.database.write(f"lease:{holder.person_id}") as connection:
            await self.owners.require(connection, holder.lesson_id)
            written_ms = await records.end_of(connection, holder.person_id, holder.epoch)
            if written_ms is None:
                await records.add_end(connection, holder.lesson_id, holder.person_id, holder.epoch, reason, ended_ms)
        if book := self.books.get(holder.lesson_id):
            book.release(holder.person_id, ended_ms if written_ms is None else written_ms)
        if self.holders.get(holder.person_id) is holder:
            del self.holders[holder.person_id]
        holder.ended = reason
        for ended in self.on_lease_end:
            await ended(holder)

    def take(self, row: records.LeaseRow, connection: str, anchor: Anchor, now_ms: int) -> Holder:
        """A lease that was just granted to a connected page."""
        holder = _holder(row, now_ms)
        holder.connection, holder.anchor = connection, anchor
        self.holders[row.person_id] = holder
        return holder

    def settle_spool(self) -> None:
        """Begin a new spool file with all that is not sealed, and nothing else; the rest is in the database.

        Called once after the restart's lessons are loaded; from then on nothing is read from the spool any more.
        Raises DomainError disk_full.
        """
        self.spool.begin(self.unsealed_lines())
        self._restoring = False

    def shrink_spool(self) -> None:
        """The same while beats go on: done as soon as no line is on its way."""
        self.spool.begin_soon(self.unsealed_lines)

    def alive_line(self) -> dict[str, Any]:
        """That this process lived, and which lessons it had in hand."""
        return {"alive": self.clock.ms(), "lessons": sorted(self.books)}

    def unsealed_lines(self) -> list[dict[str, Any]]:
        """All that is known and not in the database, and what nobody has asked for since the restart."""
        lines = [self.alive_line()]
        for lesson_id, left in self._left.items():
            lines += [{"alive": 0, "lessons": [lesson_id]}, *left]
        for book in self.books.values():
            lines += self._unsealed(book)
        return lines + [_holder_line(one) for one in self.holders.values()]

    def _unsealed(self, book: LessonBook) -> list[dict[str, Any]]:
        return [
            {
                "lesson": book.lesson_id,
                "person": person_id,
                "front": person.front,
                "hidden": person.hidden,
                "odd": [[slot, *odd] for slot, odd in person.odd.items()],
                "lost": person.lost,
            }
            for person_id, person in book.people.items()
            if person.front or person.hidden or person.odd or person.lost
        ]

    async def _keep(self, book: LessonBook) -> None:
        """Have in our own spool what a dead process left of a lesson; only then its folder is not needed any more.

        The book is known meanwhile, so that a spool that is begun anew keeps it; when this fails it is not, so that
        the next call tries again.
        """
        try:
            await self._settle(book)
        except BaseException:
            self.books.pop(book.lesson_id, None)
            raise

    async def _settle(self, book: LessonBook) -> None:
        holders = [one for one in self.holders.values() if one.lesson_id == book.lesson_id]
        lines = [*self._unsealed(book), *map(_holder_line, holders)]
        lines.append({"alive": self.alive_ms(book.lesson_id), "lessons": [book.lesson_id]})
        await asyncio.gather(*map(self.spool.append, lines))
        await self.owners.settled(book.lesson_id)

    async def _inherit(self, lesson_id: str, claim: Claim) -> list[dict[str, Any]]:
        """The lines of a lesson in the spools of the dead; a line that stands in two of them counts once."""
        needed = [folder for folder in self.owners.left() if claim.before in ("", folder.name)]
        left = [await self._estates.read(folder / SPOOL) for folder in needed]
        lines = [line for one in left for line in one.get(lesson_id, ())]
        told = [line.get("alive") or line.get("seen") or 0 for line in lines]
        self._alive[lesson_id] = max([claim.alive_ms, *told])
        return [line for line in lines if "person" in line]

    async def _load(self, lesson_id: str, claim: Claim) -> LessonBook:
        lines = self._left.pop(lesson_id, [])
        if claim.taken:
            lines = lines + await self._inherit(lesson_id, claim)
        async with self.database.read() as connection:
            sealed = await records.sealed_minutes(connection, lesson_id)
            leases = await records.leases_of_lesson(connection, lesson_id)
            head = await ledger.read_head(connection)
        book = LessonBook(lesson_id, attention=await self.attention_of(lesson_id))
        # Who held a lease when we went down could not show itself since: their silence begins now.
        now = self.clock.ms() if self._restoring or claim.taken else 0
        for row in leases:
            told = head is not None and slot_of(row.granted_ms) >= head.genesis
            book.hold(row.person_id, row.granted_ms, row.ended_ms, row.epoch if told else 0)
            if row.ended_ms is None and row.person_id not in self.holders:
                holder = self.holders[row.person_id] = _holder(row, max(row.granted_ms, now))
                holder.inherited = claim.taken
        for minute in sealed:
            book.sealed(minute)
        for line in lines:
            self._replay(book, line)
        return book

    def _replay(self, book: LessonBook, line: dict[str, Any]) -> None:
        front, hidden = (tuple((a, b) for a, b in line[name]) for name in ("front", "hidden"))
        lost = tuple((Reason(why), tuple((a, b) for a, b in spans)) for why, spans in line.get("lost", ()))
        reached = max((end for spans in (front, hidden, *(one for _, one in lost)) for _, end in spans), default=0)
        floor = (book.next_slot or 0) * MINUTE_MS
        book.add(line["person"], front, hidden, max(reached, floor), lost)
        for slot, *odd in line.get("odd", ()):
            book.note(line["person"], slot, Odd(*odd))
        holder = self.holders.get(line["person"])
        if holder is not None and line.get("epoch") == holder.epoch and holder.lesson_id == book.lesson_id:
            anchor = Anchor(*line["anchor"])
            if anchor.seq >= holder.anchor.seq:  # spools of several processes are read in any order
                holder.anchor, holder.answered_nonce = anchor, line["answered"]
                holder.link = bytes.fromhex(line.get("link", ""))
            holder.seen_ms = max(holder.seen_ms, line["seen"])


async def _nothing(_lesson_id: str) -> None:
    """A lesson of which nobody says what its scheme asks."""


def _holder_line(holder: Holder) -> dict[str, Any]:
    return holder.line((), (), holder.anchor, holder.answered_nonce, holder.seen_ms, holder.link)


def _holder(row: records.LeaseRow, seen_ms: int) -> Holder:
    """A holder as an earlier process left it: not connected, its clock as yet unknown."""
    return Holder(
        person_id=row.person_id,
        lesson_id=row.lesson_id,
        epoch=row.epoch,
        session_id=row.session_id,
        device=row.device,
        page=row.page,
        resume_digest=row.resume_digest,
        granted_ms=row.granted_ms,
        seen_ms=seen_ms,
        anchor=Anchor(0, "", row.granted_ms),
        key=row.key,
    )
