"""Who people are and how they sign in: logins, passwords, who may try; people, places and invitations beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from server.accounts import id_number, records
from server.accounts.codes import normal_secret, scope_of
from server.accounts.devices import Devices
from server.accounts.gate import Gate
from server.accounts.invitations import Invitations
from server.accounts.limits import LimitSettings
from server.accounts.line import Line
from server.accounts.passwords import Passwords
from server.accounts.people import NewPerson, People, Place
from server.accounts.ports import Counters, Nowhere, Places
from server.accounts.records import Invitation, Person
from server.accounts.rules import PASSWORD_MAXIMUM, check_password, normal_login
from server.accounts.sessions import SessionEnd, Sessions
from server.core.actor import Actor, Role
from server.core.clock import Clock
from server.core.database import Database
from server.core.errors import DomainError
from server.core.vault import Vault

#: of what was typed as a login, no more is looked at
LOGIN_LENGTH: Final = 64
DOOR: Final = "door"
DOOR_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class Knock:
    """How somebody stands at the door: the client's address, the device's cookie, a ticket of the waiting line, a proof
    of work; each "" when there is none."""

    address: str = ""
    device: str = ""
    ticket: str = ""
    proof: str = ""


class Accounts:
    """The door of this capability for all others."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        vault: Vault,
        demo: bool,
        passwords: Passwords,
        counters: Counters,
        limits: LimitSettings,
    ) -> None:
        self._database, self._clock, self._vault, self._passwords = database, clock, vault, passwords
        self.sessions = Sessions(database, clock, vault)
        self._gate = Gate(counters, clock, vault, limits)
        self._line = Line(counters, clock, vault, passwords, limits.waiting_s)
        self._devices = Devices(clock, vault)
        #: where people belong; training plugs itself in
        self.places: Places = Nowhere()
        self.people = People(database, clock, vault, demo)
        self.invitations = Invitations(database, clock, vault)

    @property
    def on_session_end(self) -> list[SessionEnd]:
        """Called with a session's id after it ended: signed out, expired, or void after a reset."""
        return self.sessions.on_end

    async def authenticate(self, token: str) -> Actor | None:
        """Who a session's token belongs to; no database round trip for a known one."""
        return await self.sessions.authenticate(token)

    def close(self) -> None:
        """Let the password thread end."""
        self._passwords.close()

    async def login(self, login_or_id_number: str, password: str, knock: Knock | None = None) -> tuple[Person, str]:
        """Sign in; returns the person and the session's token.

        Raises DomainError login_refused, whatever was wrong; proof_needed, account_guarded (see `gate`); waiting (see
        `line`).
        """
        knock, door = knock or Knock(), self._door(login_or_id_number)
        ticket, device = self._line.read(knock.ticket, door), ""
        if knock.device:
            device = self._devices.known(knock.device, await self._find(login_or_id_number))
        if ticket is None:
            await self._gate.sign_in(door, device, knock.address, knock.proof)
            ticket = self._line.new(door)
        async with self._line.turn(ticket):  # a crowd is told its places without a look into the database
            found = await self._find(login_or_id_number)
            fits = await self._fits(found, password)
        if not fits or found is None:
            await self._gate.failed(device)
            raise DomainError("login_refused")
        await self._gate.signed_in(door, device, knock.address)
        async with self._database.write() as connection:
            return found, await self.sessions.open(connection, await _unchanged(connection, found))

    async def remember(self, person_id: str, device: str) -> str:
        """The cookie of a device on which this person has just signed in."""
        return self._devices.remember(device, await self.people.person(person_id))

    async def verify_password(self, person_id: str, password: str) -> bool:
        """Whether it is this person's password; counted among their tries while signed in (raises too_many_tries).

        Whoever guesses at their login from outside uses none of these up.
        """
        await self._gate.again(person_id)
        if not await self._fits(await self.people.person(person_id), password):
            return False
        await self._gate.right_again(person_id)
        return True

    async def logout(self, session_id: str) -> None:
        """End one login."""
        await self.sessions.end(session_id)

    async def change_password(self, actor: Actor, old: str, new: str) -> None:
        """Set a new password; all other logins of this person end.

        Raises DomainError password_wrong, password_weak, too_many_tries.
        """
        person = await self.people.person(actor.person_id)
        check_password(new, person.login)
        if not await self.verify_password(person.id, old):
            raise DomainError("password_wrong")
        await self._set_password(person.id, new, keep=actor.session_id, after=person)

    async def set_password(self, person_id: str, password: str) -> None:
        """Give a person a password without asking them, for the demo and its guests; their logins end.

        Raises DomainError password_weak.
        """
        check_password(password, (await self.people.person(person_id)).login)
        await self._set_password(person_id, password)

    async def reset(self, person_id: str) -> None:
        """Void a person's password, logins and unused invitations."""
        person = await self.people.person(person_id)
        async with self._database.write() as connection:
            await records.set_password(connection, person_id, None)
            await records.void_invitations(connection, [person_id])
            ended = await records.end_sessions_of(connection, person_id)
        await self._gate.right_again(person_id)
        await self._gate.forget(self._door(person.login))
        await self.sessions.announce(ended)

    async def deactivate(self, actor: Actor, person_id: str) -> None:
        """Switch a person off: their logins end, their unused invitations are void, no password lets them in.

        Raises DomainError own_account, not_found.
        """
        _not_oneself(actor, person_id)
        await self.people.person(person_id)
        async with self._database.write() as connection:
            await records.set_deactivated(connection, person_id, self._clock.ms())
            await records.void_invitations(connection, [person_id])
            ended = await records.end_sessions_of(connection, person_id)
        await self.sessions.announce(ended)

    async def reactivate(self, person_id: str) -> None:
        """Switch a person on again, with the password they had."""
        await self.people.person(person_id)
        async with self._database.write() as connection:
            await records.set_deactivated(connection, person_id, None)

    async def move(self, actor: Actor, person_id: str, place: Place) -> None:
        """Give a person another role, institution or area; their logins end.

        Raises DomainError own_account, not_found, role_refused, institution_needed, area_malformed.
        """
        _not_oneself(actor, person_id)
        person = await self.people.person(person_id)
        async with self._database.write() as connection:
            await self.people.move(connection, person, place)
            ended = await records.end_sessions_of(connection, person_id)
        await self.sessions.announce(ended)

    async def invite(self, person_id: str, scope: str = "") -> str:
        """A new one-time secret; see Invitations.invite."""
        return (await self.invitations.invite([person_id], scope))[person_id]

    async def open_invitation(self, secret: str, knock: Knock | None = None) -> tuple[Person, str]:
        """Whom a secret invites, and its scope (a class's token or "").

        Raises DomainError invitation_unknown, invitation_expired, invitation_used, proof_needed.
        """
        knock = knock or Knock()
        await self._gate.code(self._class_door(secret), knock.address, knock.proof)
        found = await self._invitation(secret)
        return await self.people.person(found.person_id), found.scope

    async def redeem(self, secret: str, password: str, knock: Knock | None = None) -> tuple[Person, str]:
        """Set the first password and sign in; the secret is used up.

        Raises what open_invitation raises, waiting, and password_weak, which leaves the secret as it was.
        """
        knock, door = knock or Knock(), self._named(normal_secret(secret))
        ticket = self._line.read(knock.ticket, door)
        if ticket is None:
            await self._gate.code(self._class_door(secret), knock.address, knock.proof)
        invited = await self.people.person((await self._invitation(secret)).person_id)
        check_password(password, invited.login)
        async with self._line.turn(ticket or self._line.new(door)):
            hashed = await self._passwords.hash(password)
        async with self._database.write() as connection:
            await self.invitations.use(connection, secret)
            await records.set_password(connection, invited.id, hashed)
            ended = await records.end_sessions_of(connection, invited.id)
            token = await self.sessions.open(connection, invited)
        await self.sessions.announce(ended)
        return invited, token

    async def create_person(self, new: NewPerson) -> Person:
        """See People.create."""
        return await self.people.create(new)

    async def person(self, person_id: str) -> Person:
        """A person. Raises DomainError not_found."""
        return await self.people.person(person_id)

    async def names(self, person_ids: Iterable[str]) -> dict[str, str]:
        """Names by id."""
        async with self._database.read() as connection:
            return await records.names(connection, person_ids)

    async def with_role(self, role: Role) -> list[Person]:
        """Everybody of a role, by name."""
        return await self.people.with_roles([role])

    async def _set_password(
        self, person_id: str, password: str, keep: str | None = None, after: Person | None = None
    ) -> None:
        hashed = await self._passwords.hash(password)
        async with self._database.write() as connection:
            if after is not None:
                await _unchanged(connection, after, "password_wrong")
            await records.set_password(connection, person_id, hashed)
            ended = await records.end_sessions_of(connection, person_id, keep)
        await self.sessions.announce(ended)

    async def _find(self, login_or_id_number: str) -> Person | None:
        if id_number.looks_like(login_or_id_number):
            return await self.people.by_id_number(login_or_id_number)
        return await self.people.by_login(normal_login(login_or_id_number)[:LOGIN_LENGTH])

    async def _invitation(self, secret: str) -> Invitation:
        try:
            return await self.invitations.find(secret)
        except DomainError as error:
            if error.code == "invitation_unknown":
                await self._gate.wrong_code(self._class_door(secret))
            raise

    async def _fits(self, person: Person | None, password: str) -> bool:
        """Check a password; unknown people take as long as known ones."""
        stored = person.password_hash if person and person.may_enter and len(password) <= PASSWORD_MAXIMUM else None
        return await self._passwords.verify(stored, password)

    def _door(self, login_or_id_number: str) -> str:
        """Tries at signing in are counted by what was typed, in its one spelling.

        Counted by person they would tell which ID number belongs to a login, and which login exists.
        """
        if id_number.looks_like(login_or_id_number):
            return self._named(id_number.normal(login_or_id_number))
        return self._named(normal_login(login_or_id_number)[:LOGIN_LENGTH])

    def _class_door(self, secret: str) -> str:
        """The class whose codes are tried, in its one spelling: blanks make no other class of it."""
        scope = scope_of(normal_secret(secret))[:LOGIN_LENGTH]
        return self._named(f"class {scope}") if scope else ""

    def _named(self, text: str) -> str:
        """A door's name: no counter, challenge or ticket holds what was typed."""
        return self._vault.digest(DOOR, text)[:DOOR_LENGTH]


async def _unchanged(connection: records.Connection, person: Person, refusal: str = "login_refused") -> Person:
    """The person, whose password was just found right; raises DomainError where it was voided, replaced or switched
    off while it was checked: a reset must not be outrun by whoever it is to keep out."""
    now = await records.by_id(connection, person.id)
    if now is None or not now.may_enter or now.password_hash != person.password_hash:
        raise DomainError(refusal)
    return now


def _not_oneself(actor: Actor, person_id: str) -> None:
    """Nobody locks themselves out, so that an administrator always remains. Raises DomainError own_account."""
    if actor.person_id == person_id:
        raise DomainError("own_account")
