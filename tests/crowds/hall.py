"""A school of hundreds: its data made once, its service a process of its own, its trainees real sockets that beat."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from server.accounts import records
from server.accounts.id_number import check_digit
from server.accounts.people import NewPerson
from server.core.actor import Role
from server.core.clock import ManualClock, SystemClock
from server.demo.page import Page, Socket, sign_in
from tests.accounts.store import PASSWORD, _hash
from tests.e2e.service import Service
from tests.school import School, plan, school

BEATING = 20
BEAT_S = 0.5
TICK_S = 0.01


def id_number(index: int) -> str:
    """Valid by form; nobody's."""
    first = f"110101{1950 + index // 200}0307{index % 200:03d}"
    return first + check_digit(first)


@dataclass
class Hall:
    """The service, the class's lesson, and the logins of those who will come."""

    service: Service
    lesson_id: str
    logins: list[str]


async def make(folder: Path, people: int) -> Hall:
    """Everybody has a password and is enrolled in a lesson that may start now."""
    (folder / "config.yaml").write_text("media:\n  udp_port: 0\nlimits:\n  waiting_s: 1\n")
    service = Service(folder)
    async with school(service.data, ManualClock(SystemClock().ms())) as made:
        admitted = await _admit(made, people)
        lesson_id = await plan(made.house, made.class_id, made.ids["teacher"], 2, made.clock.ms())
    return Hall(service, lesson_id, admitted)


async def _admit(made: School, people: int) -> list[str]:
    trainees = [
        NewPerson(Role.TRAINEE, f"演示·{at}", f"trainee{at}", made.ids["school"], None, id_number(at))
        for at in range(people)
    ]
    admitted = await made.house.accounts.people.admit(trainees)
    await made.house.training.enrol_all(made.class_id, [one.id for one in admitted])
    async with made.house.store.database.write() as connection:
        for one in (*admitted, await made.house.accounts.person(made.ids["teacher"])):
            await records.set_password(connection, one.id, _hash())
    return [one.login for one in admitted]


@dataclass
class Lesson:
    """A running lesson: what each beat's acknowledgement took, and how late this process itself was meanwhile."""

    pages: list[Page]
    acks_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)

    async def beat(self, page: Page, at: int) -> None:
        """One trainee, until cancelled."""
        await asyncio.sleep(BEAT_S * at / BEATING)
        while True:
            begun = time.monotonic()
            await page.beat()
            self.acks_ms.append((time.monotonic() - begun) * 1_000)
            await asyncio.sleep(max(0.0, BEAT_S - (time.monotonic() - begun)))

    async def watch(self) -> None:
        """How long whatever is due waits in this process: no fault of the server's."""
        while True:
            begun = time.monotonic()
            await asyncio.sleep(TICK_S)
            self.late_ms.append((time.monotonic() - begun - TICK_S) * 1_000)


@asynccontextmanager
async def lesson(hall: Hall) -> AsyncIterator[Lesson]:
    """The teacher has started it; the first BEATING trainees are in it and beat all the while."""
    url = hall.service.url
    teacher = await sign_in(url, "teacher", PASSWORD)
    control = Socket(teacher)
    await control.open()
    await control.call("lesson:join", lesson_id=hall.lesson_id, device="desktop", page="a-teacher")
    await control.call("lesson:start", lesson_id=hall.lesson_id)
    pages = []
    for login in hall.logins[:BEATING]:
        page = Page(await sign_in(url, login, PASSWORD), hall.lesson_id, "phone", lambda: time.monotonic() * 1_000)
        await page.join()
        pages.append(page)
    running = Lesson(pages)
    tasks = [asyncio.create_task(running.beat(page, at)) for at, page in enumerate(pages)]
    tasks.append(asyncio.create_task(running.watch()))
    try:
        yield running
        broken = [task.exception() for task in tasks if task.done()]
        assert broken == [], "a page stopped beating"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for page in pages:
            await page.drop()
            await page.login.close()
        await control.close()
        await teacher.close()
