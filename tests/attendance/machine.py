"""A lesson under attack beside its twin: the same schedule, once with the attack and once without.

ANN is honest in both. MAL attacks in `here` and is honest in `twin`. What may not happen is checked after every step;
what they earned is compared when all is sealed.
"""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

from hypothesis import currently_in_test_context, event
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.strategies import booleans, integers, sampled_from

from server.attendance import records
from server.attendance.intervals import Intervals, intersect, subtract, total, union
from server.attendance.minutes import MINUTE_MS
from server.core.errors import DomainError
from server.live.lesson import Kind
from server.training.rules import AttentionRule
from server.verify.vouched import Outcome
from tests.attendance.dodge import RULE, WAYS, check_dodges, check_schedule, counted
from tests.attendance.side import ANN, MAL, Seat, Side
from tests.attendance.world import LESSON, PASSWORD, T0, Page, World

#: attacks that forge, repeat or steal: they may change nothing at all
CHATTER: Final = ("again", "replay", "guess", "empty", "ahead", "mine as yours", "yours as mine", "old epoch", "tab")
#: what a scheme asks of pages in front; the twin's asks nothing
ATTENTION: Final = (AttentionRule(True, 300_000), AttentionRule(True, None), AttentionRule(False, 300_000), None)


def note(what: str) -> None:
    """For Hypothesis's statistics, when it plays."""
    if currently_in_test_context():
        event(what)


