"""Floor 3: platform, institutions, schemes, classes, lessons, rosters."""

from server.accounts.service import Accounts
from server.core.capability import Capability
from server.core.clock import Clock
from server.core.database import Database
from server.training.api import declarations
from server.training.service import Training


def build(*, database: Database, clock: Clock, accounts: Accounts, demo: bool) -> Capability[Training]:
    """Classes and lessons. Plugs itself into `accounts`, which asks where people belong."""
    training = Training(database, clock, accounts, demo)
    accounts.places = training
    return Capability(training, declarations(training, accounts, clock))
