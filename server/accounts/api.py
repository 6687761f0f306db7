"""Declares how people sign in and come in, and how staff make and reset them; all over REST."""

from dataclasses import dataclass
from typing import Final, Literal

from server.accounts.people import NewPerson
from server.accounts.ports import InstitutionRef
from server.accounts.records import Person
from server.accounts.service import Accounts
from server.core.actor import EVERYONE, Actor, Role
from server.core.errors import DomainError
from server.core.wire.declaration import PUBLIC, Call, Declarations, Nothing, Route

DESK: Final = frozenset({Role.STAFF, Role.ADMINISTRATOR})
WELCOME: Final = "/desk.html#/welcome/"


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """`login`: a login name or an ID number."""

    login: str
    password: str


@dataclass(frozen=True, slots=True)
class Me:
    id: str
    role: Role
    name: str
    login: str
    institution: InstitutionRef | None
    area: str | None


@dataclass(frozen=True, slots=True)
class PasswordRequest:
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """`secret`: a link's token, or `<class_token>:<code>` of a slip."""

    secret: str


@dataclass(frozen=True, slots=True)
class Opened:
    name: str
    login: str
    role: Role
    class_name: str | None
    needs: Literal["password"]


@dataclass(frozen=True, slots=True)
class RedeemRequest:
    secret: str
    password: str


@dataclass(frozen=True, slots=True)
class PeopleRequest:
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """`active`: they have set a password."""

    id: str
    role: Role
    name: str
    login: str
    institution_name: str | None
    area: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class PeopleAnswer:
    people: list[PersonRow]


@dataclass(frozen=True, slots=True)
class NewPersonRequest:
    role: Role
    name: str
    login: str
    institution_id: str | None
    area: str | None


@dataclass(frozen=True, slots=True)
class NewPersonAnswer:
    """`link`: the path of a one-time link, shown once."""

    person_id: str
    link: str


@dataclass(frozen=True, slots=True)
class ResetRequest:
    person_id: str


@dataclass(frozen=True, slots=True)
class SlipCode:
    class_token: str
    code: str


@dataclass(frozen=True, slots=True)
class ResetAnswer:
    """A trainee of a class gets a slip's code, everybody else a link's path; shown once."""

    link: str | None
    slip: SlipCode | None


