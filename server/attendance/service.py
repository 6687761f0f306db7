"""Use-cases of a trainee's page: join, beat, leave; and what happens when its connection or its login ends."""

import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from server.attendance import records
from server.attendance.book import LessonBook
from server.attendance.credit import MOST_MONO, Anchor, Beat, credit
from server.attendance.intervals import clip
from server.attendance.lease import HOUR_MS, SILENCE_MS, TAKE_OVERS_PER_HOUR, Ask, Decision, End, How, decide
from server.attendance.register import Holder, Register
from server.core.actor import Actor
from server.core.clock import iso
from server.core.errors import DomainError
from server.core.vault import Vault


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that wants to join: its device, its page id, and what it may prove.

    `mono` is its clock when it asked: with it a late first beat costs nothing and a fast clock gains nothing.
    """

    actor: Actor
    lesson_id: str
    connection: str
    device: str
    page: str
    resume: str | None
    password: str | None
    mono: int | None = None


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
    """What attendance asks of the rest: is this the password, does this page still answer, end and tell what lost.

    `answers` and `tell_lost` raise nothing for a connection that is gone.
    """

    verify_password: Callable[[str, str], Awaitable[bool]]
    answers: Callable[[str], Awaitable[bool]]
    tell_lost: Callable[[Holder, End, str, int], Awaitable[None]]


class Attendance:
    """The one place where leases are granted and beats are taken."""

    def __init__(self, register: Register, vault: Vault, ports: Ports) -> None:
        self.register = register
        self._vault = vault
        self._ports = ports
        self._joining: dict[str, bool] = {}

    async def join(self, entry: Entry) -> Granted:
        """Give the account's lease to a page.

        Raises DomainError lease_held, password_wrong, take_over_limit, bad_request (mono).
        """
        if entry.mono is not None and not 0 <= entry.mono <= MOST_MONO:
            raise DomainError("bad_request", field="mono")
        self._joining[entry.connection] = True
        try:
            return await self._join(entry)
        finally:
            if not self._joining.pop(entry.connection):
                await self.gone(entry.connection)  # it ended while it joined

    async def _join(self, entry: Entry) -> Granted:
        received_ms = self._now()
        await self.register.book(entry.lesson_id)
        async with self.register.lock(entry.actor.person_id):
            holder = await self.register.holder(entry.actor.person_id)
            granted = await self._settle(entry, holder, received_ms)
        if granted is not None:
            return granted
        # Ask the old page outside the lock (its beats must go on meanwhile), then decide again.
        old_page = holder.connection if holder else ""
        silent_page = None if await self._ports.answers(old_page) else old_page
        async with self.register.lock(entry.actor.person_id):
            holder = await self.register.holder(entry.actor.person_id)
            granted = await self._settle(entry, holder, received_ms, silent_page)
            if granted is None and holder is not None:
                granted = await self._take_over(entry, holder, received_ms)
        if granted is None:
            raise DomainError("lease_lost", device="", at=iso(self._now()))
        return granted

    async def _settle(
        self, entry: Entry, holder: Holder | None, received_ms: int, silent_page: str | None = None
    ) -> Granted | None:
        """The lease if it can be decided now; None when the holder's page must be asked first."""
        if holder is None:
            return await self._grant(entry, received_ms, None, How.NEW)
        match self._decide(entry, holder):
            case Decision.GRANT:
                return await self._grant(entry, received_ms, holder, How.NEW, End.SILENT)
            case Decision.CONTINUE:
                return self._continue(entry, holder)
            case Decision.IF_SILENT if holder.connection in ("", silent_page):
                return await self._grant(entry, received_ms, holder, How.RESUME, End.RESUMED)
            case Decision.IF_SILENT if entry.password is None:
                return None
            case _:
                return await self._take_over(entry, holder, received_ms)

    async def beat(self, actor: Actor, connection: str, lesson_id: str, epoch: int, beat: Beat) -> Acknowledged:
        """Take a beat and return once it is on disk.

        Raises DomainError lease_lost (another page holds the lease), beat_refused, lesson_ended, disk_full.
        """
        received_ms = self._now()
        async with self.register.lock(actor.person_id):
            holder = self._holder_of(actor, connection, lesson_id, epoch)
            if holder.answered_nonce and (beat.seq, beat.nonce) == (holder.anchor.seq, holder.answered_nonce):
                return Acknowledged(holder.anchor.seq, holder.anchor.nonce)
            book = self._open_book(lesson_id)
            worth = credit(holder.anchor, beat, received_ms, _secret())
            since_ms, until_ms = max(book.floor_ms, holder.anchor.reached_ms), worth.anchor.reached_ms
            front, hidden = (clip(one, since_ms, until_ms) for one in (worth.front, worth.hidden))

            def stored() -> None:
                holder.anchor, holder.answered_nonce, holder.seen_ms = worth.anchor, beat.nonce, received_ms
                book.add(actor.person_id, front, hidden, worth.anchor.reached_ms)

            with book.taking(actor.person_id, since_ms):
                line = holder.line(front, hidden, worth.anchor, beat.nonce, received_ms)
                await self.register.spool.append(line, stored)
            return Acknowledged(worth.anchor.seq, worth.anchor.nonce)

    async def leave(self, actor: Actor, connection: str, lesson_id: str, epoch: int) -> None:
        """The page goes away on purpose: its lease ends now."""
        async with self.register.lock(actor.person_id):
            await self.register.end_lease(self._holder_of(actor, connection, lesson_id, epoch), End.LEFT, self._now())

    async def gone(self, connection: str) -> None:
        """A connection ended; its page may come back and keeps the lease until it has been silent for too long."""
        if connection in self._joining:
            self._joining[connection] = False
        for holder in self.register.holders.values():
            if holder.connection == connection:
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
        ask = Ask(entry.lesson_id, entry.actor.session_id, entry.page, resume)
        return decide(holder.holding(), ask, self._now())

    async def _take_over(self, entry: Entry, holder: Holder, received_ms: int) -> Granted:
        if entry.password is None:
            raise DomainError("lease_held", device=holder.device, since=iso(holder.granted_ms))
        async with self.register.database.read() as connection:
            recent = await records.count_take_overs(connection, holder.person_id, self._now() - HOUR_MS)
        if recent >= TAKE_OVERS_PER_HOUR:
            raise DomainError("take_over_limit", per_hour=TAKE_OVERS_PER_HOUR)
        if not await self._ports.verify_password(entry.actor.person_id, entry.password):
            raise DomainError("password_wrong")
        granted = await self._grant(entry, received_ms, holder, How.TAKE_OVER, End.TAKEN_OVER)
        await self._tell(holder, End.TAKEN_OVER, entry.device)
        return granted

    async def _grant(
        self, entry: Entry, received_ms: int, old: Holder | None, how: How, end: End = End.SILENT
    ) -> Granted:
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
        holder = self.register.take(row, entry.connection, _anchor(entry, row.granted_ms, received_ms), now)
        (await self.register.book(entry.lesson_id)).hold(row.person_id, row.granted_ms, None)
        with suppress(DomainError):  # without room for it, a restart before the first beat forgets the page's clock
            await self.register.spool.append(holder.line((), (), holder.anchor, "", now))
        return Granted(row.epoch, resume, 0, holder.anchor.nonce)

    def _continue(self, entry: Entry, holder: Holder) -> Granted:
        """The same page is back: its clock, its seq and its unacknowledged time go on."""
        holder.connection, holder.seen_ms = entry.connection, self._now()
        holder.session_id = entry.actor.session_id
        if not holder.anchor.nonce:
            holder.anchor = replace(holder.anchor, nonce=_secret())
        if book := self.register.books.get(holder.lesson_id):
            book.touch(holder.person_id)
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


def _secret() -> str:
    return secrets.token_urlsafe(12)
