"""Use-cases of a trainee's page: join, beat, leave; and what happens when its connection or its login ends."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from server.attendance import records
from server.attendance.book import LessonBook
from server.attendance.credit import Anchor, Beat, credit
from server.attendance.lease import HOUR_MS, SILENCE_MS, TAKE_OVERS_PER_HOUR, Ask, Decision, End, How, decide
from server.attendance.register import Holder, Register
from server.core.actor import Actor
from server.core.clock import iso
from server.core.errors import DomainError
from server.core.vault import Vault


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that wants to join: its device, its page id, and what it may prove."""

    actor: Actor
    lesson_id: str
    connection: str
    device: str
    page: str
    resume: str | None
    password: str | None


@dataclass(frozen=True, slots=True)
class Granted:
    """A lease as its page needs it: the next beat carries `seq` + 1 and `nonce`; `resume` survives a reload."""

    epoch: int
    resume: str
    seq: int
    nonce: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A beat that is on disk."""

    seq: int
    nonce: str


@dataclass(frozen=True, slots=True)
class Ports:
    """What attendance asks of the rest: is this the password, does this page still answer, tell it that it lost."""

    verify_password: Callable[[str, str], Awaitable[bool]]
    answers: Callable[[str], Awaitable[bool]]
    tell_lost: Callable[[Holder, End, str, int], Awaitable[None]]


class Attendance:
    """The one place where leases are granted and beats are taken."""

    def __init__(self, register: Register, vault: Vault, ports: Ports) -> None:
        self.register = register
        self._vault = vault
        self._ports = ports

    async def join(self, entry: Entry) -> Granted:
        """Give the account's lease to a page, or refuse with lease_held, password_wrong or take_over_limit."""
        await self.register.book(entry.lesson_id)
        async with self.register.lock(entry.actor.person_id):
            holder = await self.register.holder(entry.actor.person_id)
            if holder is None:
                return await self._grant(entry, None, How.NEW)
            decision, old_page = self._decide(entry, holder), holder.connection
            if decision is Decision.GRANT:
                return await self._grant(entry, holder, How.NEW, End.SILENT)
            if decision is Decision.CONTINUE:
                return self._continue(entry, holder)
            if decision is Decision.IF_SILENT and not old_page:
                return await self._grant(entry, holder, How.RESUME, End.RESUMED)
            if decision is Decision.PASSWORD or entry.password is not None:
                return await self._take_over(entry, holder)
        return await self._if_silent(entry, old_page)

    async def _if_silent(self, entry: Entry, old_page: str) -> Granted:
        """Ask the old page outside the lock (its beats must go on meanwhile), then decide again."""
        answered = await self._ports.answers(old_page)
        async with self.register.lock(entry.actor.person_id):
            holder = await self.register.holder(entry.actor.person_id)
            if holder is None:
                return await self._grant(entry, None, How.NEW)
            if not answered and holder.connection in ("", old_page):
                return await self._grant(entry, holder, How.RESUME, End.RESUMED)
            return await self._take_over(entry, holder)

    async def beat(self, actor: Actor, connection: str, lesson_id: str, epoch: int, beat: Beat) -> Acknowledged:
        """Take a beat and return once it is on disk.

        Raises DomainError lease_lost (another page holds the lease), beat_refused, lesson_ended, disk_full.
        """
        received_ms = self._now()
        async with self.register.lock(actor.person_id):
            holder = self._holder_of(actor, connection, lesson_id, epoch)
            if beat.seq == holder.anchor.seq and beat.nonce == holder.answered_nonce:
                return Acknowledged(holder.anchor.seq, holder.anchor.nonce)
            book = self._open_book(lesson_id)
            worth = credit(holder.anchor, beat, received_ms, _secret())
            line = holder.line(worth.front, worth.hidden, worth.anchor, beat.nonce, received_ms)
            await self.register.spool.append(line)
            holder.anchor, holder.answered_nonce, holder.seen_ms = worth.anchor, beat.nonce, received_ms
            book.add(actor.person_id, worth.front, worth.hidden, worth.anchor.reached_ms)
            return Acknowledged(worth.anchor.seq, worth.anchor.nonce)

    async def leave(self, actor: Actor, connection: str, lesson_id: str, epoch: int) -> None:
        """The page goes away on purpose: its lease ends now."""
        async with self.register.lock(actor.person_id):
            await self.register.end_lease(self._holder_of(actor, connection, lesson_id, epoch), End.LEFT, self._now())

    async def gone(self, connection: str) -> None:
        """A connection ended; its page may come back and keeps the lease until it has been silent for too long."""
        for holder in self.register.holders.values():
            if holder.connection == connection:
                holder.connection = ""
                if book := self.register.books.get(holder.lesson_id):
                    book.touch(holder.person_id)

    async def session_ended(self, session_id: str) -> None:
        """A login ended: its lease ends with it, and the page is told."""
        for holder in list(self.register.holders.values()):
            if holder.session_id == session_id:
                await self._tell(holder, End.SIGNED_OUT, holder.device)
                async with self.register.lock(holder.person_id):
                    if self.register.holders.get(holder.person_id) is holder:
                        await self.register.end_lease(holder, End.SIGNED_OUT, self._now())

    def _decide(self, entry: Entry, holder: Holder) -> Decision:
        resume = self._digest(entry.resume) if entry.resume else None
        ask = Ask(entry.lesson_id, entry.actor.session_id, entry.page, resume)
        return decide(holder.holding(), ask, self._now())

    async def _take_over(self, entry: Entry, holder: Holder) -> Granted:
        if entry.password is None:
            raise DomainError("lease_held", device=holder.device, since=iso(holder.granted_ms))
        async with self.register.database.read() as connection:
            recent = await records.count_take_overs(connection, holder.person_id, self._now() - HOUR_MS)
        if recent >= TAKE_OVERS_PER_HOUR:
            raise DomainError("take_over_limit", per_hour=TAKE_OVERS_PER_HOUR)
        if not await self._ports.verify_password(entry.actor.person_id, entry.password):
            raise DomainError("password_wrong")
        await self._tell(holder, End.TAKEN_OVER, entry.device)
        return await self._grant(entry, holder, How.TAKE_OVER, End.TAKEN_OVER)

    async def _grant(self, entry: Entry, old: Holder | None, how: How, end: End = End.SILENT) -> Granted:
        """A new epoch from now on; what the old one had is settled first."""
        if old is not None:
            silent_ms = old.seen_ms + SILENCE_MS if end is End.SILENT else self._now()
            await self.register.end_lease(old, end, min(silent_ms, self._now()))
        now, resume = self._now(), _secret()
        async with self.register.database.write() as connection:
            newest = await records.newest_lease(connection, entry.actor.person_id)
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
            )
            await records.add_lease(connection, row)
        holder = self.register.take(row, entry.connection, Anchor(0, _secret(), row.granted_ms), now)
        (await self.register.book(entry.lesson_id)).hold(row.person_id, row.granted_ms, None)
        return Granted(row.epoch, resume, 0, holder.anchor.nonce)

    def _continue(self, entry: Entry, holder: Holder) -> Granted:
        """The same page is back: its clock, its seq and its unacknowledged time go on."""
        holder.connection, holder.seen_ms = entry.connection, self._now()
        holder.session_id = entry.actor.session_id
        if not holder.anchor.nonce:
            holder.anchor = replace(holder.anchor, nonce=_secret())
        return Granted(holder.epoch, entry.resume or "", holder.anchor.seq, holder.anchor.nonce)

    def _holder_of(self, actor: Actor, connection: str, lesson_id: str, epoch: int) -> Holder:
        holder = self.register.holders.get(actor.person_id)
        if holder is None:
            raise DomainError("lease_lost", device="", at=iso(self._now()))
        if (holder.lesson_id, holder.epoch, holder.connection) != (lesson_id, epoch, connection):
            raise DomainError("lease_lost", device=holder.device, at=iso(holder.granted_ms))
        return holder

    def _open_book(self, lesson_id: str) -> LessonBook:
        book = self.register.books.get(lesson_id)
        if book is None or book.finished():
            raise DomainError("lesson_ended")
        return book

    async def _tell(self, holder: Holder, reason: End, device: str) -> None:
        if holder.connection:
            await self._ports.tell_lost(holder, reason, device, self._now())

    def _digest(self, resume: str) -> str:
        return self._vault.digest("lease.resume", resume)

    def _now(self) -> int:
        return self.register.clock.ms()


def _secret() -> str:
    return secrets.token_urlsafe(12)
