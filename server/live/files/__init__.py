"""The files of lessons: slides and what is given in the chat."""

from pathlib import Path
from typing import Final

from server.core.actor import Actor, Role
from server.core.capability import Capability, Job
from server.core.clock import Clock
from server.core.database import Database
from server.core.errors import DomainError
from server.core.files.making import PageMaker
from server.core.files.store import FileStore
from server.core.tasks import Tasks
from server.live.acts.order import OrderActivity, order_of
from server.live.acts.port import Who
from server.live.acts.records import acts_of
from server.live.files.api import Api
from server.live.files.rules import Use
from server.live.files.service import LessonFiles
from server.live.files.sight import Sight
from server.training.rules import LessonState
from server.training.service import Training

#: where files lie in the data folder, and the pages that are made of them
FILES: Final = "files"
PAGES: Final = "pages"
SWEEP_S: Final = 60.0
LIVE: Final = (LessonState.LIVE, LessonState.PAUSED, LessonState.BREAK)


def build(
    *, database: Database, clock: Clock, tasks: Tasks, folder: Path, training: Training
) -> Capability[LessonFiles]:
    """Files of lessons below a data folder."""
    store = FileStore(folder / FILES)
    gate = Gate(database, training)
    files = LessonFiles(database, clock, tasks, store, PageMaker(store, folder / PAGES, tasks), gate.may_give)
    return Capability(
        files, Api(files, training, Sight(database)).declarations(), (Job("live.files", SWEEP_S, files.sweep),)
    )


class Gate:
    """Who may give a file to a lesson. Any process may be asked, so the order is read as it is stored."""

    def __init__(self, database: Database, training: Training) -> None:
        self._database, self._training = database, training

    async def may_give(self, actor: Actor, lesson_id: str, use: Use) -> bool:
        """Whether they teach it. Raises DomainError not_found, forbidden, lesson_ended, lesson_not_live, and what the
        lesson's order refuses."""
        lesson, _ = await self._training.lesson_for(actor, lesson_id)
        teaches = actor.role is Role.INSTRUCTOR and lesson.instructor_id == actor.person_id
        if not teaches and (use is Use.SLIDES or actor.role is not Role.TRAINEE):
            raise DomainError("forbidden")
        if lesson.state is LessonState.ENDED:
            raise DomainError("lesson_ended")
        if not teaches:
            if lesson.state not in LIVE:
                raise DomainError("lesson_not_live")
            await self._check_order(lesson_id, Who(actor.person_id))
        return teaches

    async def _check_order(self, lesson_id: str, who: Who) -> None:
        async with self._database.read() as connection:
            acts = await acts_of(connection, lesson_id, (OrderActivity.name,))
        order_of(acts).check(who, "files")
