"""Floor 0: the log. One leaf for each minute, signed; knows bytes and groups, no class and no person."""

from server.core.capability import Capability, Job
from server.core.wire.declaration import Declarations
from server.ledger.service import ROUND_S, Ledger


def build(ledger: Ledger) -> Capability[Ledger]:
    """Seals and publishes, again and again."""
    return Capability(ledger, Declarations(), (Job("ledger", ROUND_S, ledger.round),))
