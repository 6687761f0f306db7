"""Decides how a 三分钟演示课 is played: one at a time, by actors in their own process, through the public doors."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from server.accounts.service import Accounts
from server.core.clock import MINUTE_MS
from server.core.errors import DomainError
from server.core.tasks import Tasks
from server.core.wire.declaration import PUBLIC, Call, Declarations, Nothing, Route
from server.demo.cast import Account, read_accounts, trainee_login
from server.demo.scripts import SCRIPTS
from server.demo.seed import Seed
from server.demo.stage import Part, Plan

TITLE: Final = "三分钟演示课"
PLANNED_MS: Final = 4 * MINUTE_MS
ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = "demo-lessons"
#: trainees (from 0) that visitors sign in as, actors play, guests get; actors and guests change from lesson to lesson,
#: because an account may take over from another device only three times an hour
ACTORS: Final = range(3, 24)
GUESTS: Final = range(24, 28)
ACTORS_STEP: Final = 5
STOP_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Guest:
    """The account a visitor joins with."""

    login: str
    password: str


@dataclass(frozen=True, slots=True)
class DemoLesson:
    """A demo lesson that has begun."""

    lesson_id: str
    guest: Guest


class DemoLessons:
    """Starts demo lessons; a cancelled task, that is the end of the server, ends the actors."""

    def __init__(
        self,
        accounts: Accounts,
        seed: Seed,
        tasks: Tasks,
        url: str,
        folder: Path,
        tempo: float = 1.0,
        authority: Path | None = None,
    ) -> None:
        self._accounts, self._seed, self._tasks = accounts, seed, tasks
        self._url, self._folder, self._tempo, self._authority = url, folder, tempo, authority
        self._starting = asyncio.Lock()
        self._running: str | None = None

    async def start(self, _call: Call, _request: Nothing) -> DemoLesson:
        """POST /api/v1/demo/lesson. Raises DomainError demo_running (data: lesson_id)."""
        async with self._starting:
            if self._running is not None:
                raise DomainError("demo_running", lesson_id=self._running)
            lesson = await self._seed.plan_now(TITLE, PLANNED_MS)
            accounts = {account.login: account for account in read_accounts(self._folder)}
            guest = accounts[trainee_login(GUESTS[lesson.number % len(GUESTS)])]
            plan = self._plan(lesson.id, lesson.number, accounts)
            for login in (plan.teacher.login, guest.login, *(part.login for part in plan.trainees)):
                await self._restore_password(accounts[login])
            actors = await self._raise_curtain(plan)
            self._running = lesson.id
            self._tasks.spawn("demo.lesson", self._wait(actors))
        return DemoLesson(lesson.id, Guest(guest.login, guest.password))

    def _plan(self, lesson_id: str, number: int, accounts: dict[str, Account]) -> Plan:
        (self._folder / FOLDER).mkdir(mode=0o700, exist_ok=True)
        trainees = []
        for at, script in enumerate(SCRIPTS):
            login = trainee_login(ACTORS[(number * ACTORS_STEP + at) % len(ACTORS)])
            trainees.append(_part(script, accounts[login]))
        return Plan(
            url=self._url,
            lesson_id=lesson_id,
            teacher=_part("teach", accounts["teacher"]),
            trainees=tuple(trainees),
            transcript=str(self._folder / FOLDER / f"{lesson_id}.log"),
            tempo=self._tempo,
        )

    async def _restore_password(self, account: Account) -> None:
        """A visitor may have changed it; that visitor's login then ends."""
        person = await self._accounts.people.by_login(account.login)
        if person is None:
            return
        try:
            changed = not await self._accounts.verify_password(person.id, account.password)
        except DomainError:  # a visitor guessed too often
            changed = True
        if changed:
            await self._accounts.set_password(person.id, account.password)

    async def _raise_curtain(self, plan: Plan) -> Process:
        """Start the actors; passwords go through the pipe, which stays open for as long as we live."""
        actors = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "server.demo.players",
            cwd=ROOT,
            env={**os.environ, **({"SSL_CERT_FILE": str(self._authority.absolute())} if self._authority else {})},
            stdin=PIPE,
            stdout=DEVNULL,
            start_new_session=True,  # Ctrl-C is for the server alone, which then stops the actors itself
        )
        if actors.stdin is None:
            raise TypeError("the actors' input is a pipe")
        actors.stdin.write(json.dumps(asdict(plan)).encode() + b"\n")
        await actors.stdin.drain()
        return actors

    async def _wait(self, actors: Process) -> None:
        try:
            await actors.wait()
        finally:
            self._running = None
            if actors.returncode is None:
                await _stop(actors)

    def declarations(self) -> Declarations:
        """What the demo serves."""
        return Declarations(
            routes=[
                Route("POST", "/api/v1/demo/lesson", PUBLIC, Nothing, DemoLesson, self.start, codes=("demo_running",))
            ],
        )


async def _stop(actors: Process) -> None:
    actors.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await actors.wait()
    except TimeoutError:
        actors.kill()
        await actors.wait()


def _part(script: str, account: Account) -> Part:
    return Part(script, account.name, account.login, account.password)
