"""Use-cases of challenges: commit to a lesson's seed, ask who is due, take answers, note silence, reveal the seed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from server.attendance.book import LessonBook
from server.attendance.challenges import pace, records, rules
from server.attendance.challenges.lesson import Answer, ChallengeState, Lesson, Line
from server.attendance.challenges.pace import Said
from server.attendance.challenges.provider import ChallengeProvider, Prompt, Question
from server.attendance.challenges.rules import Asked, Event, Heard, Standing
from server.attendance.challenges.seeds import Seeds
from server.attendance.lease import End
from server.attendance.register import Holder, Register
from server.core.actor import Actor
from server.core.errors import DomainError
from server.core.vault import Vault
from server.training.rules import ChallengeRule
from server.training.service import Connection
from server.verify.schedule import draw

ROUND_S: Final = 1.0
#: so often it is looked who is due: to the second nobody needs to know
LOOK_EVERY_MS: Final = 5_000
#: a provider that takes longer has failed; much less than anybody has to answer
PROVIDER_S: Final = 10.0

log = structlog.get_logger("attendance.challenges")


#: show the page of a connection how it stands; whether it acknowledged that
Show = Callable[[str, ChallengeState], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Ports:
    """What challenges ask of the rest: a lesson's rule, a page that is shown something, and of attendance who speaks
    for the lease on a connection (raises DomainError lease_lost).
    """

    rule_of: Callable[[str], Awaitable[ChallengeRule | None]]
    show: Show
    holds: Callable[[Actor, str, str, int], Holder]


class Challenges:
    """Asks the trainees of this process's lessons. Without a provider no lesson starts in which they must be asked."""

    def __init__(
        self, register: Register, vault: Vault, ports: Ports, provider: ChallengeProvider | None = None
    ) -> None:
        self._register, self._ports, self.provider = register, ports, provider
        self.seeds = Seeds(register, vault)
        self._lessons: dict[str, Lesson] = {}
        self._without: set[str] = set()
        self._switched: dict[tuple[str, str], int] = {}
        self._lines: dict[tuple[str, str], Line] = {}
        #: what is being shown to a connection, one thing at a time
        self.showing: dict[str, asyncio.Task[None]] = {}
        self._loading = asyncio.Lock()
        register.on_lease_end.append(self._lease_ended)
        register.on_lesson_start.append(self.begin)
        register.on_lesson_over.append(self._round)  # else a restart after the end could leave its seed hidden

    async def begin(self, lesson_id: str) -> None:
        """Commit to a seed, if planning did not. Raises DomainError challenges_unavailable when nobody could ask."""
        rule = await self._ports.rule_of(lesson_id)
        if rule is None:
            return
        if self.provider is None:
            raise DomainError("challenges_unavailable")
        async with self._loading:  # else a lesson that is being read would be taken for one without challenges
            await self.seeds.commit(lesson_id, rule, owned=True)
            self._without.discard(lesson_id)

    async def round(self) -> None:
        """Ask who is due, note whose time is over, tell pages how they stand. A lesson that fails stops no other."""
        await self._register.awake()
        books = list(self._register.books.items())
        done = await asyncio.gather(*(self._round(*each) for each in books), return_exceptions=True)
        gone = self._lessons.keys() - self._register.books.keys()
        for lesson_id in gone:
            del self._lessons[lesson_id]
        self._without &= self._register.books.keys()
        for failed in done:
            if failed is not None:
                raise failed

    async def answer(self, actor: Actor, connection: str, said: Answer) -> ChallengeState:
        """Judge an answer; one that is repeated changes nothing.

        Raises DomainError lease_lost, challenge_over, challenge_too_fast: it is none, and the question waits.
        """
        received_ms = self._now()
        self._ports.holds(actor, connection, said.lesson_id, said.epoch)
        async with self._in_line(said.lesson_id, actor.person_id, received_ms):
            await self._register.awake()
            known, provider = await self._challenged(said.lesson_id)
            if not await self._is_judged(known, actor.person_id, said.number, received_ms):
                paced = await self._paced(known, actor.person_id, said.number, received_ms)
                right = await self._judge(known, provider, actor.person_id, said)
                await self._decide(known, paced, right)
        return await self._state(known, actor.person_id)

    async def again(self, actor: Actor, connection: str, lesson_id: str, epoch: int) -> ChallengeState:
        """A trainee who is blocked asks to be verified.

        Raises DomainError lease_lost, challenge_over, challenge_too_soon (data: retry_after_s).
        """
        holder = self._ports.holds(actor, connection, lesson_id, epoch)
        known, _ = await self._challenged(lesson_id)
        async with self._settled(known, actor.person_id) as standing:
            if standing.asked is None or actor.person_id not in known.unasked:
                rules.check_again(standing, self._now())
                await self._issue(known, holder, self._now())
        return await self._state(known, actor.person_id)

    async def state(self, lesson_id: str, person_id: str) -> ChallengeState | None:
        """How a trainee stands now; None where nobody is challenged."""
        known = await self._known(lesson_id)
        return await self._state(known, person_id) if known else None

    # ---- an answer

    @asynccontextmanager
    async def _in_line(self, lesson_id: str, person_id: str, received_ms: int) -> AsyncIterator[None]:
        """A trainee's answers are judged in the order in which they came, and nothing is overdue meanwhile."""
        key = lesson_id, person_id
        line = self._lines.setdefault(key, Line())
        line.received.append(received_ms)
        try:
            async with line.lock:
                yield
        finally:
            line.received.remove(received_ms)
            if not line.received:
                del self._lines[key]

    def _is_answered(self, known: Lesson, person_id: str, asked: Asked) -> bool:
        """Whether an answer that came in time is being judged just now."""
        line = self._lines.get((known.lesson_id, person_id))
        return line is not None and min(line.received) <= asked.deadline_ms

    async def _is_judged(self, known: Lesson, person_id: str, number: int, received_ms: int) -> bool:
        """Whether this challenge is decided already. Raises DomainError challenge_over."""
        async with self._settled(known, person_id) as standing:
            if standing.asked is None and standing.decided is not None and standing.number == number:
                return True
            rules.check_answer(standing, number, received_ms)
            return False

    async def _judge(self, known: Lesson, provider: ChallengeProvider, person_id: str, said: Answer) -> bool | None:
        """What the provider says, however long that takes; None when it fails."""
        try:
            async with asyncio.timeout(PROVIDER_S):
                return await provider.judge(_question(known, person_id, said.number), said.answer)
        except Exception as error:  # noqa: BLE001  whatever it is, it is not the trainee's
            log.error("challenge_not_judged", lesson=known.lesson_id, person=person_id, error=type(error).__name__)
            return None

    async def _paced(self, known: Lesson, person_id: str, number: int, received_ms: int) -> Said:
        """An answer with its delay. Raises DomainError challenge_too_fast, once that is written down."""
        asked = known.asked_now(person_id)
        if asked is None:
            raise DomainError("challenge_over")
        sent = known.sent_to(person_id, asked, asked.since_ms)
        delay_ms = max(0, received_ms - sent.at_ms)
        try:
            pace.check(max(sent.at_ms, sent.fast_ms), received_ms)
        except DomainError:
            if sent.fast < pace.FAST_KEPT and received_ms > sent.fast_ms:
                sent.fast += 1
                async with self._writing(known) as connection:
                    said = Said(person_id, received_ms, number, delay_ms, False)
                    await records.add_answer(connection, known.lesson_id, said)
            sent.fast_ms = received_ms
            raise
        return Said(person_id, received_ms, number, delay_ms, True)

    async def _decide(self, known: Lesson, said: Said, right: bool | None) -> None:
        """Raises DomainError challenge_over: it was withdrawn while it was judged."""
        person_id = said.person_id
        if right is None:
            known.anew.add(person_id)
        async with self._settled(known, person_id) as standing:
            asked = standing.asked
            if asked is None or asked.number != said.number:
                raise DomainError("challenge_over")
            if right is not None:
                at_ms = max(said.at_ms, standing.at_ms)
                event = rules.answered(standing, asked, at_ms, right, self._credit_ms(known, person_id))
                await self._happen(known, person_id, event, said)

    # ---- a round

    async def _round(self, lesson_id: str, book: LessonBook) -> None:
        known = await self._known(lesson_id)
        if known is None or book.first_slot is None:
            return
        async with known.lock:
            now = self._now()
            look = now - known.looked_ms >= LOOK_EVERY_MS
            for person_id in list(book.people):
                await self._settle(known, person_id)
                while (event := self._next(known, book, person_id, now)) is not None:
                    await self._happen(known, person_id, event)
                holder = self._holder(lesson_id, person_id)
                if look and holder is not None and self._is_due(known, book, holder, now):
                    await self._issue(known, holder, now)
            known.looked_ms = now if look else known.looked_ms
            if book.ended and not known.revealed:
                await self.seeds.reveal(known.lesson_id, known.seed, known.rule)
                known.revealed = True
        for holder in list(self._register.holders.values()):
            if holder.lesson_id == lesson_id and holder.connection:
                self._begin_show(known, holder.person_id, holder.connection)

    def _next(self, known: Lesson, book: LessonBook, person_id: str, now: int) -> Event | None:
        """What happened to what is asked, if anything did."""
        standing, holder = known.standing(person_id), self._holder(known.lesson_id, person_id)
        asked, unasked = standing.asked, person_id in known.unasked
        if asked is not None and self._is_answered(known, person_id, asked):
            return None
        switched_ms = self._switched.pop((known.lesson_id, person_id), None)
        if asked is None:
            return None
        if book.ended and (unasked or asked.deadline_ms >= book.transitions[-1].at_ms):
            return rules.withdrawn(standing, now)
        if switched_ms is not None and (event := rules.paused(standing, switched_ms, known.rule)) is not None:
            return event
        if holder is not None and (event := rules.resumed(standing, now, holder.epoch)) is not None:
            return event
        if unasked:
            return None
        beating = holder is not None and book.person(person_id).reached_ms > asked.since_ms
        return rules.overdue(standing, now, Heard(known.shown.get(person_id) == asked.number, beating))

    def _is_due(self, known: Lesson, book: LessonBook, holder: Holder, now: int) -> bool:
        """Only while the lesson is open: in a break nobody is asked."""
        standing, is_open = known.standing(holder.person_id), book.delivered(now).open
        if self.provider is None or book.ended or not is_open or is_open[-1][1] < now:
            return False
        drawn = draw(known.seed, holder.person_id, standing.number + 1)
        return rules.is_due(standing, book.credit_ms(holder.person_id, now), drawn, known.rule)

    async def _issue(self, known: Lesson, holder: Holder, now: int) -> None:
        standing, credit_ms = known.standing(holder.person_id), self._credit_ms(known, holder.person_id)
        event = rules.issue(standing, max(now, standing.at_ms), holder.epoch, credit_ms, known.rule)
        await self._happen(known, holder.person_id, event)

    def _begin_show(self, known: Lesson, person_id: str, connection: str) -> None:
        """Tell a page how it stands, until it has acknowledged that; nothing else waits for the page."""
        standing, told = known.standing(person_id), known.told.get(person_id)
        is_told = told is not None and told[:2] == (standing.seq, connection) and person_id not in known.unasked
        if is_told or connection in self.showing:
            return
        showing = self._register.tasks.spawn("attendance.challenge", self._show(known, person_id, connection))
        self.showing[connection] = showing
        showing.add_done_callback(lambda _: self.showing.pop(connection, None))

    async def _show(self, known: Lesson, person_id: str, connection: str) -> None:
        state = await self._state(known, person_id)
        mark = (known.standing(person_id).seq, connection, state.state)
        if known.told.get(person_id) != mark and await self._ports.show(connection, state):
            known.told[person_id] = mark
            if state.state == "asked":
                known.shown[person_id] = state.number

    async def _state(self, known: Lesson, person_id: str) -> ChallengeState:
        prompt = await self._prompt(known, person_id)
        standing, asked = known.standing(person_id), known.asked_now(person_id)
        reason = standing.blocked.code if standing.blocked else None
        if asked is None or prompt is None or prompt[0] != asked.number:
            return ChallengeState(known.lesson_id, "blocked" if reason else "clear", standing.number, None, 0, reason)
        known.sent_to(person_id, asked, self._now())
        left_ms = max(0, asked.deadline_ms - self._now())
        return ChallengeState(known.lesson_id, "asked", asked.number, prompt[1], left_ms, reason)

    async def _prompt(self, known: Lesson, person_id: str) -> tuple[int, Prompt] | None:
        """Which challenge a page shows and how; None without one, and when the provider cannot ask.

        Then nothing is held against the trainee, and their time to answer begins once it can.
        """
        asked, provider = known.asked_now(person_id), self.provider
        if asked is None or provider is None:
            return None
        try:
            async with asyncio.timeout(PROVIDER_S):
                prompt = await provider.prompt(_question(known, person_id, asked.number))
        except Exception as error:  # noqa: BLE001  whatever it is, it is not the trainee's
            if person_id not in known.unasked:
                log.error("challenge_not_asked", lesson=known.lesson_id, person=person_id, error=type(error).__name__)
            known.unasked.add(person_id)
            return None
        if person_id in known.unasked:
            known.unasked.remove(person_id)
            known.anew.add(person_id)
            async with self._settled(known, person_id):
                pass
        return asked.number, prompt

    # ---- what is kept

    @asynccontextmanager
    async def _settled(self, known: Lesson, person_id: str) -> AsyncIterator[Standing]:
        """How a trainee stands, which nobody else changes meanwhile."""
        async with known.lock:
            await self._settle(known, person_id)
            yield known.standing(person_id)

    async def _settle(self, known: Lesson, person_id: str) -> None:
        """Before anything is judged: ask anew what our absence or a failed write took time from."""
        if known.pauses < self._register.watch.pauses:
            known.pauses = self._register.watch.pauses
            known.anew |= {each for each, standing in known.standings.items() if standing.asked is not None}
        if person_id not in known.anew:
            return
        async with self._register.database.read() as connection:  # a write that failed may have happened
            events = await records.events_of(connection, known.lesson_id, (person_id,))
        standing = known.standings[person_id] = rules.rebuild(events.get(person_id, ()))
        if (event := rules.restored(standing, self._now(), known.rule)) is not None:
            await self._happen(known, person_id, event)
            known.shown.pop(person_id, None)
        known.anew.discard(person_id)

    async def _happen(self, known: Lesson, person_id: str, event: Event, said: Said | None = None) -> None:
        """Write down what happened, and the answer by which it did."""
        known.anew.add(person_id)
        async with self._writing(known) as connection:
            await records.add_event(connection, known.lesson_id, person_id, event, known.rule)
            if said is not None:
                await records.add_answer(connection, known.lesson_id, said)
        known.standings[person_id] = rules.apply(known.standing(person_id), event)
        known.anew.discard(person_id)
        if known.standing(person_id).asked is None:
            known.unasked.discard(person_id)

    @asynccontextmanager
    async def _writing(self, known: Lesson) -> AsyncIterator[Connection]:
        """A transaction about a lesson that is still ours."""
        async with self._register.database.write(f"challenge:{known.lesson_id}") as connection:
            await self._register.owners.require(connection, known.lesson_id)
            yield connection

    async def _challenged(self, lesson_id: str) -> tuple[Lesson, ChallengeProvider]:
        known = await self._known(lesson_id)
        if known is None or self.provider is None:
            raise DomainError("challenge_over")
        return known, self.provider

    async def _known(self, lesson_id: str) -> Lesson | None:
        """A lesson in which trainees are challenged. What was asked before we had it is asked anew."""
        if lesson_id in self._without or lesson_id in self._lessons:
            return self._lessons.get(lesson_id)
        async with self._loading:
            if lesson_id not in self._lessons:
                known = await self._load(lesson_id)
                if known is None:
                    self._without.add(lesson_id)
                    return None
                self._lessons[lesson_id] = known
            return self._lessons[lesson_id]

    async def _load(self, lesson_id: str) -> Lesson | None:
        rule = await self._ports.rule_of(lesson_id)
        async with self._register.database.read() as connection:
            sealed = await records.sealed_seed(connection, lesson_id)
            events = await records.events_of(connection, lesson_id)
            revealed = await records.revealed(connection, lesson_id)
        if rule is None or sealed is None:
            return None
        seed = self.seeds.opened(lesson_id, sealed)
        standings = {person_id: rules.rebuild(each) for person_id, each in events.items()}
        known = Lesson(lesson_id, rule, seed, revealed is not None, standings, set(), self._register.watch.pauses)
        known.ask_anew()
        return known

    async def _lease_ended(self, holder: Holder) -> None:
        if holder.ended is End.TAKEN_OVER:
            self._switched[holder.lesson_id, holder.person_id] = self._now()

    def _holder(self, lesson_id: str, person_id: str) -> Holder | None:
        holder = self._register.holders.get(person_id)
        return holder if holder is not None and holder.lesson_id == lesson_id else None

    def _credit_ms(self, known: Lesson, person_id: str) -> int:
        book = self._register.books.get(known.lesson_id)
        return book.credit_ms(person_id, self._now()) if book else 0

    def _now(self) -> int:
        return self._register.clock.ms()


def _question(known: Lesson, person_id: str, number: int) -> Question:
    return Question(known.lesson_id, person_id, number, draw(known.seed, person_id, number))
