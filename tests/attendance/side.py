"""One of the two servers of the invariants' machine: its lesson, its trainees, and how time passes for them."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final

from server.attendance.credit import Beat
from server.attendance.intervals import Interval, Intervals
from server.attendance.timeline import delivered_until
from server.core.errors import DomainError
from server.live.lesson import Event, Kind, Lesson, apply, decide, timeline
from tests.attendance.dodge import face
from tests.attendance.world import BEAT_EVERY_MS, Page, World, trainee

ANN, MAL = trainee(1), trainee(2)
STEP_MS: Final = 1_000


@dataclass
class Seat:
    """A trainee at one server: the page, when it beat last, what is on its way."""

    page: Page
    beat_ms: int = 0
    lose: int = 0
    delay_ms: int = 0
    on_its_way: tuple[int, Beat] | None = None
    pages: int = 1
    inside: bool = True
    #: what they do with challenges (dodge.WAYS)
    way: str = "right"
    #: since when they look away (focus, or nobody moves), and when they did
    away_since: dict[str, int] = field(default_factory=dict)
    away: list[Interval] = field(default_factory=list)


class Side:
    """One of the two servers, its lesson's events and its trainees."""

    def __init__(self, world: World, offset: int) -> None:
        self.world = world
        self.events: list[Event] = []
        self.lesson = Lesson()
        self.seats = {one.person_id: Seat(Page(world, one, base=offset)) for one in (ANN, MAL)}
        self.earned: dict[str, int] = {}
        self.beats: Counter[str] = Counter()

    async def happen(self, kind: Kind, since_ms: int | None = None) -> None:
        """A command of the instructor's, or an event about us; what is not allowed does not happen."""
        try:
            happened = decide(self.lesson, kind, self.world.now(), "", since_ms)
        except DomainError:
            return
        self.events.append(happened)
        self.lesson = apply(self.lesson, happened)
        await self.world.set_timeline(timeline(self.events), kind is Kind.ENDED)

    async def let_pass(self, ms: int) -> None:
        """Time passes; pages beat when they should, minutes are sealed when they are due."""
        while ms > 0:
            step = min(ms, STEP_MS)
            self.world.clock.advance(step)
            ms -= step
            for seat in self.seats.values():
                await self._live(seat)
            await self.world.challenge()
            for seat in self.seats.values():
                if seat.inside:
                    await face(self.world, seat.page, seat.way)
            if self.world.now() // 5_000 != (self.world.now() - step) // 5_000:
                await self.world.sealer.round()

    async def _live(self, seat: Seat) -> None:
        now = self.world.now()
        if seat.on_its_way is not None:
            if now >= seat.on_its_way[0]:
                await self.arrive(seat)
        elif seat.inside and now - seat.beat_ms >= BEAT_EVERY_MS:
            await self.beat(seat)

    async def beat(self, seat: Seat) -> None:
        """The page says where it is."""
        seat.beat_ms = self.world.now()
        said = seat.page.take()
        if seat.lose:
            seat.lose -= 1
            return
        seat.on_its_way = (self.world.now() + seat.delay_ms, said)
        if not seat.delay_ms:
            await self.arrive(seat)

    def look(self, seat: Seat, what: str, there: bool) -> None:
        """The window has the focus, or somebody moves (`what` of the page), or not."""
        getattr(seat.page, what).turn(there, seat.page.mono())
        if not there:
            seat.away_since.setdefault(what, self.world.now())
        elif what in seat.away_since:
            seat.away.append((seat.away_since.pop(what), self.world.now()))

    def look_back(self, seat: Seat) -> None:
        """A new page has focus and attention."""
        for what in list(seat.away_since):
            self.look(seat, what, True)

    async def say_the_last(self, seat: Seat) -> None:
        """What a page says when it goes away always arrives: only so can both sides be compared."""
        if seat.on_its_way is not None:
            await self.arrive(seat)
        said, seat.beat_ms = seat.page.take(), self.world.now()
        seat.on_its_way = (seat.beat_ms, said)
        await self.arrive(seat)

    async def arrive(self, seat: Seat) -> None:
        """A beat reaches the server, and its answer the page."""
        assert seat.on_its_way is not None
        said, seat.on_its_way = seat.on_its_way[1], None
        before = await self.credit_ms(seat)
        seat.page.heard(await seat.page.deliver(said))
        self.beats["earned" if await self.credit_ms(seat) > before else "nothing"] += 1

    async def credit_ms(self, seat: Seat) -> int:
        return (await self.world.book()).credit_ms(seat.page.actor.person_id, self.world.now())

    async def enter(self, seat: Seat, password: str | None = None) -> None:
        """Join and beat at once, as the web client does."""
        await seat.page.join(password)
        seat.inside, seat.on_its_way = True, None
        await self.beat(seat)

    async def reload(self, seat: Seat, password: str | None = None) -> None:
        """A new page of the same browser; with a password, of another device."""
        await self.say_the_last(seat)
        self.look_back(seat)
        old = seat.page
        if password is None:
            await old.drop()
        seat.pages += 1
        actor = replace(old.actor, session_id=f"{old.actor.session_id}+") if password else old.actor
        page = Page(self.world, actor, f"page-{seat.pages}", base=seat.pages * 1_000, rate=old.rate)
        page.resume = None if password else old.resume
        if old.since is not None:
            page.show()
        seat.page = page
        await self.enter(seat, password)

    async def restart(self) -> None:
        """The process dies and the next one begins at once; pages and instructor find it again."""
        await self.world.crash()
        await self.happen(Kind.SERVER_BACK, max(self.world.register.last_alive_ms, self.lesson.since_ms))
        for seat in self.seats.values():
            if seat.inside:
                seat.on_its_way = None
                await seat.page.join()
        await self.happen(Kind.INSTRUCTOR_BACK)

    def open_until(self, now_ms: int) -> Intervals:
        return delivered_until(timeline(self.events), now_ms).open
