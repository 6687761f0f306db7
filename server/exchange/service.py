"""Use-cases of exchange: a roster comes in, slips and the 学时台账 go out. Access is checked by who calls."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, Protocol

from server.accounts.people import NewPerson
from server.accounts.records import Person
from server.accounts.rules import SLIP_MS
from server.accounts.service import Accounts
from server.attendance.hours import Earned
from server.attendance.settlements.service import Shown
from server.attendance.views import Evidence, LessonResult
from server.core.actor import Role
from server.core.clock import Clock, iso
from server.core.errors import DomainError
from server.core.wire.declaration import Download
from server.exchange import evidence, ledger_file, sheets, template
from server.exchange.evidence import Log
from server.exchange.ledger import Ledger, Trainee, ledger
from server.exchange.rules import ID_NUMBER, NAME, Fault, Rejected, Row, judge, rejected, same_name
from server.exchange.slips import ENTER, Receipt, Slip, Slips, qr_svg
from server.exchange.words import WORDS, Language
from server.training.records import TrainingClass
from server.training.service import Training
from server.verify import bundle, identity
from server.verify.bundle import Seat
from server.verify.receipts import receipt_of

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV: Final = "text/csv"
#: a file's letters after the dot, its type, and who writes a ledger so
FORMS: Final[Mapping[str, tuple[str, Callable[[Ledger], bytes]]]] = {
    "xlsx": (XLSX, ledger_file.write_xlsx),
    "csv": (CSV, ledger_file.write_csv),
}


class Results(Protocol):
    """What attendance knows of a class."""

    async def results(self, class_id: str) -> Sequence[LessonResult]:
        """A result for every enrolled trainee and lesson."""
        ...

    async def hours(self, class_id: str) -> Mapping[str, Earned]:
        """Class hours by trainee."""
        ...

    async def own_records(self, lesson_id: str, person_id: str) -> list[bytes]:
        """What the log was told of one trainee's minutes. Raises DomainError lesson_not_sealed."""
        ...

    async def evidence(self, lesson_ids: Iterable[str]) -> Evidence:
        """What the journal says of sealed minutes."""
        ...

    async def shown(self, lesson_ids: Iterable[str]) -> Sequence[bytes]:
        """What a package shows of lessons beside their minutes."""
        ...


class Settled(Protocol):
    """What is shown of settlements."""

    async def shown(self, class_id: str) -> Shown:
        """Their texts, and the schemes."""
        ...


