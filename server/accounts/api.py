"""Declares how people sign in and come in, and how staff make and reset them; all over REST."""

from dataclasses import dataclass
from typing import Final, Literal

from server.accounts.people import NewPerson, Place
from server.accounts.ports import InstitutionRef
from server.accounts.records import Person
from server.accounts.rules import idle_ms
from server.accounts.service import Accounts, Knock
from server.core.actor import EVERYONE, Actor, Role
from server.core.clock import iso
from server.core.errors import DomainError
from server.core.wire.declaration import PUBLIC, UNSEEN, Call, Declarations, Nothing, Route

DESK: Final = frozenset({Role.STAFF, Role.ADMINISTRATOR})
ADMINISTRATOR: Final = frozenset({Role.ADMINISTRATOR})
#: of whoever is not known yet: crowds and guessing are slowed down
KNOCKING: Final = ("too_many_tries", "waiting", "proof_needed", "account_guarded")
INVITED: Final = ("invitation_unknown", "invitation_expired", "invitation_used", *KNOCKING)
PLACED: Final = ("role_refused", "institution_needed", "institution_unknown", "area_malformed")
NEW_PERSON: Final = (*PLACED, "not_found", "name_missing", "login_malformed", "login_taken")
#: done to others only
OTHERS: Final = ("not_found", "own_account")
WELCOME: Final = "/desk.html#/welcome/"


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """`login`: a login name or an ID number. `ticket`: a refusal `waiting` gave it; `proof`: the solved challenge of a
    refusal `proof_needed`, base64 of JSON."""

    login: str
    password: str
    ticket: str = ""
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Me:
    id: str
    role: Role
    name: str
    login: str
    institution: InstitutionRef | None
    area: str | None


@dataclass(frozen=True, slots=True)
class Who:
    """`me`: null when nobody is signed in, which is no error."""

    me: Me | None


@dataclass(frozen=True, slots=True)
class Login:
    """A login of one's own; `current`: the one that asks."""

    since: str
    used: str
    current: bool


@dataclass(frozen=True, slots=True)
class Logins:
    logins: list[Login]


@dataclass(frozen=True, slots=True)
class PasswordRequest:
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """`secret`: a link's token, or `<class_token>:<code>` of a slip. `proof`: see LoginRequest."""

    secret: str
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    name: str
    login: str
    role: Role
    class_name: str | None
    needs: Literal["password"]


@dataclass(frozen=True, slots=True)
class RedeemRequest:
    """See OpenRequest and LoginRequest."""

    secret: str
    password: str
    ticket: str = ""
    proof: str = ""


@dataclass(frozen=True, slots=True)
class PeopleRequest:
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """`active`: they have a password now; `deactivated`: it does not let them in."""

    id: str
    role: Role
    name: str
    login: str
    institution_name: str | None
    area: str | None
    active: bool
    deactivated: bool


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
class PersonRequest:
    person_id: str


