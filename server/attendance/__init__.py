"""Floor 4, the heart: lease → beat → credit → minute → hours."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from server.attendance.api import Api, Hours
from server.attendance.awake import LOOK_S
from server.attendance.book import Witnessed, nobody_saw
from server.attendance.challenges.api import Api as ChallengesApi
from server.attendance.challenges.listed import Listed
from server.attendance.challenges.provider import ChallengeProvider
from server.attendance.challenges.seeds import ROUND_S as SEEDS_S
from server.attendance.challenges.service import ROUND_S as CHALLENGES_S
from server.attendance.challenges.service import Challenges, Show
from server.attendance.challenges.service import Ports as ChallengePorts
from server.attendance.corrections.api import Api as CorrectionsApi
from server.attendance.corrections.service import Corrections, Names
from server.attendance.pages.service import ROUND_S as PAGES_S
from server.attendance.register import Register
from server.attendance.sealer import ROUND_S, Sealer
from server.attendance.service import Attendance, Ports
from server.attendance.settlements.api import Api as SettlementsApi
from server.attendance.settlements.service import Settlements
from server.attendance.views import Views
from server.core.capability import Capability, Job
from server.core.vault import Vault
from server.training.rules import AttentionRule, ChallengeRule
from server.training.service import Lesson, Scheme, Training


@dataclass(frozen=True, slots=True)
class Presence:
    """What higher floors use: leases and beats, and what became of them."""

    attendance: Attendance
    views: Views
    hours_of: Callable[[str, str | None], Awaitable[dict[str, Hours]]]
    challenges: Challenges
    settlements: Settlements


def build(
    *,
    register: Register,
    vault: Vault,
    ports: Ports,
    training: Training,
    names: Names,
    show: Show,
    witnessed: Witnessed = nobody_saw,
    provider: ChallengeProvider | None = None,
) -> Capability[Presence]:
    """Attendance over a register; `witnessed`: what media say of a minute once sealed; `provider`: who challenges."""
    attendance = Attendance(register, vault, ports)
    views = Views(register, training)
    settlements = Settlements(register.database, register.clock, views, training, names)
    settling = SettlementsApi(settlements, training)
    api = Api(attendance, views, training, settling.own)
    sealer = Sealer(register, witnessed)
    corrections = Corrections(register.database, register.clock, views, training, names)
    served = api.declarations()
    served.add(CorrectionsApi(corrections, training).declarations())
    served.add(settling.declarations())

    register.attention_of = partial(_attention_of, training)
    challenges = Challenges(
        register, vault, ChallengePorts(partial(_rule_of, training), show, attendance.holder_of), provider
    )
    served.add(ChallengesApi(challenges).declarations())
    served.add(Listed(register.database, register.clock, training, names).declarations())

    training.on_planned.append(partial(_planned, challenges))
    jobs = (
        Job("attendance.awake", LOOK_S, register.awake),
        Job("attendance.seal", ROUND_S, sealer.round),
        Job("attendance.pages", PAGES_S, attendance.pages.round),
        Job("attendance.challenges", CHALLENGES_S, challenges.round),
        Job("attendance.seeds", SEEDS_S, partial(_seeds, challenges, training)),
    )
    return Capability(Presence(attendance, views, api.hours_of, challenges, settlements), served, jobs)


async def _rule_of(training: Training, lesson_id: str) -> ChallengeRule | None:
    lesson = await training.lesson(lesson_id)
    return (await training.scheme_of(lesson.class_id)).challenges


async def _attention_of(training: Training, lesson_id: str) -> AttentionRule | None:
    lesson = await training.lesson(lesson_id)
    return (await training.scheme_of(lesson.class_id)).attention


async def _planned(challenges: Challenges, lesson: Lesson, scheme: Scheme) -> None:
    """A lesson has its seed as soon as it is planned."""
    if scheme.challenges is not None:
        await challenges.seeds.planned(lesson.id, scheme.challenges)


async def _seeds(challenges: Challenges, training: Training) -> None:
    """And so has every lesson to come that was planned otherwise."""
    to_come = await training.to_come()
    await challenges.seeds.round({one.id: rule for one, each in to_come if (rule := each.challenges)})
