"""Who people are and how they sign in: logins, passwords and limits on guessing; people and invitations beside it."""

from collections.abc import Iterable
from typing import Final

from server.accounts import id_number, records
from server.accounts.invitations import Invitations
from server.accounts.passwords import Passwords
from server.accounts.people import NewPerson, People
from server.accounts.ports import Nowhere, Places
from server.accounts.records import Person
from server.accounts.rules import ACCOUNT_TRIES, ADDRESS_CALLS, PASSWORD_MAXIMUM, check_password, normal_login
from server.accounts.sessions import SessionEnd, Sessions
from server.accounts.throttle import Throttle
from server.core.actor import Actor, Role
from server.core.clock import Clock
from server.core.database import Database
from server.core.errors import DomainError
from server.core.vault import Vault

#: a key of the limit is no longer than this, whatever was typed
KEY_LENGTH: Final = 64


class Accounts:
    """The door of this capability for all others."""

    def __init__(self, database: Database, clock: Clock, vault: Vault, demo: bool, passwords: Passwords) -> None:
        self._database, self._clock, self._passwords = database, clock, passwords
        self._sessions = Sessions(database, clock, vault)
        self._addresses = Throttle(*ADDRESS_CALLS)
        self._tries = Throttle(*ACCOUNT_TRIES)
        #: where people belong; training plugs itself in
        self.places: Places = Nowhere()
        self.people = People(database, clock, vault, demo)
        self.invitations = Invitations(database, clock, vault)

    @property
    def on_session_end(self) -> list[SessionEnd]:
        """Called with a session's id after it ended: signed out, expired, or void after a reset."""
        return self._sessions.on_end

    async def authenticate(self, token: str) -> Actor | None:
        """Who a session's token belongs to; no database round trip for a known one."""
        return await self._sessions.authenticate(token)

    async def end_expired_sessions(self) -> None:
        """A job: remove logins that have expired."""
        await self._sessions.end_expired()

    def close(self) -> None:
        """Let the password thread end."""
        self._passwords.close()

    async def login(self, login_or_id_number: str, password: str, address: str) -> tuple[Person, str]:
        """Sign in; returns the person and the session's token.

        Raises DomainError login_refused, whatever was wrong, or too_many_tries (data: retry_after_s).
        """
        self._addresses.take(address, self._clock.ms())
        found = await self._find(login_or_id_number)
        if not await self._fits(_key(login_or_id_number), found, password) or found is None:
            raise DomainError("login_refused")
        async with self._database.write() as connection:
            return found, await self._sessions.open(connection, found)

    async def verify_password(self, person_id: str, password: str) -> bool:
        """Whether it is this person's password; counted among their tries while signed in (raises too_many_tries).

        Whoever guesses at their login from outside uses none of these up.
        """
        return await self._fits(person_id, await self.people.person(person_id), password)

    async def logout(self, session_id: str) -> None:
        """End one login."""
        await self._sessions.end(session_id)

    async def change_password(self, actor: Actor, old: str, new: str) -> None:
        """Set a new password; all other logins of this person end.

        Raises DomainError password_wrong, password_weak, too_many_tries.
        """
        person = await self.people.person(actor.person_id)
        check_password(new, person.login)
        if not await self._fits(person.id, person, old):
            raise DomainError("password_wrong")
        hashed = await self._passwords.hash(new)
        async with self._database.write() as connection:
            await records.set_password(connection, person.id, hashed)
            ended = await records.end_sessions_of(connection, person.id, keep=actor.session_id)
        await self._sessions.announce(ended)

    async def set_password(self, person_id: str, password: str) -> None:
        """Give a person a password without asking them: for the demo and its guests. Raises password_weak."""
        person = await self.people.person(person_id)
        check_password(password, person.login)
        hashed = await self._passwords.hash(password)
        async with self._database.write() as connection:
            await records.set_password(connection, person_id, hashed)

    async def reset(self, person_id: str) -> None:
        """Void a person's password, logins and unused invitations."""
        async with self._database.write() as connection:
            await records.set_password(connection, person_id, None)
            await records.void_invitations(connection, [person_id])
            ended = await records.end_sessions_of(connection, person_id)
        self._tries.clear(person_id)
        self._tries.clear(_key((await self.people.person(person_id)).login))
        await self._sessions.announce(ended)

    async def invite(self, person_id: str, scope: str = "") -> str:
        """A new one-time secret; see Invitations.invite."""
        return (await self.invitations.invite([person_id], scope))[person_id]

    async def open_invitation(self, secret: str, address: str = "") -> tuple[Person, str]:
        """Whom a secret invites, and its scope (a class's token or "").

        Raises DomainError invitation_unknown, invitation_expired, invitation_used, too_many_tries.
        """
        self._addresses.take(address, self._clock.ms())
        found = await self.invitations.find(secret)
        return await self.people.person(found.person_id), found.scope

    async def redeem(self, secret: str, password: str, address: str = "") -> tuple[Person, str]:
        """Set the first password and sign in; the secret is used up.

        Raises what open_invitation raises, and password_weak, which leaves the secret as it was.
        """
        invited, _scope = await self.open_invitation(secret, address)
        check_password(password, invited.login)
        hashed = await self._passwords.hash(password)
        async with self._database.write() as connection:
            await self.invitations.use(connection, secret)
            await records.set_password(connection, invited.id, hashed)
            ended = await records.end_sessions_of(connection, invited.id)
            token = await self._sessions.open(connection, invited)
        await self._sessions.announce(ended)
        return invited, token

    async def create_person(self, new: NewPerson) -> Person:
        """See People.create."""
        return await self.people.create(new)

    async def person(self, person_id: str) -> Person:
        """A person. Raises DomainError not_found."""
        return await self.people.person(person_id)

    async def names(self, person_ids: Iterable[str]) -> dict[str, str]:
        """Names by id."""
        return {each.id: each.name for each in await self.people.of(person_ids)}

    async def with_role(self, role: Role) -> list[Person]:
        """Everybody of a role, by name."""
        return await self.people.with_roles([role])

    async def _find(self, login_or_id_number: str) -> Person | None:
        if id_number.looks_like(login_or_id_number):
            return await self.people.by_id_number(login_or_id_number)
        return await self.people.by_login(normal_login(login_or_id_number)[:KEY_LENGTH])

    async def _fits(self, key: str, person: Person | None, password: str) -> bool:
        """Check a password, at most so often for each key; unknown people take as long as known ones."""
        self._tries.take(key, self._clock.ms())
        stored = person.password_hash if person and len(password) <= PASSWORD_MAXIMUM else None
        if not await self._passwords.verify(stored, password):
            return False
        self._tries.clear(key)
        return True


def _key(login_or_id_number: str) -> str:
    """Tries at signing in are counted by what was typed, in its one spelling.

    Counted by person they would tell which ID number belongs to a login, and which login exists.
    """
    if id_number.looks_like(login_or_id_number):
        return f"?{id_number.normal(login_or_id_number)}"
    return f"?{normal_login(login_or_id_number)[:KEY_LENGTH]}"
