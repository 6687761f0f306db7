"""Declares appeals and corrections; all over REST."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from server.attendance.corrections.records import Appeal, Correction
from server.attendance.corrections.rules import AppealState, Measure, Standing, Verdict, postings
from server.attendance.corrections.service import Corrections, Proposal
from server.core.actor import Actor, Role
from server.core.clock import iso
from server.core.wire.declaration import UNSEEN, Call, Declarations, Nothing, Route
from server.training.service import Training
from server.training.views import LessonView

DESK: Final = frozenset({Role.STAFF, Role.ADMINISTRATOR})
REGULATORS: Final = frozenset({Role.REGULATOR})
TRAINEES: Final = frozenset({Role.TRAINEE})
ASK_CODES: Final = ("text_missing", "appeal_too_late", "minute_not_sealed", "appeal_open", "appeal_limit", *UNSEEN)
PROPOSE_CODES: Final = ("text_missing", "minute_not_sealed", "correction_empty", "appeal_answered", *UNSEEN)
DECIDE_CODES: Final = ("text_missing", "second_person_needed", "correction_decided", "correction_stale", *UNSEEN)
REVERSE_CODES: Final = ("text_missing", "correction_not_approved", *UNSEEN)
OBJECT_CODES: Final = (*REVERSE_CODES, "objection_too_late", "correction_stale", "correction_decided")


@dataclass(frozen=True, slots=True)
class NewAppeal:
    """Minutes first..last of one's own strip, and why they should count."""

    lesson_id: str
    first_slot: int
    last_slot: int
    text: str


@dataclass(frozen=True, slots=True)
class AppealView:
    """An appeal. `answer` and `answered_at` are of its refusal, or of the correction that followed it."""

    id: str
    lesson_id: str
    first_slot: int
    last_slot: int
    text: str
    at: str
    state: AppealState
    answer: str | None
    answered_at: str | None


@dataclass(frozen=True, slots=True)
class Appeals:
    """`until`: so long one may appeal; None while the lesson goes on."""

    appeals: list[AppealView]
    until: str | None


@dataclass(frozen=True, slots=True)
class LessonAppeals:
    lesson_id: str


@dataclass(frozen=True, slots=True)
class AppealRefusal:
    appeal_id: str
    text: str


@dataclass(frozen=True, slots=True)
class NewCorrection:
    """`person_id` None: everybody of the class. `measure`: full, fault or none."""

    lesson_id: str
    person_id: str | None
    first_slot: int
    last_slot: int
    measure: Measure
    text: str
    appeal_id: str | None


@dataclass(frozen=True, slots=True)
class CorrectionRef:
    id: str


@dataclass(frozen=True, slots=True)
class CorrectionDecision:
    correction_id: str
    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True)
class CorrectionReason:
    correction_id: str
    text: str


@dataclass(frozen=True, slots=True)
class WhoseMinutes:
    """A trainee of a class as lists name them."""

    person_id: str
    seat: int
    name: str


@dataclass(frozen=True, slots=True)
class AskedView:
    """An appeal as the desk sees it."""

    appeal: AppealView
    lesson: LessonView
    trainee: WhoseMinutes


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """A correction: what its minutes counted together before and after. `trainee` None: several people.

    `own`: the caller proposed it, and somebody else must decide.
    """

    id: str
    lesson: LessonView
    trainee: WhoseMinutes | None
    people: int
    first_slot: int
    last_slot: int
    minutes: int
    before_ms: int
    after_ms: int
    measure: Measure
    text: str
    appeal_id: str
    reverses: str
    state: Standing
    own: bool
    proposed_by: str
    proposed_at: str
    decided_by: str | None
    decided_at: str | None
    decided_text: str | None
    objected_at: str | None
    objection: str | None


@dataclass(frozen=True, slots=True)
class InstitutionRate:
    """How much an institution corrects: recorded milliseconds of its lessons, and what corrections gave and took."""

    institution_name: str
    recorded_ms: int
    given_ms: int
    taken_ms: int


@dataclass(frozen=True, slots=True)
class CorrectionQueue:
    """All in one's scope, newest first."""

    appeals: list[AskedView]
    corrections: list[CorrectionView]
    rates: list[InstitutionRate]
    view_id: str | None


