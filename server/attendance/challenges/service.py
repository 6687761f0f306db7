"""Use-cases of challenges: commit to a lesson's seed, ask who is due, take answers, note silence, reveal the seed."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from server.attendance.book import LessonBook
from server.attendance.challenges import records, rules
from server.attendance.challenges.provider import ChallengeProvider, Prompt, Question
from server.attendance.challenges.rules import Event, Heard, Standing
from server.attendance.lease import End
from server.attendance.register import Holder, Register
from server.core.actor import Actor
from server.core.errors import DomainError
from server.core.vault import Vault
from server.training.rules import ChallengeRule

ROUND_S: Final = 1.0
#: so often it is looked who is due: to the second nobody needs to know
LOOK_EVERY_MS: Final = 5_000
SEAL: Final = "challenge.seed"


@dataclass(frozen=True, slots=True)
class ChallengeState:
    """How a trainee stands: `asked` (with a prompt), `blocked` (nothing counts until they are verified), or `clear`.

    `number` is that of the last challenge; an answer names it. `left_ms`: so long an answer is taken. `reason`: why
    nothing counts.
    """

    lesson_id: str
    state: Literal["clear", "asked", "blocked"]
    number: int
    prompt: Prompt | None
    left_ms: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page says about a challenge: its lease's epoch, which challenge, and the answer."""

    lesson_id: str
    epoch: int
    number: int
    answer: str


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


@dataclass(slots=True)
class _Lesson:
    lesson_id: str
    rule: ChallengeRule
    seed: bytes
    revealed: bool
    standings: dict[str, Standing]
    #: by trainee: the state that a connection's page acknowledged, and the newest challenge that it showed
    told: dict[str, tuple[int, str]] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)
    looked_ms: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def standing(self, person_id: str) -> Standing:
        return self.standings.get(person_id, Standing())


