"""Use-cases of a trainee's page: join, beat, leave; and what happens when its connection or its login ends."""

import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Final, NamedTuple, TypeVar

from server.attendance import records
from server.attendance.book import LessonBook
from server.attendance.credit import MOST_MONO, Anchor, Beat, credit
from server.attendance.intervals import clip
from server.attendance.lease import HOUR_MS, SILENCE_MS, TAKE_OVERS_PER_HOUR, Ask, Decision, End, How, decide
from server.attendance.minutes import slot_of
from server.attendance.pages.service import Attests, Pages
from server.attendance.register import Holder, Register
from server.core.actor import Actor
from server.core.clock import iso
from server.core.cluster.owners import Errand
from server.core.cluster.rules import node_of
from server.core.errors import DomainError
from server.core.vault import Vault
from server.verify.minutes import NOTHING_ODD, Odd, plus

Answer = TypeVar("Answer")

#: how often a page that races with others of its account, at other processes, tries to get the lease
JOIN_TRIES: Final = 3
#: our clock may be behind that of the process before us by so much without a cost to the page
MOST_BEHIND_MS: Final = 250
#: what one process asks of another: `give_way` with {lesson_id, entry}
LEASE_YIELD: Final = "lease.yield"
#: what a beat is told that is not taken for its page's
REFUSED: Final = ("beat_refused", "lease_lost")
#: how a lease was obtained, the more telling the later
WORTH: Final = (How.NEW, How.RESUME, How.TAKE_OVER)


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that wants to join: its device, its page id, and what it may prove.

    `mono` is its clock when it asked: with it a late first beat costs nothing and a fast clock gains nothing.
    `key` is its own, `nonce` the last one that it was given, `proof` its signature (verify/pages.py).
    """

    actor: Actor
    lesson_id: str
    connection: str
    device: str
    page: str
    resume: str | None
    password: str | None
    mono: int | None = None
    key: str | None = None
    nonce: str | None = None
    proof: str | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """A lease as its page needs it: the next beat carries `seq` + 1 and `nonce`; `resume` survives a reload."""

    epoch: int
    resume: str
    seq: int
    nonce: str


class Acknowledged(NamedTuple):
    """A beat that is on disk. `mono` is of the try that was taken; `note`, once a minute, is signed by the log."""

    seq: int
    nonce: str
    mono: int
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Ports:
    """What attendance asks of the rest: is this the password, does this page still answer, tell it what it lost.

    `answers` and `tell_lost` raise nothing for a connection that is gone.
    """

    verify_password: Callable[[str, str], Awaitable[bool]]
    answers: Callable[[str], Awaitable[bool]]
    tell_lost: Callable[[Holder, End, str, int], Awaitable[None]]
    #: who signs acknowledgements; without it none are signed
    attests: Attests | None = None


class Attendance:
    """The one place where leases are granted and beats are taken."""

    def __init__(self, register: Register, vault: Vault, ports: Ports) -> None:
        self.register = register
        self._vault = vault
        self._ports = ports
        self.pages = Pages(register, ports.attests)
        self._joining: dict[str, bool] = {}

    async def join(self, entry: Entry) -> Granted:
        """Give the account's lease to a page.

        Raises DomainError lease_held, password_wrong, take_over_limit, page_key_wrong, bad_request (mono).
        """
        if entry.mono is not None and not 0 <= entry.mono <= MOST_MONO:
            raise DomainError("bad_request", field="mono")
        self.pages.check_join(entry.lesson_id, entry.page, entry.key, entry.nonce, entry.proof)
        self._joining[entry.connection] = True
        try:
            return await self._join(entry)
        finally:
            if not self._joining.pop(entry.connection):
                await self.gone(entry.connection)  # it ended while it joined

    async def _join(self, entry: Entry) -> Granted:
        await self.register.awake()
        received_ms = self._now()
        await self.register.book(entry.lesson_id)
        for _ in range(JOIN_TRIES):
            with suppress(records.Raced):
                how = await self._elsewhere(entry)
                return await self._once_free(entry, partial(self._grant, entry, received_ms, how))
        raise DomainError("lease_lost", device="", at=iso(self._now()))

    async def give_way(self, entry: Entry) -> How:
        """A page wants to join a lesson that another process has: end the account's lease here, by the same rules.

        Returns how the other process grants it. Raises DomainError lease_held, password_wrong, take_over_limit.
        """
        way = await self._once_free(entry, _as_it_is)
        return way if isinstance(way, How) else How.NEW

    async def _elsewhere(self, entry: Entry) -> How:
        """Have another process end the account's lease, if one has it."""
        person_id = entry.actor.person_id
        if person_id in self.register.holders:
            return How.NEW
        async with self.register.database.read() as connection:
            newest = await records.newest_lease(connection, person_id)
        if newest is None or newest.ended_ms is not None or newest.lesson_id == entry.lesson_id:
            return How.NEW
        errand = Errand(LEASE_YIELD, lambda: {"lesson_id": newest.lesson_id, "entry": asdict(entry)})
        return How(await self.register.owners.at_owner(newest.lesson_id, _nobody_elsewhere, errand))

    async def _once_free(self, entry: Entry, then: Callable[[How], Awaitable[Answer]]) -> Answer | Granted:
        """Do `then` under the account's lock once no lease stands in the way; the same page coming back continues."""
        asked, silent_page = False, None
        while True:
            async with self.register.lock(entry.actor.person_id):
                holder = await self.register.holder(entry.actor.person_id)
                if holder is not None and self._decide(entry, holder) is Decision.CONTINUE:
                    return self._continue(entry, holder)
                way = await self._make_way(entry, holder, asked, silent_page)
                if way is not None:
                    return await then(way)
            # Ask the old page outside the lock (its beats must go on meanwhile), then decide again.
            old_page, asked = holder.connection if holder else "", True
            silent_page = None if await self._ports.answers(old_page) else old_page

    async def _make_way(self, entry: Entry, holder: Holder | None, asked: bool, silent_page: str | None) -> How | None:
        """End the lease that stands in the way, if it may be ended; None when its page must be asked first."""
        if holder is None:
            return How.NEW
        match self._decide(entry, holder):
            case Decision.GRANT:
                await self.register.end_lease(holder, End.SILENT, min(holder.seen_ms + SILENCE_MS, self._now()))
                return How.NEW
            case Decision.IF_SILENT if holder.connection in ("", silent_page):
                await self.register.end_lease(holder, End.RESUMED, self._now())
                return How.RESUME
            case Decision.IF_SILENT if entry.password is None and not asked:
                return None
            case _:
                await self._take_over(entry, holder)
                return How.TAKE_OVER

    async def beat(self, actor: Actor, connection: str, lesson_id: str, epoch: int, beat: Beat) -> Acknowledged:
        """Take a beat and return once it is on disk.

        Raises DomainError lease_lost (another page holds the lease), beat_refused, lesson_ended, disk_full.
        """
        await self.register.awake()
        received_ms = self._now()
        async with self.register.lock(actor.person_id):
            try:
                return await self._beat(actor, connection, lesson_id, epoch, beat, received_ms)
            except DomainError as error:
                self._count(error, actor.person_id, lesson_id, slot_of(received_ms))
                raise

    async def _beat(
        self, actor: Actor, connection: str, lesson_id: str, epoch: int, beat: Beat, received_ms: int
    ) -> Acknowledged:
        holder = self._speaks(actor, connection, lesson_id, epoch, beat)
        owned = self.register.owners.check(lesson_id)
        received_ms += _behind(holder, beat, received_ms)
        if holder.answered_nonce and (beat.seq, beat.nonce) == (holder.anchor.seq, holder.answered_nonce):
            return _answer(holder)
        book = self._open_book(lesson_id)
        ours_ms = book.outage_ms(holder.anchor.reached_ms, received_ms)
        worth = credit(holder.anchor, beat, received_ms, _secret(), ours_ms)
        link = self.pages.link(holder, beat)
        since_ms, until_ms = max(book.floor_ms, holder.anchor.reached_ms), worth.anchor.reached_ms
        front, hidden = clip(worth.front, since_ms, until_ms), clip(worth.hidden, since_ms, until_ms)
        slot = slot_of(received_ms)
        odd = book.odd(actor.person_id, slot)
        if worth.lagged_ms or worth.surplus_ms:
            odd = plus(odd, Odd(0, worth.lagged_ms, worth.surplus_ms))

        def stored() -> None:
            self.pages.keep(holder, beat, received_ms)
            holder.anchor, holder.answered_nonce, holder.seen_ms = worth.anchor, beat.nonce, received_ms
            holder.link = link
            book.add(actor.person_id, front, hidden, worth.anchor.reached_ms)
            book.note(actor.person_id, slot, odd)

        book.taking(actor.person_id, since_ms)
        try:
            line = holder.line(front, hidden, worth.anchor, beat.nonce, received_ms, link)
            if odd is not NOTHING_ODD:
                line["odd"] = [[slot, *odd]]
            await self.register.spool.append(line, stored)
        finally:
            book.took(actor.person_id)
        self.register.owners.check(lesson_id, owned)  # frozen meanwhile, another may not have read that line
        self.pages.acknowledge(holder, book, received_ms)
        return _answer(holder)

    def _count(self, error: DomainError, person_id: str, lesson_id: str, slot: int) -> None:
        """A refused beat changes nothing but this count."""
        book = self.register.books.get(lesson_id)
        if error.code in REFUSED and book is not None and person_id in book.people:
            book.note(person_id, slot, plus(book.odd(person_id, slot), Odd(refused=1)))

    async def leave(self, actor: Actor, connection: str, lesson_id: str, epoch: int) -> None:
        """The page goes away on purpose: its lease ends now."""
        async with self.register.lock(actor.person_id):
            await self.register.end_lease(self.holder_of(actor, connection, lesson_id, epoch), End.LEFT, self._now())

    async def gone(self, connection: str) -> None:
        """A connection ended; its page may come back and keeps the lease until it has been silent for too long."""
        if connection in self._joining:
            self._joining[connection] = False
        for holder in self.register.holders.values():
            if holder.connection == connection:
                self._part(holder)

    async def nodes_gone(self, nodes: frozenset[str]) -> None:
        """Processes are dead or were frozen: nobody knows now how their pages will come back."""
        for holder in self.register.holders.values():
            if node_of(holder.connection) in nodes:
                self._part(holder)
                holder.inherited = True

    def _part(self, holder: Holder) -> None:
        holder.connection = ""
        if book := self.register.books.get(holder.lesson_id):
            book.touch(holder.person_id)

    async def session_ended(self, session_id: str) -> None:
        """A login ended: its lease ends with it, and the page is told."""
        for holder in list(self.register.holders.values()):
            if holder.session_id == session_id:
                async with self.register.lock(holder.person_id):
                    held = self.register.holders.get(holder.person_id) is holder
                    if not held or holder.session_id != session_id:
                        continue
                    await self.register.end_lease(holder, End.SIGNED_OUT, self._now())
                await self._tell(holder, End.SIGNED_OUT, holder.device)

    def _decide(self, entry: Entry, holder: Holder) -> Decision:
        resume = self._digest(entry.resume) if entry.resume else None
        keyed = self.pages.proves(holder, entry.key, entry.nonce)
        ask = Ask(entry.lesson_id, entry.actor.session_id, entry.page, resume, keyed)
        return decide(holder.holding(), ask, self._now())

    async def _take_over(self, entry: Entry, holder: Holder) -> None:
        if entry.password is None:
            raise DomainError("lease_held", device=holder.device, since=iso(holder.granted_ms))
        async with self.register.database.read() as connection:
            recent = await records.count_take_overs(connection, holder.person_id, self._now() - HOUR_MS)
        if recent >= TAKE_OVERS_PER_HOUR:
            raise DomainError("take_over_limit", per_hour=TAKE_OVERS_PER_HOUR)
        if not await self._ports.verify_password(entry.actor.person_id, entry.password):
            raise DomainError("password_wrong")
        await self.register.end_lease(holder, End.TAKEN_OVER, self._now())
        await self._tell(holder, End.TAKEN_OVER, entry.device)

    async def _grant(self, entry: Entry, received_ms: int, elsewhere: How, here: How) -> Granted:
        """A new epoch from now on. Raises Raced when another process gave one at the same moment."""
        now, resume, how = self._now(), _secret(), max(elsewhere, here, key=WORTH.index)
        async with self.register.database.write(f"lease:{entry.actor.person_id}") as connection:
            await self.register.owners.require(connection, entry.lesson_id)
            newest = await records.newest_lease(connection, entry.actor.person_id)
            if newest is not None and newest.ended_ms is None:
                raise records.Raced
            row = records.LeaseRow(
                person_id=entry.actor.person_id,
                epoch=newest.epoch + 1 if newest else 1,
                lesson_id=entry.lesson_id,
                session_id=entry.actor.session_id,
                device=entry.device,
                page=entry.page,
                resume_digest=self._digest(resume),
                how=how,
                granted_ms=max(now, newest.ended_ms or 0) if newest else now,
                key=entry.key or "",
            )
            await records.add_lease(connection, row)
        holder = self.register.take(row, entry.connection, _anchor(entry, row.granted_ms, received_ms), now)
        self.pages.begin(holder)
        (await self.register.book(entry.lesson_id)).hold(row.person_id, row.granted_ms, None, row.epoch)
        with suppress(DomainError):  # without room for it, a restart before the first beat forgets the page's clock
            await self.register.spool.append(holder.line((), (), holder.anchor, "", now, holder.link))
        return Granted(row.epoch, resume, 0, holder.anchor.nonce)

    def _continue(self, entry: Entry, holder: Holder) -> Granted:
        """The same page is back: its clock, its seq and its unacknowledged time go on."""
        self.register.owners.check(holder.lesson_id)
        holder.connection, holder.seen_ms, holder.inherited = entry.connection, self._now(), False
        holder.session_id = entry.actor.session_id
        if not holder.anchor.nonce:
            holder.anchor = holder.anchor._replace(nonce=_secret())
        self.pages.begin(holder)
        if book := self.register.books.get(holder.lesson_id):
            book.touch(holder.person_id)
        return Granted(holder.epoch, entry.resume or "", holder.anchor.seq, holder.anchor.nonce)

    def holder_of(self, actor: Actor, connection: str, lesson_id: str, epoch: int) -> Holder:
        """Whose page speaks on this connection. Raises DomainError lease_lost."""
        holder = self.register.holders.get(actor.person_id)
        if holder is None:
            raise DomainError("lease_lost", device="", at=iso(self._now()))
        if (holder.lesson_id, holder.epoch, holder.connection) != (lesson_id, epoch, connection):
            raise DomainError("lease_lost", device=holder.device, at=iso(holder.granted_ms))
        return holder

    def _speaks(self, actor: Actor, connection: str, lesson_id: str, epoch: int, beat: Beat) -> Holder:
        """The holder whose page says this; one that we inherited shows by its nonce on which connection it is."""
        holder = self.register.holders.get(actor.person_id)
        if holder is not None and holder.inherited and not holder.connection:
            same = (holder.lesson_id, holder.epoch, holder.session_id) == (lesson_id, epoch, actor.session_id)
            if same and (not beat.nonce or beat.nonce not in (holder.anchor.nonce, holder.answered_nonce)):
                raise DomainError("beat_refused", why="nonce")  # its page joins again, and proves itself so
            if same:
                holder.connection = connection
        return self.holder_of(actor, connection, lesson_id, epoch)

    def _open_book(self, lesson_id: str) -> LessonBook:
        book = self.register.books.get(lesson_id)
        if book is None or book.finished():
            raise DomainError("lesson_ended")
        return book

    async def _tell(self, holder: Holder, reason: End, device: str) -> None:
        await self._ports.tell_lost(holder, reason, device, self._now())

    def _digest(self, resume: str) -> str:
        return self._vault.digest("lease.resume", resume)

    def _now(self) -> int:
        return self.register.clock.ms()


def _anchor(entry: Entry, granted_ms: int, received_ms: int) -> Anchor:
    """What is known of a page before its first beat."""
    if entry.mono is None:
        return Anchor(0, _secret(), granted_ms)
    return Anchor(0, _secret(), granted_ms, received_ms - entry.mono, entry.mono)


def _behind(holder: Holder, beat: Beat, received_ms: int) -> int:
    """By how much our clock was behind the one before us when an inherited page first spoke: that cost is ours."""
    if holder.inherited and holder.anchor.offset_ms is not None:
        holder.behind_ms = min(max(0, beat.mono + holder.anchor.offset_ms - received_ms), MOST_BEHIND_MS)
    holder.inherited = False
    return holder.behind_ms


async def _nobody_elsewhere() -> str:
    return How.NEW


async def _as_it_is(way: How) -> How:
    return way


def _answer(holder: Holder) -> Acknowledged:
    return Acknowledged(holder.anchor.seq, holder.anchor.nonce, holder.anchor.mono, holder.note)


def _secret() -> str:
    return secrets.token_hex(12)