class Api:
    """The functions behind the declarations."""

    def __init__(self, corrections: Corrections, training: Training) -> None:
        self._corrections = corrections
        self._training = training

    async def ask(self, call: Call, request: NewAppeal) -> AppealView:
        """A trainee appeals."""
        made = await self._corrections.ask(
            call.who, request.lesson_id, request.first_slot, request.last_slot, request.text
        )
        return _appeal(made, AppealState.OPEN, None)

    async def mine(self, call: Call, request: LessonAppeals) -> Appeals:
        """A trainee's appeals in a lesson."""
        found = await self._corrections.mine(call.who, request.lesson_id)
        lesson, home = await self._training.lesson_for(call.who, request.lesson_id)
        followed = _followed(await self._corrections.of_lessons([lesson.id]))
        until = None if lesson.ended_ms is None else iso(lesson.ended_ms + home.scheme.appeal_window_ms)
        return Appeals([_appeal(one, state, followed.get(one.id)) for one, state in found], until)

    async def refuse(self, call: Call, request: AppealRefusal) -> Nothing:
        """An appeal is not followed."""
        await self._corrections.refuse(call.who, request.appeal_id, request.text)
        return Nothing()

    async def propose(self, call: Call, request: NewCorrection) -> CorrectionRef:
        """Propose a correction."""
        wish = Proposal(
            request.lesson_id,
            request.person_id,
            request.first_slot,
            request.last_slot,
            request.measure,
            request.text,
            request.appeal_id,
        )
        return CorrectionRef((await self._corrections.propose(call.who, wish)).id)

    async def reverse(self, call: Call, request: CorrectionReason) -> CorrectionRef:
        """Propose to undo a correction."""
        return CorrectionRef((await self._corrections.reverse(call.who, request.correction_id, request.text)).id)

    async def decide(self, call: Call, request: CorrectionDecision) -> Nothing:
        """Decide on what somebody else proposed."""
        await self._corrections.decide(call.who, request.correction_id, request.verdict, request.text)
        return Nothing()

    async def object(self, call: Call, request: CorrectionReason) -> Nothing:
        """A regulator objects to a correction."""
        await self._corrections.object(call.who, request.correction_id, request.text)
        return Nothing()

    async def queue(self, call: Call, _request: Nothing) -> CorrectionQueue:
        """Appeals and corrections in one's scope."""
        lessons = [lesson.id for lesson in await self._training.lessons_of(call.who)]
        asked = await self._corrections.appeals_of(lessons)
        made = await self._corrections.of_lessons(lessons)
        seen, followed = await self._around([one for one, _ in asked], made), _followed(made)
        return CorrectionQueue(
            [seen.asked(one, state, followed.get(one.id)) for one, state in asked],
            [seen.made(one, call.who) for one in made],
            _rates(await self._training.show(lessons), made, await self._corrections.recorded_ms(lessons)),
            call.view_id,
        )

    async def _around(self, asked: list[Appeal], made: list[Correction]) -> "_Seen":
        needed = {one.lesson_id for one in asked} | {one.lesson_id for one in made}
        seen = _Seen(await self._training.show(sorted(needed)))
        for class_id in {lesson.class_id for lesson in seen.lessons.values()}:
            for one in await self._training.roster(class_id):
                seen.trainees[class_id, one.person_id] = WhoseMinutes(one.person_id, one.seat, one.name)
        deciders = {one.decided.person_id for one in made if one.decided}
        seen.names = await self._corrections.names({one.person_id for one in made} | deciders)
        return seen

    def declarations(self) -> Declarations:
        """What corrections serve."""
        return Declarations(routes=[*self._appeals(), *self._corrected()])

    def _appeals(self) -> list[Route]:
        path = "/api/v1/lessons/{lesson_id}/appeals"
        refuse, refuse_codes = "/api/v1/appeals/{appeal_id}/refuse", ("text_missing", "appeal_answered", *UNSEEN)
        return [
            Route("POST", path, TRAINEES, NewAppeal, AppealView, self.ask, codes=ASK_CODES),
            Route("GET", path, TRAINEES, LessonAppeals, Appeals, self.mine, codes=UNSEEN),
            Route("POST", refuse, DESK, AppealRefusal, Nothing, self.refuse, codes=refuse_codes),
        ]

    def _corrected(self) -> list[Route]:
        new, every = "/api/v1/lessons/{lesson_id}/corrections", "/api/v1/corrections"
        one = f"{every}/{{correction_id}}"
        return [
            Route("GET", every, DESK | REGULATORS, Nothing, CorrectionQueue, self.queue),
            Route("POST", new, DESK, NewCorrection, CorrectionRef, self.propose, codes=PROPOSE_CODES),
            Route("POST", f"{one}/decide", DESK, CorrectionDecision, Nothing, self.decide, codes=DECIDE_CODES),
            Route("POST", f"{one}/reverse", DESK, CorrectionReason, CorrectionRef, self.reverse, codes=REVERSE_CODES),
            Route("POST", f"{one}/object", REGULATORS, CorrectionReason, Nothing, self.object, codes=OBJECT_CODES),
        ]


