"""Decides who exists: people are made once, found by id, login name or ID number, and never duplicated."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from server.accounts import id_number, records, rules
from server.accounts.codes import new_id, new_login
from server.accounts.records import Connection, Person
from server.core.actor import Role
from server.core.clock import LOCAL_ZONE, Clock, to_datetime
from server.core.database import Database
from server.core.errors import DomainError
from server.core.vault import Vault

ID_NUMBER: Final = "id_number"
PHONE: Final = "phone"


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person to be made. Without a login name they get a number; a trainee has an ID number (R3, R11)."""

    role: Role
    name: str
    login: str | None = None
    institution_id: str | None = None
    area: str | None = None
    id_number: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Place:
    """What somebody is and where they belong."""

    role: Role
    institution_id: str | None
    area: str | None


class People:
    """Everybody the server knows."""

    def __init__(
        self, database: Database, clock: Clock, vault: Vault, demo: bool, draw_login: Callable[[], str] = new_login
    ) -> None:
        self._database, self._clock, self._vault, self._demo = database, clock, vault, demo
        self._draw_login = draw_login

    async def create(self, new: NewPerson) -> Person:
        """Make a person.

        Raises DomainError name_missing, login_malformed, login_taken, institution_needed, area_malformed,
        id_number_malformed, phone_malformed, bad_request.
        """
        person = self._person(new)
        async with self._database.write() as connection:
            return (await self._add(connection, [person]))[0]

    async def admit(self, trainees: Sequence[NewPerson]) -> list[Person]:
        """For each trainee the person with that ID number: found, or else made; in the order given, in one transaction.

        A known person keeps the name they have: compare it. Raises as create does; check rows one by one before.
        """
        drafts = [self._person(new) for new in trainees]
        digests = [draft.id_number_digest or "" for draft in drafts]
        async with self._database.write() as connection:
            known = {each.id_number_digest or "": each for each in await records.by_digests(connection, digests)}
            unknown = {digest: draft for digest, draft in zip(digests, drafts, strict=True) if digest not in known}
            made = await self._add(connection, list(unknown.values()))
        everybody = known | {each.id_number_digest or "": each for each in made}
        return [everybody[digest] for digest in digests]

    def check_id_number(self, text: str) -> str:
        """An ID number in its one spelling. Raises DomainError id_number_malformed (data: reason)."""
        return id_number.checked(text, to_datetime(self._clock.ms()).astimezone(LOCAL_ZONE).date(), self._demo)

    async def person(self, person_id: str) -> Person:
        """A person. Raises DomainError not_found."""
        async with self._database.read() as connection:
            found = await records.by_id(connection, person_id)
        if found is None:
            raise DomainError("not_found")
        return found

    async def of(self, person_ids: Iterable[str]) -> list[Person]:
        """The people of these ids, in no order."""
        async with self._database.read() as connection:
            return await records.by_ids(connection, person_ids)

    async def by_login(self, login: str) -> Person | None:
        """A person by login name in its one spelling."""
        async with self._database.read() as connection:
            return await records.by_login(connection, login)

    async def by_id_number(self, text: str) -> Person | None:
        """A person by ID number."""
        found = await self.by_id_numbers([text])
        return next(iter(found.values()), None)

    async def by_id_numbers(self, texts: Iterable[str]) -> dict[str, Person]:
        """The people that have these ID numbers, by the number in its one spelling."""
        numbers = {self._digest(number): number for number in map(id_number.normal, texts)}
        async with self._database.read() as connection:
            found = await records.by_digests(connection, numbers)
        return {numbers[each.id_number_digest or ""]: each for each in found}

    async def move(self, connection: Connection, person: Person, place: Place) -> None:
        """Give a person another role, institution or area. Trainees come in by roster only and stay trainees (R11).

        Raises DomainError role_refused, institution_needed, area_malformed.
        """
        if (place.role is Role.TRAINEE) != (person.role is Role.TRAINEE):
            raise DomainError("role_refused", role=place.role)
        rules.check_belongs(place.role, place.institution_id, place.area)
        institution_id = place.institution_id if place.role in rules.AT_INSTITUTION else None
        area = place.area if place.role is Role.REGULATOR else None
        await records.set_place(connection, person.id, place.role, institution_id, area)

    async def with_roles(self, roles: Iterable[Role], institution_id: str | None = None) -> list[Person]:
        """People of these roles, of one institution or all, by name."""
        async with self._database.read() as connection:
            return await records.by_roles(connection, roles, institution_id)

    async def _add(self, connection: Connection, drafts: list[Person]) -> list[Person]:
        """Write new people; a number given as a login that somebody has already is drawn again."""
        taken = {each.login for each in await records.by_logins(connection, [draft.login for draft in drafts])}
        people = []
        for draft in drafts:
            person = draft
            while person.login in taken and person.login.isdigit():
                person = replace(person, login=self._draw_login())
            taken.add(person.login)
            people.append(person)
        await records.add_people(connection, people)
        return people

    def _person(self, new: NewPerson) -> Person:
        rules.check_belongs(new.role, new.institution_id, new.area)
        if new.role is Role.TRAINEE and not new.id_number:
            raise DomainError("id_number_malformed", reason="missing")
        person_id = new_id()
        number = self.check_id_number(new.id_number) if new.id_number else None
        phone = rules.checked_phone(new.phone or "")
        return Person(
            id=person_id,
            role=new.role,
            name=rules.checked_name(new.name),
            login=self._draw_login() if new.login is None else rules.checked_login(new.login),
            institution_id=new.institution_id if new.role in rules.AT_INSTITUTION else None,
            area=new.area if new.role is Role.REGULATOR else None,
            created_ms=self._clock.ms(),
            id_number_sealed=self._vault.seal(ID_NUMBER, number, person_id) if number else None,
            id_number_digest=self._digest(number) if number else None,
            id_number_masked=id_number.masked(number) if number else None,
            phone_sealed=self._vault.seal(PHONE, phone, person_id) if phone else None,
        )

    def _digest(self, number: str) -> str:
        return self._vault.digest(ID_NUMBER, number)
