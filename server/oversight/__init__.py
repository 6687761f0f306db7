"""Floor 7: regulators look in; every look is recorded (R13)."""

from server.attendance import Presence
from server.core.capability import Capability
from server.core.clock import Clock
from server.core.database import Database
from server.oversight.api import Api
from server.oversight.service import Oversight
from server.training.service import Training


def build(*, database: Database, clock: Clock) -> Oversight:
    """The record of views, which lower floors get as a port."""
    return Oversight(database, clock)


def declare(oversight: Oversight, training: Training, presence: Presence) -> Capability[Oversight]:
    """What regulators see."""
    return Capability(oversight, Api(oversight, training, presence).declarations())
