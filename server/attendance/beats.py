"""Decides what becomes of a beat: whose page says it, what it is worth, and that it counts once its line is on disk.

This is done for everybody every ten seconds: no database, no Redis, and of what waits for the disk one future for all.
"""

import secrets
from collections.abc import Awaitable
from typing import Final, NamedTuple

from server.attendance.attention import attended, kept
from server.attendance.book import LessonBook
from server.attendance.credit import Anchor, Beat, credit
from server.attendance.intervals import Intervals, clip
from server.attendance.minutes import Lost, slot_of
from server.attendance.pages.service import Pages
from server.attendance.register import Holder, Register
from server.core.actor import Actor
from server.core.clock import iso
from server.core.errors import DomainError
from server.verify.minutes import NOTHING_ODD, Odd, plus

#: our clock may be behind that of the process before us by so much without a cost to the page
MOST_BEHIND_MS: Final = 250
#: what a beat is told that is not taken for its page's
REFUSED: Final = ("beat_refused", "lease_lost")
#: hexadecimal digits of a nonce, and how many nonces are drawn at once
NONCE_DIGITS: Final = 24
NONCES_AT_ONCE: Final = 256
#: what a NamedTuple's own constructor does, in half the time
_made: Final = tuple.__new__


class Acknowledged(NamedTuple):
    """A beat that is on disk. `mono` is of the try that was taken; `note`, once a minute, is signed by the log."""

    seq: int
    nonce: str
    mono: int
    note: str | None = None


