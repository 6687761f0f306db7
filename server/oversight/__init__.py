"""Floor 7: regulators look in, every look is recorded (R13); what was kept long enough is deleted (R19)."""

from server.attendance import Presence
from server.core.capability import Capability, Job
from server.core.clock import Clock
from server.core.database import Database
from server.oversight.api import Api
from server.oversight.retention import ROUND_S, Retention
from server.oversight.service import Oversight
from server.training.service import Training


def build(*, database: Database, clock: Clock) -> Oversight:
    """The record of views, which lower floors get as a port."""
    return Oversight(database, clock)


def declare(oversight: Oversight, training: Training, presence: Presence) -> Capability[Retention]:
    """What regulators see, and the deleting of what was ordered to go."""
    retention = Retention(oversight.database, oversight.clock, training)
    served = Api(oversight, training, presence).declarations()
    return Capability(retention, served, (Job("retention", ROUND_S, retention.round),))
