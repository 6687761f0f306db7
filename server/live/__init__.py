"""Floor 5: live lessons."""

from collections.abc import Awaitable, Callable
from typing import Final

from server.attendance import Presence
from server.core.capability import Capability, Job
from server.core.database import Database
from server.core.wire.fan_out import FanOut
from server.live.api import Api
from server.live.check import Checks
from server.live.media_door import Door
from server.live.network import Networks
from server.live.service import Live
from server.live.stream_api import StreamApi
from server.live.streams import Streams
from server.training.service import Training

ROSTER_S: Final = 2.0
ROUND_S: Final = 10.0


def build(
    *,
    database: Database,
    training: Training,
    presence: Presence,
    media: Door,
    fan_out: FanOut,
    stands: Callable[[str], Awaitable[bool]],
) -> Capability[Live]:
    """Live lessons over attendance and a media door. `stands`: whether a login has not ended."""
    live = Live(database, training, presence.attendance.register, media)
    api = Api(live, presence.attendance, presence.views, training, fan_out)
    checks = Checks(live)
    streams = Streams(live, database, training, presence.attendance.register.clock, stands)
    media.key_peer = streams.peer
    media.on_published += [live.published, streams.published]
    media.on_trouble.append(streams.troubled)
    jobs = (
        Job("live.roster", ROSTER_S, api.push_rosters),
        Job("live.audience", ROSTER_S, api.push_audiences),
        Job("live.round", ROUND_S, live.round),
        Job("live.checks", ROUND_S, checks.round),
    )
    declared = api.declarations()
    declared.add(checks.declarations())
    declared.add(StreamApi(streams, fan_out).declarations())
    declared.add(Networks(live, presence.attendance.register, training).declarations())
    return Capability(live, declared, jobs)