class Beats:
    """The one place where beats are taken."""

    def __init__(self, register: Register, pages: Pages) -> None:
        self._register = register
        self._pages = pages
        self._nonces: list[str] = []

    async def take(self, actor: Actor, connection: str, lesson_id: str, epoch: int, beat: Beat) -> Acknowledged:
        """Take a beat and return once it is on disk.

        Raises DomainError lease_lost (another page holds the lease), beat_refused, lesson_ended, disk_full.
        """
        register, person_id = self._register, actor.person_id
        received_ms = register.clock.ms()
        if register.slept(received_ms):
            await register.awake()
            received_ms = register.clock.ms()
        lock = register.lock(person_id)
        if not lock.take():
            await lock.wait()
        try:
            holder = self._speaks(actor, connection, lesson_id, epoch, beat)
            owned = register.owners.check(lesson_id)
            heard_ms = received_ms + (_behind(holder, beat, received_ms) if holder.inherited else holder.behind_ms)
            if beat.nonce != holder.answered_nonce or not _repeats(holder, beat):
                book = self._open_book(lesson_id)
                stored = self._store(book, holder, beat, heard_ms)
                try:
                    await stored
                finally:
                    book.took(person_id)
                register.owners.check(lesson_id, owned)  # frozen meanwhile, another may not have read that line
                self._pages.acknowledge(holder, book, heard_ms)
            seq, nonce, _, _, mono, _ = holder.anchor
            return _made(Acknowledged, (seq, nonce, mono, holder.note))
        except DomainError as error:
            self._count(error, person_id, lesson_id, slot_of(received_ms))
            raise
        finally:
            lock.done()

    def holder_of(self, actor: Actor, connection: str, lesson_id: str, epoch: int) -> Holder:
        """Whose page speaks on this connection. Raises DomainError lease_lost."""
        holder = self._register.holders.get(actor.person_id)
        if holder is None:
            raise DomainError("lease_lost", device="", at=iso(self._register.clock.ms()))
        if not holder.speaks(connection, lesson_id, epoch):
            raise DomainError("lease_lost", device=holder.device, at=iso(holder.granted_ms))
        return holder

    def _speaks(self, actor: Actor, connection: str, lesson_id: str, epoch: int, beat: Beat) -> Holder:
        """The holder whose page says this; one that we inherited shows by its nonce on which connection it is."""
        holder = self._register.holders.get(actor.person_id)
        if holder is not None and holder.speaks(connection, lesson_id, epoch) and connection:
            return holder
        if holder is not None and holder.inherited and not holder.connection:
            same = (holder.lesson_id, holder.epoch, holder.session_id) == (lesson_id, epoch, actor.session_id)
            if same and (not beat.nonce or beat.nonce not in (holder.anchor.nonce, holder.answered_nonce)):
                raise DomainError("beat_refused", why="nonce")  # its page joins again, and proves itself so
            if same:
                holder.connection = connection
        return self.holder_of(actor, connection, lesson_id, epoch)

    def _open_book(self, lesson_id: str) -> LessonBook:
        book = self._register.books.get(lesson_id)
        if book is None or (book.ended and book.finished()):
            raise DomainError("lesson_ended")
        return book

    def _store(self, book: LessonBook, holder: Holder, beat: Beat, received_ms: int) -> Awaitable[None]:
        """Weigh a beat and send its line to the disk; until `took` the time that it is about is not sealed."""
        person_id, reached_ms = holder.person_id, holder.anchor.reached_ms
        ours_ms = book.outage_ms(reached_ms, received_ms) if book.outages else 0
        anchor, front, hidden, lagged_ms, surplus_ms = credit(holder.anchor, beat, received_ms, self._nonce(), ours_ms)
        lost: Lost = ()
        if book.attention is not None:
            front, lost = attended(book.attention, holder.anchor, beat, received_ms, ours_ms, front)
        link = self._pages.link(holder, beat)
        since_ms = book.floor_ms
        if since_ms > reached_ms:
            front, hidden = clip(front, since_ms, anchor.reached_ms), clip(hidden, since_ms, anchor.reached_ms)
            lost = kept(lost, since_ms, anchor.reached_ms)
        else:
            since_ms = reached_ms
        line = holder.line(front, hidden, anchor, beat.nonce, received_ms, link)
        odd = book.odd(person_id, slot_of(received_ms))
        if lagged_ms or surplus_ms:
            odd = plus(odd, Odd(0, lagged_ms, surplus_ms))
        if odd is not NOTHING_ODD:
            line["odd"] = [[slot_of(received_ms), *odd]]
        if lost:
            line["lost"] = lost
        stored = self._register.spool.append(
            line, self._stored, book, holder, beat, received_ms, anchor, link, front, hidden, odd, lost
        )
        book.taking(person_id, since_ms)
        return stored

    def _stored(
        self,
        book: LessonBook,
        holder: Holder,
        beat: Beat,
        received_ms: int,
        anchor: Anchor,
        link: bytes,
        front: Intervals,
        hidden: Intervals,
        odd: Odd,
        lost: Lost,
    ) -> None:
        """What becomes true when a beat is on disk."""
        if beat.signature:
            self._pages.keep(holder, beat, received_ms)
        holder.anchor, holder.answered_nonce, holder.seen_ms, holder.link = anchor, beat.nonce, received_ms, link
        book.add(holder.person_id, front, hidden, anchor.reached_ms, lost)
        if odd is not NOTHING_ODD:
            book.note(holder.person_id, slot_of(received_ms), odd)

    def _count(self, error: DomainError, person_id: str, lesson_id: str, slot: int) -> None:
        """A refused beat changes nothing but this count."""
        book = self._register.books.get(lesson_id)
        if error.code in REFUSED and book is not None and person_id in book.people:
            book.note(person_id, slot, plus(book.odd(person_id, slot), Odd(refused=1)))

    def _nonce(self) -> str:
        """A new one, which nobody can foresee: many are drawn at once."""
        if not self._nonces:
            drawn = secrets.token_hex(NONCE_DIGITS // 2 * NONCES_AT_ONCE)
            self._nonces = [drawn[at : at + NONCE_DIGITS] for at in range(0, len(drawn), NONCE_DIGITS)]
        return self._nonces.pop()


def _behind(holder: Holder, beat: Beat, received_ms: int) -> int:
    """By how much our clock was behind the one before us when an inherited page first spoke: that cost is ours."""
    if holder.inherited and holder.anchor.offset_ms is not None:
        holder.behind_ms = min(max(0, beat.mono + holder.anchor.offset_ms - received_ms), MOST_BEHIND_MS)
    holder.inherited = False
    return holder.behind_ms


def _repeats(holder: Holder, beat: Beat) -> bool:
    """Whether this is the beat that was acknowledged last, said again because its answer was lost."""
    return beat.nonce == holder.answered_nonce != "" and beat.seq == holder.anchor.seq
