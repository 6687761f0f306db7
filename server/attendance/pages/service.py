"""Use-cases of pages' keys: check what they sign, keep the newest of each minute, sign what pages were acknowledged."""

from typing import Final, Protocol

from server.attendance.book import LessonBook
from server.attendance.credit import Beat
from server.attendance.minutes import slot_of
from server.attendance.pages import records
from server.attendance.pages.rules import acknowledged, proves
from server.attendance.register import Holder, Register
from server.core.errors import DomainError
from server.verify.acks import Ack
from server.verify.notes import decode
from server.verify.pages import check_page, first_link, head_text, join_text, next_link
from server.verify.signatures import Signed
from server.verify.tree import Refused

#: how often the signatures of minutes that are over are written
ROUND_S: Final = 1.0


class Attests(Protocol):
    """Who signs acknowledgements: the log."""

    @property
    def origin(self) -> str:
        """The log's name."""
        ...

    def attest(self, text: str) -> str:
        """The signed note of a text that is no checkpoint."""
        ...


class Pages:
    """The keys of the pages that hold leases, and what they have signed."""

    def __init__(self, register: Register, attests: Attests | None) -> None:
        self._register = register
        self._attests = attests
        self._signed: dict[tuple[str, int], dict[tuple[str, int], Signed]] = {}

    def check_join(self, lesson_id: str, page: str, key: str | None, nonce: str | None, proof: str | None) -> None:
        """A page that brings a key shows that it has it. Raises DomainError page_key_wrong."""
        if key is None and proof is None:
            return
        try:
            check_page(key or "", proof or "", join_text(lesson_id, page, nonce or ""))
        except Refused as error:
            raise DomainError("page_key_wrong") from error

    def proves(self, holder: Holder, key: str | None, nonce: str | None) -> bool:
        """Whether a join that was checked comes from the page that holds this lease."""
        nonces = (holder.anchor.nonce, holder.answered_nonce)
        return proves(key, nonce, holder.key, holder.anchor.seq, nonces)

    def begin(self, holder: Holder) -> None:
        """The page was just told seq and nonce of its lease: from here on its beats make a chain."""
        if holder.key:
            anchor = holder.anchor
            holder.link = first_link(holder.lesson_id, holder.epoch, anchor.seq, anchor.nonce)

    def link(self, holder: Holder, beat: Beat) -> bytes:
        """The chain with this beat, empty for a page without a key. Raises DomainError beat_refused (signature)."""
        if beat.signature:
            text = head_text(holder.lesson_id, holder.epoch, holder.anchor.seq, holder.link)
            try:
                check_page(holder.key, beat.signature, text)
            except Refused as error:
                raise DomainError("beat_refused", why="signature") from error
        if not holder.link:
            return b""
        seq, nonce, mono, spans, _, attended = beat
        return next_link(holder.link, seq, nonce, mono, spans, attended)

    def keep(self, holder: Holder, beat: Beat, received_ms: int) -> None:
        """The beat is on disk: its signature, of all before it, is the newest of this lease and minute."""
        if beat.signature:
            signed = Signed(holder.person_id, holder.epoch, beat.seq - 1, holder.link, decode(beat.signature))
            minute = self._signed.setdefault((holder.lesson_id, slot_of(received_ms)), {})
            minute[holder.person_id, holder.epoch] = signed

    def acknowledge(self, holder: Holder, book: LessonBook, received_ms: int) -> None:
        """Once a minute, and when the lesson is over: sign what this page has been acknowledged so far."""
        slot = slot_of(received_ms)
        holder.note = None
        if self._attests is None or (slot == holder.noted_slot and not book.ended):
            return
        sealed_slot, sealed_ms, minutes = acknowledged(book, holder.person_id)
        about = (holder.lesson_id, holder.person_id, holder.epoch, holder.anchor.seq, holder.link)
        ack = Ack(self._attests.origin, *about, sealed_slot, sealed_ms, minutes)
        holder.note, holder.noted_slot = self._attests.attest(str(ack)), slot

    async def round(self) -> None:
        """Write the signatures of minutes that are over; what could not be written is tried again."""
        now = slot_of(self._register.clock.ms())
        due = sorted(key for key in self._signed if key[1] < now)
        if not due:
            return
        lessons = sorted({lesson_id for lesson_id, _ in due})
        async with self._register.database.write(*(f"lesson:{lesson_id}" for lesson_id in lessons)) as connection:
            ours = await self._register.owners.fence(connection, lessons)
            for lesson_id, slot in due:
                if lesson_id in ours:
                    await records.add_signatures(connection, lesson_id, slot, self._signed[lesson_id, slot].values())
        for key in due:
            del self._signed[key]