class Api:
    """The functions behind the declarations."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def login(self, call: Call, request: LoginRequest) -> Me:
        """Sign in."""
        person, call.new_session = await self._accounts.login(request.login, request.password, call.address)
        return await self._me(person)

    async def logout(self, call: Call, _request: Nothing) -> Nothing:
        """Sign out."""
        await self._accounts.logout(call.who.session_id)
        call.new_session = ""
        return Nothing()

    async def me(self, call: Call, _request: Nothing) -> Me:
        """Who is signed in."""
        return await self._me(await self._accounts.person(call.who.person_id))

    async def change_password(self, call: Call, request: PasswordRequest) -> Nothing:
        """A new password for oneself; other logins end."""
        await self._accounts.change_password(call.who, request.old, request.new)
        return Nothing()

    async def open(self, call: Call, request: OpenRequest) -> Opened:
        """Whom an invitation is for."""
        person, scope = await self._accounts.open_invitation(request.secret, call.address)
        class_name = await self._accounts.places.name_of_scope(scope) if scope else None
        return Opened(person.name, person.login, person.role, class_name, "password")

    async def redeem(self, call: Call, request: RedeemRequest) -> Me:
        """Set the first password; signed in afterwards."""
        person, call.new_session = await self._accounts.redeem(request.secret, request.password, call.address)
        return await self._me(person)

    async def people(self, call: Call, request: PeopleRequest) -> PeopleAnswer:
        """Those who work here: all for an administrator, the own institution's for staff. Trainees stand in rosters."""
        own = call.who.institution_id if call.who.role is Role.STAFF else None
        visible = {Role.INSTRUCTOR, Role.STAFF} if own is not None else EVERYONE - {Role.TRAINEE}
        roles = visible if request.role is None else visible & {request.role}
        found = await self._accounts.people.with_roles(roles, own)
        return PeopleAnswer([await self._row(person) for person in found])

    async def create(self, call: Call, request: NewPersonRequest) -> NewPersonAnswer:
        """Make somebody who works here; trainees come in by roster only, with their real name (R11)."""
        institution_id = _institution_for(call.who, request)
        if institution_id and await self._accounts.places.institution_of(institution_id) is None:
            raise DomainError("institution_unknown")
        new = NewPerson(request.role, request.name, request.login, institution_id, request.area)
        person = await self._accounts.create_person(new)
        return NewPersonAnswer(person.id, WELCOME + await self._accounts.invite(person.id))

    async def reset(self, call: Call, request: ResetRequest) -> ResetAnswer:
        """Void a password and all logins; the answer is the way back in."""
        person = await self._accounts.person(request.person_id)
        scope = await self._accounts.places.scope_for(call.who, person.id) if person.role is Role.TRAINEE else None
        # whose password exists already belongs to their own institution: enrolling them elsewhere gives no hold on it
        if not _may_reset(call.who, person) and (scope is None or person.active):
            raise DomainError("not_found")
        await self._accounts.reset(person.id)
        secret = await self._accounts.invite(person.id, scope or "")
        if scope:
            return ResetAnswer(None, SlipCode(scope, secret.partition(":")[2]))
        return ResetAnswer(WELCOME + secret, None)

    async def _me(self, person: Person) -> Me:
        place = await self._place(person)
        return Me(person.id, person.role, person.name, person.login, place, person.area)

    async def _row(self, person: Person) -> PersonRow:
        place = await self._place(person)
        name = place.name if place else None
        return PersonRow(person.id, person.role, person.name, person.login, name, person.area, person.active)

    async def _place(self, person: Person) -> InstitutionRef | None:
        return await self._accounts.places.institution_of(person.institution_id) if person.institution_id else None


def _institution_for(actor: Actor, request: NewPersonRequest) -> str | None:
    """Where a new person will belong. Raises DomainError role_refused, not_found."""
    if request.role is Role.TRAINEE:
        raise DomainError("role_refused", role=request.role)
    if actor.role is Role.ADMINISTRATOR:
        return request.institution_id
    if request.role is not Role.INSTRUCTOR:
        raise DomainError("role_refused", role=request.role)
    if request.institution_id not in (None, actor.institution_id):
        raise DomainError("not_found")
    return actor.institution_id


def _may_reset(actor: Actor, person: Person) -> bool:
    """An administrator resets everybody, staff the trainees and instructors of their own institution."""
    if actor.role is Role.ADMINISTRATOR:
        return True
    return person.role in (Role.TRAINEE, Role.INSTRUCTOR) and person.institution_id == actor.institution_id


def declarations(accounts: Accounts) -> Declarations:
    """What accounts serves."""
    api, v1 = Api(accounts), "/api/v1"
    return Declarations(
        routes=[
            Route("POST", f"{v1}/login", PUBLIC, LoginRequest, Me, api.login),
            Route("POST", f"{v1}/logout", EVERYONE, Nothing, Nothing, api.logout, observed=False),
            Route("GET", f"{v1}/me", EVERYONE, Nothing, Me, api.me, observed=False),
            Route("POST", f"{v1}/me/password", EVERYONE, PasswordRequest, Nothing, api.change_password, observed=False),
            Route("POST", f"{v1}/invitations/open", PUBLIC, OpenRequest, Opened, api.open),
            Route("POST", f"{v1}/invitations/redeem", PUBLIC, RedeemRequest, Me, api.redeem),
            Route("GET", f"{v1}/people", DESK, PeopleRequest, PeopleAnswer, api.people),
            Route("POST", f"{v1}/people", DESK, NewPersonRequest, NewPersonAnswer, api.create),
            Route("POST", f"{v1}/people/{{person_id}}/reset", DESK, ResetRequest, ResetAnswer, api.reset),
        ]
    )
