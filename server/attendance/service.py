"""Use-cases of a trainee's page: join and leave (beats: beats.py); what happens when its connection or login ends."""

import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Final, TypeVar

from server.attendance import records
from server.attendance.beats import Beats
from server.attendance.credit import MOST_MONO, Anchor
from server.attendance.lease import HOUR_MS, SILENCE_MS, TAKE_OVERS_PER_HOUR, Ask, Decision, End, How, decide
from server.attendance.pages.service import Attests, Pages
from server.attendance.register import Holder, Register
from server.core.actor import Actor
from server.core.clock import iso
from server.core.cluster.owners import Errand
from server.core.cluster.rules import node_of
from server.core.errors import DomainError
from server.core.vault import Vault

Answer = TypeVar("Answer")

#: how often a page that races with others of its account, at other processes, tries to get the lease
JOIN_TRIES: Final = 3
#: what one process asks of another: `give_way` with {lesson_id, entry}
LEASE_YIELD: Final = "lease.yield"
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
    """The one place where leases are granted."""

    def __init__(self, register: Register, vault: Vault, ports: Ports) -> None:
        self.register = register
        self._vault = vault
        self._ports = ports
        self.pages = Pages(register, ports.attests)
        #: take a beat, and whose page speaks on a connection (beats.py)
        beats = Beats(register, self.pages)
        self.beat, self.holder_of = beats.take, beats.holder_of
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
        grant = partial(self._grant, entry, received_ms)
        if entry.actor.person_id not in self.register.holders:
            # as nearly always when a lesson begins: the grant itself reads whether a lease is open
            async with self.register.lock(entry.actor.person_id):
                with suppress(records.Raced):
                    if entry.actor.person_id not in self.register.holders:
                        return await grant(How.NEW, How.NEW)
        for _ in range(JOIN_TRIES):
            with suppress(records.Raced):
                how = await self._elsewhere(entry)
                return await self._once_free(entry, partial(grant, how))
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
            case Decision.IF_SILENT if holder.connection in ("", silent_page, entry.connection):
                # it is gone, silent, or this very page, which has not heard the answer to its join
                await self.register.end_lease(holder, End.RESUMED, self._now())
                return How.RESUME
            case Decision.IF_SILENT if entry.password is None and not asked:
                return None
            case _:
                await self._take_over(entry, holder)
                return How.TAKE_OVER

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
                await self._end(holder, End.SIGNED_OUT, lambda held: held.session_id == session_id)

    async def remove(self, lesson_id: str, person_id: str) -> None:
        """The instructor removed somebody: their lease ends, if it is for this lesson, and the page is told."""
        holder = self.register.holders.get(person_id)
        if holder is not None:
            await self._end(holder, End.REMOVED, lambda held: held.lesson_id == lesson_id)

    async def _end(self, holder: Holder, reason: End, still: Callable[[Holder], bool]) -> None:
        async with self.register.lock(holder.person_id):
            if self.register.holders.get(holder.person_id) is not holder or not still(holder):
                return
            await self.register.end_lease(holder, reason, self._now())
        await self._tell(holder, reason, holder.device)

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


async def _nobody_elsewhere() -> str:
    return How.NEW


async def _as_it_is(way: How) -> How:
    return way


def _secret() -> str:
    return secrets.token_hex(12)
