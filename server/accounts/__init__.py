"""Floor 2: people, roles, login."""

from typing import Final

from server.accounts.api import declarations
from server.accounts.limits import LimitSettings
from server.accounts.passwords import Passwords
from server.accounts.ports import Counters
from server.accounts.service import Accounts
from server.accounts.sessions import RECHECK_S
from server.core.capability import Capability, Job
from server.core.clock import Clock
from server.core.database import Database
from server.core.vault import Vault

PURGE_S: Final = 60.0


def build(
    *,
    database: Database,
    clock: Clock,
    vault: Vault,
    counters: Counters,
    demo: bool,
    limits: LimitSettings | None = None,
) -> Capability[Accounts]:
    """People and their logins. `demo`: ID numbers under the never-issued prefix are accepted."""
    accounts = Accounts(database, clock, vault, demo, Passwords(), counters, limits or LimitSettings())
    sessions = accounts.sessions
    jobs = (
        Job("accounts.sessions", PURGE_S, sessions.end_expired),
        Job("accounts.recheck", RECHECK_S, sessions.recheck),
    )
    return Capability(accounts, declarations(accounts), jobs)