@dataclass(frozen=True, slots=True)
class PlaceRequest:
    """`institution_id` for instructors, staff and trainees, `area` (six digits) for regulators."""

    person_id: str
    role: Role
    institution_id: str | None
    area: str | None


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
        knock = Knock(call.address, call.device, request.ticket, request.proof)
        person, token = await self._accounts.login(request.login, request.password, knock)
        return await self._in(call, person, token)

    async def logout(self, call: Call, _request: Nothing) -> Nothing:
        """Sign out."""
        await self._accounts.logout(call.who.session_id)
        call.new_session = ""
        return Nothing()

    async def logout_everywhere(self, call: Call, _request: Nothing) -> Nothing:
        """Sign out on all other devices."""
        await self._accounts.sessions.end_all(call.who.person_id, keep=call.who.session_id)
        return Nothing()

    async def me(self, call: Call, _request: Nothing) -> Who:
        """Who is signed in, if anybody."""
        return Who(await self._me(await self._accounts.person(call.actor.person_id)) if call.actor else None)

    async def logins(self, call: Call, _request: Nothing) -> Logins:
        """Where one is signed in."""
        who = call.who
        found = await self._accounts.sessions.of(who.person_id)
        idle = idle_ms(who.role)
        return Logins(
            [Login(iso(one.created_ms), iso(one.idle_until_ms - idle), one.id == who.session_id) for one in found]
        )

    async def change_password(self, call: Call, request: PasswordRequest) -> Nothing:
        """A new password for oneself; other logins end."""
        await self._accounts.change_password(call.who, request.old, request.new)
        call.new_device = await self._accounts.remember(call.who.person_id, call.device)
        return Nothing()

    async def open(self, call: Call, request: OpenRequest) -> Opened:
        """Whom an invitation is for."""
        knock = Knock(address=call.address, proof=request.proof)
        person, scope = await self._accounts.open_invitation(request.secret, knock)
        class_name = await self._accounts.places.name_of_scope(scope) if scope else None
        return Opened(person.name, person.login, person.role, class_name, "password")

    async def redeem(self, call: Call, request: RedeemRequest) -> Me:
        """Set the first password; signed in afterwards."""
        knock = Knock(call.address, call.device, request.ticket, request.proof)
        person, token = await self._accounts.redeem(request.secret, request.password, knock)
        return await self._in(call, person, token)

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

    async def deactivate(self, call: Call, request: PersonRequest) -> Nothing:
        """Switch somebody off; they are signed out everywhere within seconds."""
        await self._overseen(call.who, request.person_id)
        await self._accounts.deactivate(call.who, request.person_id)
        return Nothing()

    async def reactivate(self, call: Call, request: PersonRequest) -> Nothing:
        """Switch somebody on again."""
        await self._overseen(call.who, request.person_id)
        await self._accounts.reactivate(request.person_id)
        return Nothing()

    async def move(self, call: Call, request: PlaceRequest) -> Nothing:
        """Another role, institution or area; their logins end, so that nothing of the old one goes on."""
        if request.institution_id and await self._accounts.places.institution_of(request.institution_id) is None:
            raise DomainError("institution_unknown")
        place = Place(request.role, request.institution_id, request.area)
        await self._accounts.move(call.who, request.person_id, place)
        return Nothing()

    async def reset(self, call: Call, request: PersonRequest) -> ResetAnswer:
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

    async def _in(self, call: Call, person: Person, token: str) -> Me:
        """Signed in: a new login in this browser, which ends the one it had, and a device that is known from now on."""
        if call.actor is not None:
            await self._accounts.logout(call.actor.session_id)
        call.new_session = token
        call.new_device = await self._accounts.remember(person.id, call.device)
        return await self._me(person)

    async def _overseen(self, actor: Actor, person_id: str) -> None:
        """Raises DomainError not_found for whom this actor has no say in."""
        if not _may_reset(actor, await self._accounts.person(person_id)):
            raise DomainError("not_found")

    async def _me(self, person: Person) -> Me:
        place = await self._place(person)
        return Me(person.id, person.role, person.name, person.login, place, person.area)

    async def _row(self, person: Person) -> PersonRow:
        place = await self._place(person)
        name = place.name if place else None
        off = person.deactivated_ms is not None
        return PersonRow(person.id, person.role, person.name, person.login, name, person.area, person.active, off)

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
    one = f"{v1}/people/{{person_id}}"
    return Declarations(
        routes=[
            Route("POST", f"{v1}/login", PUBLIC, LoginRequest, Me, api.login, codes=("login_refused", *KNOCKING)),
            Route("POST", f"{v1}/logout", EVERYONE, Nothing, Nothing, api.logout, observed=False),
            Route("POST", f"{v1}/logout/others", EVERYONE, Nothing, Nothing, api.logout_everywhere, observed=False),
            Route("GET", f"{v1}/me", PUBLIC, Nothing, Who, api.me, observed=False),
            Route("GET", f"{v1}/me/logins", EVERYONE, Nothing, Logins, api.logins, observed=False),
            Route(
                "POST",
                f"{v1}/me/password",
                EVERYONE,
                PasswordRequest,
                Nothing,
                api.change_password,
                observed=False,
                codes=("password_wrong", "password_weak", *KNOCKING),
            ),
            Route("POST", f"{v1}/invitations/open", PUBLIC, OpenRequest, Opened, api.open, codes=INVITED),
            Route(
                "POST",
                f"{v1}/invitations/redeem",
                PUBLIC,
                RedeemRequest,
                Me,
                api.redeem,
                codes=("password_weak", *INVITED),
            ),
            Route("GET", f"{v1}/people", DESK, PeopleRequest, PeopleAnswer, api.people),
            Route("POST", f"{v1}/people", DESK, NewPersonRequest, NewPersonAnswer, api.create, codes=NEW_PERSON),
            Route("POST", f"{one}/reset", DESK, PersonRequest, ResetAnswer, api.reset, codes=UNSEEN),
            Route("POST", f"{one}/deactivate", DESK, PersonRequest, Nothing, api.deactivate, codes=OTHERS),
            Route("POST", f"{one}/reactivate", DESK, PersonRequest, Nothing, api.reactivate, codes=UNSEEN),
            Route("POST", f"{one}/place", ADMINISTRATOR, PlaceRequest, Nothing, api.move, codes=(*PLACED, *OTHERS)),
        ]
    )
