"""Floor 5: live lessons."""

from typing import Final

from server.attendance import Presence
from server.core.capability import Capability, Job
from server.core.database import Database
from server.core.wire.fan_out import FanOut
from server.live.api import Api
from server.live.check import Checks
from server.live.service import Live, MediaDoor
from server.training.service import Training

ROSTER_S: Final = 2.0
ROUND_S: Final = 10.0


def build(
    *,
    database: Database,
    training: Training,
    presence: Presence,
    media: MediaDoor,
    fan_out: FanOut,
) -> Capability[Live]:
    """Live lessons over attendance and a media door."""
    live = Live(database, training, presence.attendance.register, media)
    api = Api(live, presence.attendance, presence.views, training, fan_out)
    checks = Checks(live)
    jobs = (
        Job("live.roster", ROSTER_S, api.push_rosters),
        Job("live.round", ROUND_S, live.round),
        Job("live.checks", ROUND_S, checks.round),
    )
    declared = api.declarations()
    declared.add(checks.declarations())
    return Capability(live, declared, jobs)
