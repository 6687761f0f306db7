"""Decides what a page proves by its key when it joins, and what its acknowledgements say. Pure."""

from server.attendance.book import LessonBook
from server.attendance.intervals import clip, intersect, subtract, total
from server.attendance.minutes import MINUTE_MS, slot_of
from server.verify.acks import MINUTES_MOST


def proves(key: str | None, nonce: str | None, holds: str, seq: int, nonces: tuple[str, str]) -> bool:
    """Whether a page shows that it is the one that holds a lease with the key `holds`, of which `seq` beats are known.

    `key` has signed the join already. The nonce is the last one that the page was given; the answer that brought it a
    newer one may be lost. A lease without a key is proven by page id and resume alone (lease.decide).
    """
    return not holds or (key == holds and (seq == 0 or (nonce is not None and nonce in nonces)))


def acknowledged(book: LessonBook, person_id: str) -> tuple[int, int, tuple[tuple[int, int], ...]]:
    """What stands behind an acknowledgement: the minute before which all is sealed, the milliseconds credited in those,
    and the milliseconds in front by minute after it, without what was a fault of ours.
    """
    person = book.person(person_id)
    front = intersect(person.front, person.presence(person.reached_ms).held)
    front = subtract(front, book.delivered(person.reached_ms).fault)
    sealed = book.floor_ms // MINUTE_MS
    first = max(sealed, slot_of(front[0][0])) if front else sealed
    last = slot_of(front[-1][1] - 1) if front else first - 1
    newest = range(max(first, last + 1 - MINUTES_MOST), last + 1)
    spent = [(slot, total(clip(front, slot * MINUTE_MS, (slot + 1) * MINUTE_MS))) for slot in newest]
    return book.next_slot or 0, person.sealed_credit_ms, tuple((slot, ms) for slot, ms in spent if ms)
