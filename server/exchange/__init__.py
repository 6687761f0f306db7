"""Floor 7: files in, files out."""

from pathlib import Path

from server.accounts.service import Accounts
from server.core.capability import Capability
from server.core.clock import Clock
from server.exchange.api import declarations
from server.exchange.asked_api import AskedApi, Kept
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
    polls: Kept,
) -> Capability[Exchange]:
    """Rosters, slips and ledgers. `url` is how browsers reach us, `checker` the page that goes into packages."""
    exchange = Exchange(accounts, training, attendance, settlements, log, clock, url, checker)
    declared = declarations(exchange, training)
    declared.add(AskedApi(polls, training, clock).declarations())
    return Capability(exchange, declared)
