"""Floor 7: files in, files out."""

from server.accounts.service import Accounts
from server.core.capability import Capability
from server.core.clock import Clock
from server.exchange.api import declarations
from server.exchange.evidence import Log
from server.exchange.service import Exchange, Results
from server.training.service import Training


def build(
    *, accounts: Accounts, training: Training, attendance: Results, log: Log, clock: Clock, url: str
) -> Capability[Exchange]:
    """Rosters, slips and ledgers. `url` is how browsers reach us."""
    exchange = Exchange(accounts, training, attendance, log, clock, url)
    return Capability(exchange, declarations(exchange, training))
