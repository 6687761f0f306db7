"""Decides how somebody without a password comes in: a link for staff, a printed slip's code for trainees, once."""

from collections.abc import Sequence
from typing import Final

from server.accounts import records
from server.accounts.codes import new_code, new_id, new_token, normal_secret
from server.accounts.records import Connection, Invitation
from server.accounts.rules import LINK_MS, SLIP_MS, check_invitation
from server.core.clock import Clock
from server.core.database import Database
from server.core.errors import DomainError
from server.core.vault import Vault

PURPOSE: Final = "invitation"


class Invitations:
    """One-time secrets. Only their keyed digests are stored."""

    def __init__(self, database: Database, clock: Clock, vault: Vault) -> None:
        self._database, self._clock, self._vault = database, clock, vault

    async def invite(self, person_ids: Sequence[str], scope: str = "") -> dict[str, str]:
        """New secrets by person; their earlier unused ones are void.

        Without a scope a secret is a link's token, good for 7 days; with one (a class's token) it is
        `<scope>:ACDEF-GHJKM`, good for 30 days.
        """
        now_ms = self._clock.ms()
        made: dict[str, str] = {}
        invitations = []
        for person_id in dict.fromkeys(person_ids):
            secret = f"{scope}:{new_code()}" if scope else new_token()
            made[person_id] = secret
            expires_ms = now_ms + (SLIP_MS if scope else LINK_MS)
            invitations.append(Invitation(new_id(), self._digest(secret), person_id, scope, now_ms, expires_ms))
        async with self._database.write() as connection:
            await records.add_invitations(connection, invitations)
        return made

    async def find(self, secret: str) -> Invitation:
        """An invitation that still opens.

        Raises DomainError invitation_unknown, invitation_expired, invitation_used.
        """
        async with self._database.read() as connection:
            return await self._checked(connection, secret)

    async def use(self, connection: Connection, secret: str) -> None:
        """Use it up within the caller's transaction. Raises as find does."""
        found = await self._checked(connection, secret)
        if not await records.use_invitation(connection, found.id, self._clock.ms()):
            raise DomainError("invitation_used")

    async def _checked(self, connection: Connection, secret: str) -> Invitation:
        found = await records.invitation_by_digest(connection, self._digest(secret))
        if found is None:
            raise DomainError("invitation_unknown")
        check_invitation(found.expires_ms, found.used_ms, self._clock.ms())
        return found

    def _digest(self, secret: str) -> str:
        return self._vault.digest(PURPOSE, normal_secret(secret))