class Exchange:
    """Files in, files out."""

    def __init__(
        self,
        accounts: Accounts,
        training: Training,
        attendance: Results,
        settlements: Settled,
        log: Log,
        clock: Clock,
        url: str,
        checker: Path,
    ) -> None:
        self._accounts, self._training, self._attendance, self._log = accounts, training, attendance, log
        self._settlements = settlements
        self._clock, self._url, self._checker = clock, url, checker
        self._reading = asyncio.Lock()

    async def import_roster(
        self, home: TrainingClass, filename: str, content: bytes
    ) -> tuple[int, int, list[Rejected]]:
        """Enrol the good rows of a file: how many are new, how many were enrolled already, and the bad rows.

        A person known by their ID number is enrolled, never made twice.
        Raises DomainError unsupported_file, too_large, roster_unreadable, roster_columns_missing, roster_empty,
        roster_too_long.
        """
        people = self._accounts.people
        async with self._reading:  # the threads are also the spool's: beats must not wait behind large files
            tables = await asyncio.to_thread(sheets.read, filename, content)
        good, bad = judge(tables, home.code, people.check_id_number)
        known = await people.by_id_numbers(row.id_number for row in good)
        strangers = [_stranger(row, known.get(row.id_number)) for row in good]
        bad += [fault for fault in strangers if fault is not None]
        kept = [row for row, fault in zip(good, strangers, strict=True) if fault is None]
        admitted = await people.admit([_new(row, home) for row in kept])
        seats = await self._training.enrol_all(home.id, [person.id for person in admitted])
        fresh = sum(1 for person in admitted if seats[person.id].fresh)
        return fresh, len(admitted) - fresh, sorted(bad, key=lambda fault: fault.row)

    async def make_slips(self, home: TrainingClass, person_ids: Sequence[str] | None) -> Slips:
        """New one-time codes for these trainees, or for all who have no password yet; earlier unused ones are void.

        Raises DomainError not_found for somebody who is not of this class, or who has a password and belongs elsewhere.
        """
        enrolled = await self._training.roster(home.id)
        people = {each.id: each for each in await self._accounts.people.of([one.person_id for one in enrolled])}
        if person_ids is None:
            chosen = {each.id for each in people.values() if not each.active and each.deactivated_ms is None}
        else:
            chosen = set(person_ids)
        strangers = {each.id for each in people.values() if each.active and each.institution_id != home.institution.id}
        if chosen - people.keys() or chosen & strangers:
            raise DomainError("not_found")
        codes = await self._accounts.invitations.invite(sorted(chosen), home.token)
        path = ENTER + home.token
        return Slips(
            class_name=home.name,
            class_code=home.code,
            class_token=home.token,
            enter_path=path,
            qr_svg=qr_svg(self._url + path),
            expires_at=iso(self._clock.ms() + SLIP_MS),
            slips=[
                Slip(one.seat, one.name, people[one.person_id].login, codes[one.person_id].partition(":")[2])
                for one in enrolled
                if one.person_id in chosen
            ],
        )

    async def ledger(self, class_id: str, form: str, language: Language = Language.CHINESE) -> Download:
        """A class's 学时台账 as `xlsx` or `csv`; ID numbers masked. Raises DomainError unsupported_file, not_found."""
        if form not in FORMS:
            raise DomainError("unsupported_file", allowed=sorted(FORMS))
        home = await self._training.training_class(class_id)
        enrolled = await self._training.roster(class_id)
        people = {each.id: each for each in await self._accounts.people.of([one.person_id for one in enrolled])}
        content = ledger(
            home,
            await self._training.lessons_of_class(class_id),
            [
                Trainee(one.person_id, one.seat, one.name, people[one.person_id].id_number_masked or "")
                for one in enrolled
            ],
            await self._attendance.results(class_id),
            await self._attendance.hours(class_id),
            await self._training.platform(),
            self._clock.ms(),
            WORDS[language],
        )
        kind, write = FORMS[form]
        mark = f"-{content.words.demo_mark}" if content.demo else ""
        return Download(f"{content.words.file}-{home.code}{mark}.{form}", kind, await asyncio.to_thread(write, content))

    async def package(self, class_id: str, language: Language = Language.CHINESE) -> Download:
        """A class's 学时台账 in both forms with its evidence, and the page that checks them.

        Raises DomainError not_found, lesson_not_sealed.
        """
        if not self._checker.is_file():
            raise DomainError("not_found", remedy="build the pages: make run does it")
        lessons = await self._training.lessons_of_class(class_id)
        seats = [Seat(one.person_id, one.seat) for one in await self._training.roster(class_id)]
        known = await self._attendance.evidence(one.id for one in lessons)
        (rows, scheme), settled = await self._training.told_of(class_id), await self._settlements.shown(class_id)
        begun = {one.id for one in lessons if one.started_ms is not None}
        partly = [class_id, scheme, *settled.groups, *(one.id for one in lessons if one.id not in begun)]
        proofs = await self._log.proofs(begun, known.texts, partly=partly)
        shown = await self._attendance.shown(one.id for one in lessons)  # after them: it holds all that they need
        both = [await self.ledger(class_id, form, language) for form in FORMS]
        salts = identity.write(await self._training.salts(class_id))
        files = [*((one.filename, one.content) for one in both), (identity.FILE, salts)]
        more = [*rows, *evidence.published(proofs, settled.texts)]
        found = evidence.make_bundle(proofs, lessons, seats, known, [*shown, *more])

        def packed() -> bytes:
            checker = (evidence.CHECKER, self._checker.read_bytes())
            return evidence.pack([*files, (evidence.FILE, bundle.write(found)), checker])

        stem = files[0][0].rpartition(".")[0]
        return Download(f"{stem}.zip", "application/zip", await asyncio.to_thread(packed))

    async def proof(self, lesson_id: str) -> Download:
        """The evidence of one lesson as far as it is published, also while it is taught.

        Raises DomainError not_found, lesson_not_sealed.
        """
        lesson = await self._training.lesson(lesson_id)
        seats = [Seat(one.person_id, one.seat) for one in await self._training.roster(lesson.class_id)]
        known = await self._attendance.evidence([lesson_id])
        rows, scheme = await self._training.told_of(lesson.class_id)
        settled = await self._settlements.shown(lesson.class_id)
        partly = [lesson_id, lesson.class_id, scheme, *settled.groups]
        proofs = await self._log.proofs([], known.texts, partly=partly)
        shown = await self._attendance.shown([lesson_id])
        more = [*rows, *evidence.published(proofs, settled.texts)]
        found = evidence.make_part(proofs, lesson, seats, known, [*shown, *more])
        content = await asyncio.to_thread(bundle.write, found)
        return Download(evidence.FILE, "application/json", content)

    async def receipt(self, lesson_id: str, person_id: str) -> Receipt:
        """A trainee's 学时回执 of a lesson. Raises DomainError lesson_not_sealed."""
        records = await self._attendance.own_records(lesson_id, person_id)
        said = receipt_of(self._log.key.name, lesson_id, person_id, records)
        note = await self._log.vouch(lesson_id, str(said))
        return Receipt(note, qr_svg(note), said.credit_ms, said.minutes)

    def template(self, form: Literal["xlsx", "csv"]) -> Download:
        """An empty roster."""
        if form == "xlsx":
            return Download("学员花名册.xlsx", XLSX, template.xlsx())
        return Download("学员花名册.csv", CSV, template.csv())


def _stranger(row: Row, known: Person | None) -> Rejected | None:
    """Why a row must not become this known person."""
    if known is None:
        return None
    if known.role is not Role.TRAINEE:
        return rejected(row.number, ID_NUMBER, Fault.OTHER_ROLE, row.id_number)
    if not same_name(known.name, row.name):
        return rejected(row.number, NAME, Fault.NAME_DIFFERS, row.name)
    return None


def _new(row: Row, home: TrainingClass) -> NewPerson:
    return NewPerson(Role.TRAINEE, row.name, None, home.institution.id, None, row.id_number, row.phone)
