"""A recorded lesson under honest viewing and attacks, mixed: never more than unique seconds, in any order (I7)."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from hypothesis.strategies import booleans, integers, lists, sampled_from

from server.attendance.intervals import Interval, Intervals, intersect, subtract, total, union
from server.attendance.recorded import Watched, uncover, watch
from server.core.errors import DomainError
from server.training.rules import AttentionRule
from tests.attendance.viewer import T, Viewer

#: of the recording, this much was sent to the page; it may claim more
SERVED: Intervals = ((0, 240_000), (300_000, 420_000))
LEAST_SHARE_EARNING = 0.20
places = integers(0, 450_000)


class Machine(RuleBasedStateMachine):
    """Beside it: what was honestly seen (`seen`), and what the page ever claimed."""

    beats: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.viewer = Viewer(served=SERVED, rule=AttentionRule(True, 60_000))
        self.seen: list[Interval] = []
        self.claimed: list[Interval] = []
        self.voided: list[Interval] = []
        self.away: list[Interval] = []
        self.honest = True

    def heard(self, worth: Watched) -> None:
        if worth.credited or worth.lost:  # else no time has passed
            self.beats["earned" if worth.credited else "nothing"] += 1

    def say(self) -> None:
        start = self.viewer.progress.position
        self.claimed.append((start, self.viewer.place))
        self.heard(self.viewer.say())

    # ---- what people do

    @rule(ms=integers(1_000, 30_000), told=booleans())
    def look(self, ms: int, told: bool) -> None:
        """Without `told` the beat is lost, and the next one says it; together less than a hole that costs."""
        start = self.viewer.place
        self.viewer.pass_(ms)
        self.seen.append((start, self.viewer.place))
        if told or self.unsaid_ms > 30_000:
            self.say()

    @rule(parts=lists(integers(5_000, 30_000), min_size=1, max_size=4))
    def look_for_a_while(self, parts: list[int]) -> None:
        for ms in parts:
            self.look(ms, told=True)

    @property
    def unsaid_ms(self) -> int:
        return T + self.viewer.now - self.viewer.anchor.reached_ms

    @rule(ms=integers(1, 20_000), front=booleans())
    def pause(self, ms: int, front: bool) -> None:
        """The player stands; perhaps the page is in the background."""
        if self.unsaid_ms + ms > 60_000:
            self.say()
        self.viewer.pass_(ms, front=front, speed=0)
        self.say()

    @rule(ms=integers(1, 20_000), focus=booleans())
    def look_away(self, ms: int, focus: bool) -> None:
        """It plays on in a window without focus, or nobody moves."""
        if self.unsaid_ms + ms > 60_000:
            self.say()
        start, begins = self.viewer.place, T + self.viewer.now
        self.viewer.pass_(ms, focus=focus, moves=not focus)
        self.claimed.append((start, self.viewer.place))
        self.away.append((begins, begins + ms))
        self.say()

    @rule(place=places)
    def drag(self, place: int) -> None:
        self.say()
        self.viewer.seek(place)

    @precondition(lambda self: self.viewer.now > 0)
    @rule(start=integers(0, 10**6), ms=integers(1, 60_000))
    def void(self, start: int, ms: int) -> None:
        """A challenge was not passed: a slice of what was earned no longer counts and can be made up."""
        slice_ = (T + start % self.viewer.now, T + start % self.viewer.now + ms)
        self.voided += intersect(self.viewer.progress.credited, (slice_,))
        self.viewer.progress = uncover(self.viewer.progress, (slice_,))

    # ---- what others try

    @rule(ms=integers(1_000, 30_000), speed=sampled_from([1.1, 1.5, 2.0, 4.0]), rate=sampled_from([1.0, 2.0]))
    def hurry(self, ms: int, speed: float, rate: float) -> None:
        """Faster, and perhaps it does not say so."""
        self.say()
        self.honest = False
        self.claimed.append((self.viewer.place, self.viewer.place + int(ms * speed)))
        self.viewer.pass_(ms, speed=speed)
        worth = self.viewer.say(rate=rate)
        self.heard(worth)
        assert total(worth.credited) <= (ms if int(ms * speed) <= ms + 500 and rate == 1.0 else 0)

    @rule(ms=integers(1_000, 30_000), pos0=places, way=integers(-10_000, 60_000))
    def forge(self, ms: int, pos0: int, way: int) -> None:
        """It names places where it never was."""
        self.say()
        self.honest = False
        self.viewer.pass_(ms)
        self.viewer.place = max(pos0 + way, 0)
        self.claimed.append((pos0, self.viewer.place))
        self.heard(self.viewer.say(pos0))

    @precondition(lambda self: self.viewer.said)
    @rule(pick=integers(0, 10**6))
    def replay(self, pick: int) -> None:
        beat, played = self.viewer.said[pick % len(self.viewer.said)]
        viewer = self.viewer
        with pytest.raises(DomainError, match="beat_refused"):
            watch(viewer.anchor, beat, played, viewer.progress, SERVED, T + viewer.now, "again")

    # ---- what holds

    @invariant()
    def never_above_unique_seconds_or_time(self) -> None:
        progress, credited = self.viewer.progress, union(self.viewer.credited)
        assert sum(end - start for start, end in self.viewer.credited) == total(credited), "a millisecond twice"
        assert total(progress.credited) == total(progress.covered), "credit without a new second"
        assert subtract(progress.covered, intersect(SERVED, union(self.claimed))) == ()
        assert subtract(progress.credited, credited) == ()
        assert intersect(progress.credited, union(self.voided)) == ()
        assert intersect(credited, union(self.away)) == (), "credited without attention"
        assert total(credited) <= self.viewer.now

    def teardown(self) -> None:
        self.say()
        if self.honest:
            assert total(union(self.viewer.credited)) >= total(intersect(union(self.seen), SERVED))
            if not self.voided:
                assert self.viewer.progress.covered == intersect(union(self.seen), SERVED), "an honest second is lost"


def run(examples: int, steps: int) -> None:
    beats: Counter[str] = Counter()
    run_state_machine_as_test(
        type("Counted", (Machine,), {"beats": beats}),
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    print(f"beats that earned: {beats['earned']}, that did not: {beats['nothing']}")
    assert beats["earned"] >= LEAST_SHARE_EARNING * beats.total()


@pytest.mark.timeout(120)
def test_no_page_earns_more_than_unique_seconds() -> None:
    run(examples=60, steps=30)


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_no_page_earns_more_than_unique_seconds_at_length() -> None:
    run(examples=2_000, steps=60)
