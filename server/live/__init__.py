"""Floor 5: live lessons."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from server.attendance import Presence
from server.core.capability import Capability, Job
from server.core.database import Database
from server.core.tasks import Tasks
from server.core.vault import Vault
from server.core.wire.fan_out import FanOut
from server.live.acts.api import Api as ActsApi
from server.live.acts.board import BoardActivity
from server.live.acts.board_api import Moves
from server.live.acts.chat import Chat
from server.live.acts.chat_api import ChatReading, FileOf
from server.live.acts.doors import Doors
from server.live.acts.log import ActLog
from server.live.acts.order import OrderActivity
from server.live.acts.polls import PollActivity
from server.live.acts.polls_api import Kept
from server.live.acts.port import Activity
from server.live.acts.questions import Questions
from server.live.acts.questions_api import Answers
from server.live.acts.replay_api import ReplayApi
from server.live.acts.seal import KeySeal
from server.live.acts.sign_in import SignInActivity
from server.live.acts.stage import StageActivity
from server.live.acts.stage_api import Stage
from server.live.api import Api
from server.live.check import Checks
from server.live.media_door import Door
from server.live.network import Networks
from server.live.roster import Rosters
from server.live.service import Live, Running
from server.live.stream_api import StreamApi
from server.live.streams import Streams
from server.training.service import Training

ROSTER_S: Final = 2.0
ROUND_S: Final = 10.0
#: how often what happens by itself in lessons is looked for
ACTS_S: Final = 1.0
#: which of the vault's keys anonymous answers are sealed with
ANSWERS_KEY: Final = "live.answers"


def activities(vault: Vault) -> tuple[Activity[Any], ...]:
    """Everything that people do in a lesson."""
    polls = PollActivity(KeySeal(vault.key(ANSWERS_KEY)))
    return (OrderActivity(), StageActivity(), Questions(), Chat(), polls, SignInActivity(), BoardActivity())


def build(
    *,
    database: Database,
    training: Training,
    presence: Presence,
    media: Door,
    fan_out: FanOut,
    stands: Callable[[str], Awaitable[bool]],
    names: Callable[[Iterable[str]], Awaitable[Mapping[str, str]]],
    tasks: Tasks,
    vault: Vault,
    file_of: FileOf,
) -> Capability[Live]:
    """Live lessons over attendance and a media door. `stands`: whether a login has not ended."""
    live = Live(database, training, presence.attendance.register, media)
    register = presence.attendance.register
    log = ActLog(database, register.owners, activities(vault), register.clock.ms, live.has_begun_and_ended, names)
    live.on_lost.append(log.lose)
    acts = ActsApi(log, training, register, fan_out, tasks)
    stage = Stage(log, live, training, register, tasks)  # before the doors, which end the lease of who is removed
    doors = Doors(log, presence.attendance, fan_out)
    rosters = Rosters(register, training, presence.views)
    api = Api(live, presence.attendance, presence.views, training, fan_out, doors, rosters)
    live.announce = partial(_announce, api, acts)
    checks = Checks(live)
    streams = Streams(live, database, training, presence.attendance.register.clock, stands)
    media.key_peer = streams.peer
    media.on_published += [live.published, streams.published, stage.published]
    media.on_trouble.append(streams.troubled)
    declared = api.declarations()
    kept, answers = Kept(database, training, log.activities, names), Answers(database, training, names)
    replay = ReplayApi(database, training, tuple(log.activities.values()), names)
    lines = StreamApi(streams, fan_out), Networks(live, register, training), replay
    for one in (acts, stage, rosters, kept, ChatReading(acts, file_of), answers, Moves(acts, fan_out), checks, *lines):
        declared.add(one.declarations())
    return Capability(live, declared, _jobs(live, api, checks, log, stage, doors))


def _jobs(live: Live, api: Api, checks: Checks, log: ActLog, stage: Stage, doors: Doors) -> tuple[Job, ...]:
    """What is done again and again."""
    return (
        Job("live.roster", ROSTER_S, api.push_rosters),
        Job("live.audience", ROSTER_S, api.push_audiences),
        Job("live.round", ROUND_S, live.round),
        Job("live.checks", ROUND_S, checks.round),
        Job("live.acts", ACTS_S, log.tick),
        Job("live.stage", ACTS_S, stage.round),
        Job("live.doors", ACTS_S, doors.round),
    )


async def _announce(api: Api, acts: ActsApi, running: Running) -> None:
    """Tell everybody in a lesson its phase, and how far its acts are."""
    await api.announce(running)
    await acts.remind(running.lesson_id)
