"""Floor 7: files in, files out."""

from pathlib import Path

from server.accounts.service import Accounts
from server.core.capability import Capability
from server.core.clock import Clock
from server.exchange.api import declarations
from server.exchange.evidence import Log
from server.exchange.service import Exchange, Results, Settled
from server.training.service import Training


def build(
    *,
    accounts: Accounts,
    training: Training,
    attendance: Results,
    settlements: Settled,
    log: Log,
    clock: Clock,
    url: str,
    checker: Path,
) -> Capability[Exchange]:
    """Rosters, slips and ledgers. `url` is how browsers reach us, `checker` the page that goes into packages."""
    exchange = Exchange(accounts, training, attendance, settlements, log, clock, url, checker)
    return Capability(exchange, declarations(exchange, training))