class Challenges:
    """Asks the trainees of this process's lessons. Without a provider no lesson starts in which they must be asked."""

    def __init__(
        self, register: Register, vault: Vault, ports: Ports, provider: ChallengeProvider | None = None
    ) -> None:
        self._register, self._vault, self._ports, self.provider = register, vault, ports, provider
        self._lessons: dict[str, _Lesson] = {}
        self._without: set[str] = set()
        self._switched: dict[tuple[str, str], int] = {}
        self._loading = asyncio.Lock()
        register.on_lease_end.append(self._lease_ended)
        register.on_lesson_start.append(self.begin)

    async def begin(self, lesson_id: str) -> None:
        """Commit to a seed before the lesson. Raises DomainError challenges_unavailable when nobody could ask."""
        rule = await self._ports.rule_of(lesson_id)
        if rule is None:
            return
        if self.provider is None:
            raise DomainError("challenges_unavailable")
        seed = secrets.token_bytes(rules.SEED_BYTES)
        sealed = self._vault.seal(SEAL, seed.hex(), lesson_id)
        async with self._register.database.write(f"challenge:{lesson_id}") as connection:
            if await records.sealed_seed(connection, lesson_id) is None:
                await self._register.owners.require(connection, lesson_id)
                await records.add_seed(connection, lesson_id, seed, sealed, rule.limit_ms // 1000, self._now())
        self._without.discard(lesson_id)

    async def round(self) -> None:
        """Ask who is due, note whose time is over, tell pages how they stand. A lesson that fails stops no other."""
        failed: Exception | None = None
        for lesson_id, book in list(self._register.books.items()):
            try:
                await self._round(lesson_id, book)
            except Exception as error:  # noqa: BLE001  told below
                self._lessons.pop(lesson_id, None)  # what was written is read again
                failed = failed or error
        gone = self._lessons.keys() - self._register.books.keys()
        for lesson_id in gone:
            del self._lessons[lesson_id]
        self._without &= self._register.books.keys()
        if failed is not None:
            raise failed

    async def answer(self, actor: Actor, connection: str, said: Answer) -> ChallengeState:
        """Judge an answer; one that is repeated changes nothing. Raises DomainError lease_lost, challenge_over."""
        received_ms = self._now()
        self._ports.holds(actor, connection, said.lesson_id, said.epoch)
        known, provider = await self._challenged(said.lesson_id)
        async with known.lock:
            standing = known.standing(actor.person_id)
            if standing.asked is None and standing.decided is not None and standing.number == said.number:
                return await self._state(known, actor.person_id)
            asked = rules.check_answer(standing, said.number, received_ms)
            right = await provider.judge(_question(known, actor.person_id, said.number), said.answer)
            at_ms = max(received_ms, standing.at_ms)
            event = rules.answered(standing, asked, at_ms, right, self._credit_ms(known, actor.person_id))
            await self._happen(known, actor.person_id, event)
            return await self._state(known, actor.person_id)

    async def again(self, actor: Actor, connection: str, lesson_id: str, epoch: int) -> ChallengeState:
        """A trainee who is blocked asks to be verified.

        Raises DomainError lease_lost, challenge_over, challenge_too_soon (data: retry_after_s).
        """
        holder = self._ports.holds(actor, connection, lesson_id, epoch)
        known, _ = await self._challenged(lesson_id)
        async with known.lock:
            standing = known.standing(actor.person_id)
            rules.check_again(standing, self._now())
            await self._issue(known, holder, self._now())
            return await self._state(known, actor.person_id)

    async def state(self, lesson_id: str, person_id: str) -> ChallengeState | None:
        """How a trainee stands now; None where nobody is challenged."""
        known = await self._known(lesson_id)
        return await self._state(known, person_id) if known else None

    # ---- a round

    async def _round(self, lesson_id: str, book: LessonBook) -> None:
        known = await self._known(lesson_id)
        if known is None or book.first_slot is None:
            return
        async with known.lock:
            now = self._now()
            look = now - known.looked_ms >= LOOK_EVERY_MS
            for person_id in list(book.people):
                while (event := self._next(known, book, person_id, now)) is not None:
                    await self._happen(known, person_id, event)
                holder = self._holder(lesson_id, person_id)
                if look and holder is not None and self._is_due(known, book, holder, now):
                    await self._issue(known, holder, now)
            known.looked_ms = now if look else known.looked_ms
            if book.ended and not known.revealed:
                await self._reveal(known)
        holders = [one for one in self._register.holders.values() if one.lesson_id == lesson_id and one.connection]
        await asyncio.gather(*(self._show(known, one) for one in holders))

    def _next(self, known: _Lesson, book: LessonBook, person_id: str, now: int) -> Event | None:
        """What happened to what is asked, if anything did."""
        standing, holder = known.standing(person_id), self._holder(known.lesson_id, person_id)
        switched_ms = self._switched.pop((known.lesson_id, person_id), None)
        asked = standing.asked
        if asked is None:
            return None
        if book.ended and asked.deadline_ms >= book.transitions[-1].at_ms:
            return rules.withdrawn(standing, now)
        if switched_ms is not None and (event := rules.paused(standing, switched_ms, known.rule)) is not None:
            return event
        if holder is not None and (event := rules.resumed(standing, now, holder.epoch)) is not None:
            return event
        beating = holder is not None and book.person(person_id).reached_ms > asked.since_ms
        return rules.overdue(standing, now, Heard(known.shown.get(person_id) == asked.number, beating))

    def _is_due(self, known: _Lesson, book: LessonBook, holder: Holder, now: int) -> bool:
        """Only while the lesson is open: in a break nobody is asked."""
        standing, is_open = known.standing(holder.person_id), book.delivered(now).open
        if self.provider is None or not is_open or is_open[-1][1] < now:
            return False
        drawn = rules.draw(known.seed, holder.person_id, standing.number + 1)
        return rules.is_due(standing, book.credit_ms(holder.person_id, now), drawn, known.rule)

    async def _issue(self, known: _Lesson, holder: Holder, now: int) -> None:
        standing, credit_ms = known.standing(holder.person_id), self._credit_ms(known, holder.person_id)
        event = rules.issue(standing, max(now, standing.at_ms), holder.epoch, credit_ms, known.rule)
        await self._happen(known, holder.person_id, event)

    async def _show(self, known: _Lesson, holder: Holder) -> None:
        """Tell a page how it stands, until it has acknowledged that."""
        standing, person_id = known.standing(holder.person_id), holder.person_id
        mark = (standing.seq, holder.connection)
        if not standing.seq or known.told.get(person_id) == mark:
            return
        if await self._ports.show(holder.connection, await self._state(known, person_id)):
            known.told[person_id] = mark
            if standing.asked is not None:
                known.shown[person_id] = standing.asked.number

    async def _state(self, known: _Lesson, person_id: str) -> ChallengeState:
        standing = known.standing(person_id)
        asked, provider = standing.asked, self.provider
        reason = standing.blocked.code if standing.blocked else None
        if asked is None or asked.left_ms is not None or provider is None:
            return ChallengeState(known.lesson_id, "blocked" if reason else "clear", standing.number, None, 0, reason)
        prompt = await provider.prompt(_question(known, person_id, asked.number))
        left_ms = max(0, asked.deadline_ms - self._now())
        return ChallengeState(known.lesson_id, "asked", asked.number, prompt, left_ms, reason)

    # ---- what is kept

    async def _happen(self, known: _Lesson, person_id: str, event: Event) -> None:
        async with self._register.database.write(f"challenge:{known.lesson_id}") as connection:
            await self._register.owners.require(connection, known.lesson_id)
            await records.add_event(connection, known.lesson_id, person_id, event, known.rule)
        known.standings[person_id] = rules.apply(known.standing(person_id), event)

    async def _reveal(self, known: _Lesson) -> None:
        async with self._register.database.write(f"challenge:{known.lesson_id}") as connection:
            await self._register.owners.require(connection, known.lesson_id)
            if await records.revealed(connection, known.lesson_id) is None:
                limit_s = known.rule.limit_ms // 1000
                await records.add_reveal(connection, known.lesson_id, known.seed, limit_s, self._now())
        known.revealed = True

    async def _challenged(self, lesson_id: str) -> tuple[_Lesson, ChallengeProvider]:
        known = await self._known(lesson_id)
        if known is None or self.provider is None:
            raise DomainError("challenge_over")
        return known, self.provider

    async def _known(self, lesson_id: str) -> _Lesson | None:
        """A lesson in which trainees are challenged. What was asked before we had it is asked anew."""
        if lesson_id in self._without:
            return None
        async with self._loading:
            if lesson_id not in self._lessons:
                known = await self._load(lesson_id)
                if known is None:
                    self._without.add(lesson_id)
                    return None
                self._lessons[lesson_id] = known
            return self._lessons[lesson_id]

    async def _load(self, lesson_id: str) -> _Lesson | None:
        rule = await self._ports.rule_of(lesson_id)
        async with self._register.database.read() as connection:
            sealed = await records.sealed_seed(connection, lesson_id)
            events = await records.events_of(connection, lesson_id)
            revealed = await records.revealed(connection, lesson_id)
        if rule is None or sealed is None:
            return None
        seed = bytes.fromhex(self._vault.open(SEAL, sealed, lesson_id))
        standings = {person_id: rules.rebuild(each) for person_id, each in events.items()}
        known = _Lesson(lesson_id, rule, seed, revealed is not None, standings)
        for person_id, standing in list(standings.items()):
            if (event := rules.restored(standing, self._now(), rule)) is not None:
                await self._happen(known, person_id, event)
        return known

    async def _lease_ended(self, holder: Holder) -> None:
        if holder.ended is End.TAKEN_OVER:
            self._switched[holder.lesson_id, holder.person_id] = self._now()

    def _holder(self, lesson_id: str, person_id: str) -> Holder | None:
        holder = self._register.holders.get(person_id)
        return holder if holder is not None and holder.lesson_id == lesson_id else None

    def _credit_ms(self, known: _Lesson, person_id: str) -> int:
        book = self._register.books.get(known.lesson_id)
        return book.credit_ms(person_id, self._now()) if book else 0

    def _now(self) -> int:
        return self._register.clock.ms()


def _question(known: _Lesson, person_id: str, number: int) -> Question:
    return Question(known.lesson_id, person_id, number, rules.draw(known.seed, person_id, number))
