"""Floor 2: people, roles, login."""

from typing import Final

from server.accounts.api import declarations
from server.accounts.passwords import Passwords
from server.accounts.service import Accounts
from server.core.capability import Capability, Job
from server.core.clock import Clock
from server.core.database import Database
from server.core.vault import Vault

PURGE_S: Final = 60.0


def build(*, database: Database, clock: Clock, vault: Vault, demo: bool) -> Capability[Accounts]:
    """People and their logins. `demo`: ID numbers under the never-issued prefix are accepted."""
    accounts = Accounts(database, clock, vault, demo, Passwords())
    purge = Job("accounts.sessions", PURGE_S, accounts.end_expired_sessions)
    return Capability(accounts, declarations(accounts), (purge,))
