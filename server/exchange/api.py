"""Declares files in and files out: roster, slips, 学时台账; all over REST."""

from dataclasses import dataclass, field
from typing import Final

from server.attendance.api import LessonRequest
from server.core.actor import Role
from server.core.wire.declaration import UNSEEN, Call, Declarations, Download, Nothing, Route
from server.exchange.rules import Rejected
from server.exchange.service import Exchange
from server.exchange.sheets import FILE_MAXIMUM_BYTES
from server.exchange.slips import Receipt, Slips
from server.exchange.words import Language
from server.training.service import Training

DESK: Final = frozenset({Role.STAFF, Role.ADMINISTRATOR})
TRAINEES: Final = frozenset({Role.TRAINEE})
ROSTER_CODES: Final = (
    "not_found",
    "unsupported_file",
    "roster_unreadable",
    "roster_columns_missing",
    "roster_empty",
    "roster_too_long",
)
PACKAGE_CODES: Final = (*UNSEEN, "lesson_not_sealed")


@dataclass(frozen=True, slots=True)
class RosterFile:
    """A file as the raw body; `filename` in the query says by its end what it is."""

    class_id: str
    filename: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RosterImport:
    """`accepted` are newly enrolled, `already` were; each rejected row has one reason."""

    accepted: int
    already: int
    rejected: list[Rejected]


@dataclass(frozen=True, slots=True)
class SlipsRequest:
    """Whom to print for; null: all who have no password yet."""

    class_id: str
    person_ids: list[str] | None


@dataclass(frozen=True, slots=True)
class LedgerRequest:
    """`language` of the fixed words; what people wrote stays as it is."""

    class_id: str
    language: Language = Language.CHINESE


class Api:
    """The functions behind the declarations."""

    def __init__(self, exchange: Exchange, training: Training) -> None:
        self._exchange, self._training = exchange, training

    async def import_roster(self, call: Call, request: RosterFile) -> RosterImport:
        """Enrol the good rows, name the bad ones."""
        home = await self._training.class_for(call.who, request.class_id)
        return RosterImport(*await self._exchange.import_roster(home, request.filename, request.content))

    async def slips(self, call: Call, request: SlipsRequest) -> Slips:
        """One-time codes to print, shown once."""
        home = await self._training.class_for(call.who, request.class_id)
        return await self._exchange.make_slips(home, request.person_ids)

    async def ledger_xlsx(self, call: Call, request: LedgerRequest) -> Download:
        """The 学时台账 as .xlsx."""
        return await self._ledger(call, request, "xlsx")

    async def ledger_csv(self, call: Call, request: LedgerRequest) -> Download:
        """The 学时台账 as .csv."""
        return await self._ledger(call, request, "csv")

    async def package(self, call: Call, request: LedgerRequest) -> Download:
        """The 学时台账 in both forms, with the evidence and the page that checks it."""
        home = await self._training.class_for(call.who, request.class_id)
        return await self._exchange.package(home.id, request.language)

    async def receipt(self, call: Call, request: LessonRequest) -> Receipt:
        """A trainee's own 学时回执 of a lesson."""
        lesson, _ = await self._training.lesson_for(call.who, request.lesson_id)
        return await self._exchange.receipt(lesson.id, call.who.person_id)

    async def proof(self, call: Call, request: LessonRequest) -> Download:
        """The evidence of a lesson, to be checked at once."""
        lesson, _ = await self._training.lesson_for(call.who, request.lesson_id)
        return await self._exchange.proof(lesson.id)

    async def template_xlsx(self, _call: Call, _request: Nothing) -> Download:
        """An empty roster as .xlsx."""
        return self._exchange.template("xlsx")

    async def template_csv(self, _call: Call, _request: Nothing) -> Download:
        """An empty roster as .csv."""
        return self._exchange.template("csv")

    async def _ledger(self, call: Call, request: LedgerRequest, form: str) -> Download:
        home = await self._training.class_for(call.who, request.class_id)
        return await self._exchange.ledger(home.id, form, request.language)


def declarations(exchange: Exchange, training: Training) -> Declarations:
    """What exchange serves."""
    api, v1 = Api(exchange, training), "/api/v1"
    one, lesson = f"{v1}/classes/{{class_id}}", f"{v1}/lessons/{{lesson_id}}"
    readers = DESK | {Role.REGULATOR}
    return Declarations(
        routes=[
            Route(
                "POST",
                f"{one}/roster",
                DESK,
                RosterFile,
                RosterImport,
                api.import_roster,
                FILE_MAXIMUM_BYTES,
                codes=ROSTER_CODES,
            ),
            Route("POST", f"{one}/slips", DESK, SlipsRequest, Slips, api.slips, codes=UNSEEN),
            Route("GET", f"{one}/ledger.xlsx", readers, LedgerRequest, Download, api.ledger_xlsx, codes=UNSEEN),
            Route("GET", f"{one}/ledger.csv", readers, LedgerRequest, Download, api.ledger_csv, codes=UNSEEN),
            Route("GET", f"{one}/ledger.zip", readers, LedgerRequest, Download, api.package, codes=PACKAGE_CODES),
            Route("GET", f"{lesson}/evidence.json", readers, LessonRequest, Download, api.proof, codes=PACKAGE_CODES),
            Route("GET", f"{lesson}/receipt", TRAINEES, LessonRequest, Receipt, api.receipt, codes=PACKAGE_CODES),
            Route("GET", f"{v1}/roster-template.xlsx", DESK, Nothing, Download, api.template_xlsx),
            Route("GET", f"{v1}/roster-template.csv", DESK, Nothing, Download, api.template_csv),
        ]
    )