class LessonMachine(RuleBasedStateMachine):
    """Rules are the schedule (both sides) and the attack (only `here`)."""

    template: Path
    beats: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="keshi-test-"))
        self.runner = asyncio.Runner()
        self.honest, self.hurried, self.delayed, self.dodged = True, False, False, False
        self.journal: dict[int, Any] = {}
        self.here: Side
        self.twin: Side

    def run_async(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @initialize(offset=integers(0, 10**12), attention=sampled_from(ATTENTION))
    def begin(self, offset: int, attention: AttentionRule | None) -> None:
        """I10: the pages' clocks start anywhere. I13: who pays attention loses nothing where the scheme asks for it."""
        self.attention = attention

        async def make() -> None:
            self.here = Side(
                await World.make(self.folder / "here", self.template, rule=RULE, attention=attention), offset
            )
            self.twin = Side(await World.make(self.folder / "twin", self.template, rule=RULE), 0)
            for side in (self.here, self.twin):
                await side.happen(Kind.STARTING)
                await side.happen(Kind.STARTED)
                for seat in side.seats.values():
                    seat.page.show()
                    await side.enter(seat)
                await side.let_pass(15_000)

        self.run_async(make())

    def both(self, work: Any) -> None:
        """Do the same on both sides."""

        async def do() -> None:
            for side in (self.here, self.twin):
                await work(side)

        self.run_async(do())

    # ---- the schedule: the same on both sides ---------------------------------------------

    @rule(ms=integers(1, 45_000))
    def time_passes(self, ms: int) -> None:
        self.both(lambda side: side.let_pass(ms))

    @rule(ms=integers(20_000, 90_000))
    def a_good_while(self, ms: int) -> None:
        """The lesson goes on and everybody who is there looks at it."""

        async def work(side: Side) -> None:
            await side.happen(Kind.INSTRUCTOR_BACK)
            await side.happen(Kind.RESUMED)
            for seat in side.seats.values():
                seat.page.show()
            await side.let_pass(ms)

        self.both(work)

    @rule(who=sampled_from([ANN, MAL]))
    def turn_the_page(self, who: Any) -> None:
        async def turn(side: Side) -> None:
            page = side.seats[who.person_id].page
            page.show() if page.since is None else page.hide()

        self.both(turn)

    @rule(kind=sampled_from([Kind.BREAK_BEGAN, Kind.RESUMED, Kind.INSTRUCTOR_LEFT, Kind.INSTRUCTOR_BACK]))
    def the_instructor(self, kind: Kind) -> None:
        self.both(lambda side: side.happen(kind))

    @rule(who=sampled_from([ANN, MAL]))
    def reload(self, who: Any) -> None:
        async def work(side: Side) -> None:
            if side.seats[who.person_id].inside:
                await side.reload(side.seats[who.person_id])

        self.both(work)

    @rule(who=sampled_from([ANN, MAL]))
    def take_over(self, who: Any) -> None:
        async def work(side: Side) -> None:
            if side.seats[who.person_id].inside and side.seats[who.person_id].pages < 4:
                await side.reload(side.seats[who.person_id], PASSWORD)

        self.both(work)

    @rule(who=sampled_from([ANN, MAL]))
    def leave_or_come(self, who: Any) -> None:
        async def work(side: Side) -> None:
            seat = side.seats[who.person_id]
            if seat.inside:
                await side.say_the_last(seat)
                side.look_back(seat)
                seat.inside, page = False, seat.page
                await side.world.attendance.leave(page.actor, page.connection, LESSON, page.epoch)
                page.resume = None
            else:
                seat.pages += 1
                shown = seat.page.since is not None
                seat.page = Page(side.world, seat.page.actor, f"page-{seat.pages}", rate=seat.page.rate)
                seat.page.show() if shown else seat.page.hide()
                await side.enter(seat)

        self.both(work)

    @rule(who=sampled_from([ANN, MAL]), ms=integers(0, 20_000))
    def reconnect(self, who: Any, ms: int) -> None:
        """The connection breaks, time passes for everybody, the same page is back."""

        async def work(side: Side) -> None:
            seat = side.seats[who.person_id]
            if not seat.inside:
                return
            await seat.page.drop()
            seat.inside, seat.on_its_way = False, None
            await side.let_pass(ms)
            seat.inside = True
            await seat.page.join()

        self.both(work)

    @rule()
    def both_restart(self) -> None:
        self.both(lambda side: side.restart())

    # ---- the attack: only here --------------------------------------------------------------

    @rule()
    def crash(self) -> None:
        """I12: not an attack, but it may cost nobody anything, so the twin goes without."""
        left = self.here.lesson.instructor_left_ms
        if left is None:
            self.run_async(self.here.restart())

    @property
    def mal(self) -> Seat:
        return self.here.seats[MAL.person_id]

    @precondition(lambda self: self.mal.inside and bool(self.mal.page.sent))
    @rule(how=sampled_from(CHATTER), pick=integers(0, 10**6))
    def chatter(self, how: str, pick: int) -> None:
        """I3, I6: duplicates, replays, forgeries, other people's messages, fenced pages, second tabs."""

        async def work() -> None:
            before = [await self.here.credit_ms(seat) for seat in self.here.seats.values()]
            try:
                await self._say(how, pick)
            except DomainError as error:
                note(f"refused: {error.code}")
            assert before == [await self.here.credit_ms(seat) for seat in self.here.seats.values()], how
            self.here.beats["attacks"] += 1

        self.run_async(work())

    async def _say(self, how: str, pick: int) -> None:
        ann, mal = self.here.seats[ANN.person_id].page, self.mal.page
        beat = self.here.world.attendance.beat
        now = mal.sent[-1]._replace(seq=mal.seq + 1, mono=mal.mono(), spans=((0, mal.mono()),))
        foreign = now._replace(nonce=ann.nonce)
        old = mal.sent[pick % len(mal.sent)]
        said = {
            "again": now._replace(seq=mal.seq, nonce=mal.sent[-1].nonce),
            "replay": old._replace(seq=min(old.seq, mal.seq), mono=mal.mono()),
            "guess": now._replace(nonce=f"guess{pick}"),
            "empty": now._replace(seq=mal.seq, nonce=""),
            "ahead": now._replace(seq=mal.seq + 2 + pick, nonce=mal.nonce),
            "yours as mine": foreign,
        }
        if how in said:
            await mal.deliver(said[how])
        elif how == "mine as yours":
            await beat(mal.actor, ann.connection, LESSON, ann.epoch, foreign)
        elif how == "old epoch":
            await beat(mal.actor, mal.connection, LESSON, mal.epoch - 1, now._replace(nonce=mal.nonce))
        else:
            await Page(self.here.world, mal.actor, "another-tab", resume=mal.resume).join()

    @rule(beats=integers(1, 8))
    def lose(self, beats: int) -> None:
        """I5."""
        self.mal.lose, self.honest = beats, False

    @precondition(lambda self: not self.hurried)
    @rule(ms=integers(0, 4_000))
    def delay(self, ms: int) -> None:
        """I5."""
        self.mal.delay_ms, self.honest, self.delayed = ms, False, True

    @precondition(lambda self: not self.delayed)
    @rule(rate=sampled_from([1.0, 1.1, 2.0, 4.0]))
    def speed_up(self, rate: float) -> None:
        """I11; not together with delay: whose messages take d and whose clock is any may say what they like about d."""
        self.mal.page.set_rate(rate)
        self.honest, self.hurried = False, True

    @rule(what=sampled_from(["focus", "active"]), there=booleans())
    def look_away(self, what: str, there: bool) -> None:
        """Costs just this time where the scheme asks for it, and nothing anywhere else."""
        asked = self.attention and (self.attention.focus if what == "focus" else self.attention.idle_ms)
        if self.mal.inside and (asked or there):
            self.here.look(self.mal, what, there)
        elif self.mal.inside:
            getattr(self.mal.page, what).turn(there, self.mal.page.mono())

    @rule(way=sampled_from(WAYS))
    def face_challenges(self, way: str) -> None:
        """I14, I15: dodging changes nothing of what is recorded, and only takes from what counts."""
        self.mal.way = way
        self.dodged = self.dodged or way != "right"

    # ---- what holds ---------------------------------------------------------------------------

    @invariant()
    def sealed_minutes_stay_and_add_up(self) -> None:
        """I1, I4, and I2 for what is not sealed: nothing beyond now."""
        if not hasattr(self, "twin"):
            return

        async def look() -> None:
            async with self.here.world.database.read() as connection:
                minutes = {one.slot: one for one in await records.sealed_minutes(connection, LESSON)}
            assert self.journal.items() <= minutes.items(), "a sealed minute changed"
            assert sorted(minutes) == list(range(T0 // MINUTE_MS, T0 // MINUTE_MS + len(minutes)))
            self.journal = minutes
            for minute in minutes.values():
                for record in minute.records:
                    assert 0 <= record.credit_ms <= record.delivered_ms == minute.delivered_ms <= MINUTE_MS
            for seat in self.here.seats.values():
                credit = await self.here.credit_ms(seat)
                person = seat.page.actor.person_id
                assert credit >= self.here.earned.get(person, 0), "credit fell"
                self.here.earned[person] = credit

        self.run_async(look())

    async def finish(self, side: Side) -> dict[str, Intervals]:
        """Everybody says their last, the lesson ends, all is sealed; X must lie in lease and open (I2, I8)."""
        for seat in side.seats.values():
            if seat.inside:
                await side.say_the_last(seat)
            side.look_back(seat)
        await side.happen(Kind.RESUMED)
        await side.happen(Kind.ENDED)
        await side.world.challenge()
        now = side.world.now()
        await side.world.seal_all()
        sealed = await side.world.sealed()
        for person, credited in sealed.items():
            assert subtract(credited, side.open_until(now)) == (), "credited while it was not open"
            assert subtract(credited, await side.world.held(person)) == (), "credited without a lease"
        return sealed

    def teardown(self) -> None:
        """Compare, then clean up."""
        try:
            if hasattr(self, "twin"):
                here, twin = (self.run_async(self.finish(side)) for side in (self.here, self.twin))
                self.compare(here, twin)
                self.compare_counted(here, twin)
        finally:
            for side in ("here", "twin"):
                if hasattr(self, side):
                    self.run_async(getattr(self, side).world.close())
            self.runner.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def compare(self, here: dict[str, Intervals], twin: dict[str, Intervals]) -> None:
        """The honest keep every millisecond; the attacker gains none."""
        ann, mal = ANN.person_id, MAL.person_id
        assert here.get(ann, ()) == twin.get(ann, ()), "an attack of another, or a crash, changed what ANN has"
        away = union(self.mal.away)
        if self.honest:
            assert here.get(mal, ()) == subtract(twin.get(mal, ()), away), "chatter or a crash changed something"
        elif not (self.hurried or self.delayed):
            assert intersect(here.get(mal, ()), away) == (), "credited while they looked away"
        self.beats["away"] += total(intersect(twin.get(mal, ()), away)) > 0
        assert total(here.get(mal, ())) <= total(twin.get(mal, ())), "the attack gained"
        assert total(intersect(union(here.get(mal, ())), ((0, T0),))) == 0
        self.beats.update(self.here.beats)
        note("attacked" if not self.honest else "honest")
        note("earned something" if here.get(mal) else "earned nothing")

    def compare_counted(self, here: dict[str, Intervals], twin: dict[str, Intervals]) -> None:
        """I13 to I15: the honest keep what was recorded of them, whoever dodges has what was vouched for."""
        ann, mal = ANN.person_id, MAL.person_id
        ours, theirs = (self.run_async(side.world.happened()) for side in (self.here, self.twin))
        for side, events, recorded in ((self.here, ours, here), (self.twin, theirs, twin)):
            self.beats["asked"] += check_schedule(self.run_async(side.world.seed()), events, recorded)
            assert counted(events, ann, recorded.get(ann, ())) == recorded.get(ann, ()), "an honest trainee lost time"
        confirmed = counted(ours, mal, here.get(mal, ()))
        if self.honest and not self.dodged:
            assert confirmed == here.get(mal, ())
        assert total(confirmed) <= total(counted(theirs, mal, twin.get(mal, ()))), "dodging gained"
        self.beats["voids"] += check_dodges(ours.get(mal, []), confirmed)
        self.beats["passes"] += sum(1 for one in ours.get(ann, ()) if one.outcome is Outcome.PASSED)
