"""Above the capabilities: the demo. Fictitious people, one class, and a lesson of three minutes played by actors.

It uses what everybody uses and knows no table; nothing else knows it but `app` and the command line.
"""

from pathlib import Path
from typing import Final, Protocol

from server.accounts.service import Accounts
from server.core.capability import Capability, Job
from server.core.clock import Clock
from server.core.tasks import Tasks
from server.demo.cast import table
from server.demo.lesson import DemoLessons
from server.demo.seed import Seed
from server.demo.tamper import Tamper
from server.training.service import Training

KEEP_S: Final = 300


class Store(Protocol):
    """What the demo needs of the store."""

    @property
    def clock(self) -> Clock: ...


class House(Protocol):
    """What the demo needs of the built house; `app` lies above."""

    @property
    def accounts(self) -> Accounts: ...

    @property
    def training(self) -> Training: ...

    @property
    def store(self) -> Store: ...


async def prepare(house: House, folder: Path) -> list[str]:
    """Make the demo at the first start, a lesson for now at every start; returns the accounts as lines to print."""
    return table(await Seed(house.accounts, house.training, house.store.clock, folder).make())


def build(
    *,
    accounts: Accounts,
    training: Training,
    clock: Clock,
    tasks: Tasks,
    url: str,
    folder: Path,
    tamper: Tamper,
    authority: Path | None = None,
) -> Capability[DemoLessons]:
    """The demo's lessons; only where the demo is served. `authority`: whom its actors trust besides the system's."""
    seed = Seed(accounts, training, clock, folder)
    lessons = DemoLessons(accounts, seed, tasks, url, folder, authority=authority)
    joined = lessons.declarations()
    joined.add(tamper.declarations())
    return Capability(lessons, joined, (Job("demo.lessons", KEEP_S, seed.keep),))