class _Seen:
    """What stands around appeals and corrections in a list."""

    def __init__(self, lessons: Iterable[LessonView]) -> None:
        self.lessons = {lesson.id: lesson for lesson in lessons}
        self.trainees: dict[tuple[str, str], WhoseMinutes] = {}
        self.names: Mapping[str, str] = {}

    def asked(self, one: Appeal, state: AppealState, followed: Correction | None) -> AskedView:
        """An appeal."""
        lesson = self.lessons[one.lesson_id]
        return AskedView(_appeal(one, state, followed), lesson, self._trainee(lesson, one.person_id))

    def made(self, one: Correction, actor: Actor) -> CorrectionView:
        """A correction."""
        lesson, people = self.lessons[one.lesson_id], sorted({line.person_id for line in one.lines})
        decided, objection = one.decided, one.objection
        return CorrectionView(
            id=one.id,
            lesson=lesson,
            trainee=self._trainee(lesson, people[0]) if len(people) == 1 else None,
            people=len(people),
            first_slot=min(line.slot for line in one.lines),
            last_slot=max(line.slot for line in one.lines),
            minutes=len(one.lines),
            before_ms=sum(line.before_ms for line in one.lines),
            after_ms=sum(line.after_ms for line in one.lines),
            measure=one.measure,
            text=one.text,
            appeal_id=one.appeal_id,
            reverses=one.reverses,
            state=one.standing,
            own=one.person_id == actor.person_id,
            proposed_by=self.names.get(one.person_id, ""),
            proposed_at=iso(one.at_ms),
            decided_by=self.names.get(decided.person_id, "") if decided else None,
            decided_at=iso(decided.at_ms) if decided else None,
            decided_text=decided.text if decided else None,
            objected_at=iso(objection.at_ms) if objection else None,
            objection=objection.text if objection else None,
        )

    def _trainee(self, lesson: LessonView, person_id: str) -> WhoseMinutes:
        return self.trainees.get((lesson.class_id, person_id), WhoseMinutes(person_id, 0, ""))


def _followed(made: Iterable[Correction]) -> dict[str, Correction]:
    """The correction that settled an appeal, by the appeal."""
    settled = (Standing.APPROVED, Standing.OBJECTED)
    return {one.appeal_id: one for one in made if one.appeal_id and one.standing in settled}


def _appeal(one: Appeal, state: AppealState, followed: Correction | None) -> AppealView:
    said = one.answer or (followed.decided if followed else None)
    return AppealView(
        id=one.id,
        lesson_id=one.lesson_id,
        first_slot=one.first_slot,
        last_slot=one.last_slot,
        text=one.text,
        at=iso(one.at_ms),
        state=state,
        answer=said.text if said else None,
        answered_at=iso(said.at_ms) if said else None,
    )


def _rates(
    lessons: Iterable[LessonView], made: Iterable[Correction], recorded: Mapping[str, int]
) -> list[InstitutionRate]:
    """By institution, in order of names; its account in double entry says what it gave and took."""
    home = {lesson.id: lesson.institution_name for lesson in lessons}
    sums = {name: [0, 0, 0] for name in home.values()}
    for lesson_id, ms in recorded.items():
        sums[home[lesson_id]][0] += ms
    for one in made:
        if one.standing is Standing.APPROVED:
            name = home[one.lesson_id]
            for posting in postings(name, one.lines):
                if posting.account == name:
                    sums[name][1 if posting.ms < 0 else 2] += abs(posting.ms)
    return [InstitutionRate(name, *sums[name]) for name in sorted(sums)]
