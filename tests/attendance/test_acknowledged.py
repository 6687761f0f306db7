"""What is acknowledged to a page is kept by the minutes that are sealed later, whatever happened in between."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from server.attendance.book import LessonBook
from server.attendance.minutes import MINUTE_MS
from server.attendance.pages.rules import acknowledged, proves
from server.attendance.timeline import Phase, Transition
from server.verify.acks import MINUTES_MOST, Ack, keeps

ME = "0" * 16
T0 = 29_900_000 * MINUTE_MS
STEPS = st.sampled_from(["front", "front", "front", "hidden", "nothing", "break", "leave", "fault", "seal"])


class Lesson:
    """A book that is filled step by step, as beats, events and the sealer do."""

    def __init__(self) -> None:
        self.book, self.now = LessonBook("lesson"), T0
        self.events = [Transition(T0, Phase.OPEN)]
        self.book.set_timeline(self.events, ended=False)
        self.book.hold(ME, T0, None)
        self.credit: dict[int, int] = {}
        self.delivered: dict[int, int] = {}

    def step(self, what: str, ms: int) -> None:
        person, before = self.book.person(ME), self.now
        self.now += ms
        if what in ("front", "hidden") and person.held_since is not None:
            # a beat tells everything since the last one, also what a fault of ours lies in
            span = ((max(person.reached_ms, self.book.floor_ms, person.held_since), self.now),)
            front, hidden = (span, ()) if what == "front" else ((), span)
            self.book.add(ME, front, hidden, self.now)
        elif what == "leave":
            if person.held_since is None:
                self.book.hold(ME, self.now, None)
            else:
                self.book.release(ME, max(before, person.reached_ms))
        elif what == "break":
            closed = self.events[-1].phase is Phase.OPEN
            self.turn(Phase.CLOSED if closed else Phase.OPEN)
        elif what == "fault" and self.events[-1].phase is Phase.OPEN:
            self.events.append(Transition(max(before, person.reached_ms), Phase.FAULT))
            self.turn(Phase.OPEN)
        elif what == "seal":
            self.seal(self.now)

    def turn(self, phase: Phase) -> None:
        self.events.append(Transition(self.now, phase))
        self.book.set_timeline(self.events, ended=False)

    def seal(self, now: int) -> None:
        for slot in self.book.due(now):
            minute = self.book.judge_slot(slot, now)
            self.delivered[slot] = minute.delivered_ms
            for one in minute.records:
                self.credit[slot] = one.credit_ms
            self.book.sealed(minute)

    def ack(self) -> Ack:
        return Ack("o", "l" * 16, ME, 1, 1, b"", *acknowledged(self.book, ME))


@given(st.lists(st.tuples(STEPS, st.integers(1, 50_000)), min_size=1, max_size=40))
def test_it_is_kept(steps: list[tuple[str, int]]) -> None:
    lesson = Lesson()
    acks = []
    for what, ms in steps:
        lesson.step(what, ms)
        acks.append(lesson.ack())
        assert len(acks[-1].minutes) <= MINUTES_MOST
    lesson.seal(lesson.now + 5 * MINUTE_MS)
    assert all(keeps(ack, lesson.credit, lesson.delivered) for ack in acks)


@given(st.integers(1, 12), st.integers(0, 11))
def test_a_minute_that_is_left_out_is_seen(minutes: int, gone: int) -> None:
    """Of a lesson without a break every minute that was acknowledged counts, to the millisecond."""
    lesson = Lesson()
    for number in range(minutes * 6):
        lesson.step("front", 10_000)
        if number % 6 == 0:
            lesson.step("seal", 0)
    ack = lesson.ack()
    lesson.seal(lesson.now + 5 * MINUTE_MS)
    assert keeps(ack, lesson.credit, lesson.delivered)
    slot = T0 // MINUTE_MS + gone % minutes
    without = {at: ms for at, ms in lesson.credit.items() if at != slot}
    assert not keeps(ack, without, lesson.delivered)
    assert not keeps(ack, {**lesson.credit, slot: lesson.credit[slot] - 1}, lesson.delivered)
    assert not keeps(replace(ack, sealed_ms=ack.sealed_ms + 1), lesson.credit, lesson.delivered)


def test_only_key_and_nonce_together_prove_a_page() -> None:
    assert proves("key", "new", "key", 1, ("new", "old"))
    assert proves("key", "old", "key", 1, ("new", "old"))
    assert not proves("key", "older", "key", 1, ("new", "old"))
    assert not proves("key", None, "key", 1, ("new", ""))
    assert not proves("other", "new", "key", 1, ("new", "old"))
    assert not proves(None, "new", "key", 1, ("new", "old"))
    assert proves("key", None, "key", 0, ("new", "")), "before the first beat there is no last nonce"
    assert not proves("other", None, "key", 0, ("new", ""))
    assert proves(None, None, "", 5, ("new", "old")), "a lease without a key"
