"""A small real school for tests: the whole house in this process over a folder, with people who can speak to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import socketio

from media.api import Media
from media.plane import Session
from server.accounts.people import NewPerson
from server.app import House
from server.core.actor import Actor, Role
from server.core.clock import Clock, ManualClock, iso
from server.live.media_door import EmbeddedMedia
from server.serve import running
from server.settings import Config
from server.training.records_tables import DEFAULT_SCHEME
from server.training.rules import SubjectKind
from server.training.service import NewClass, NewLesson
from tests.attendance.challenges.scripted import Scripted

Groups = dict[str, dict[str, Any]]
#: 2026-11-23 09:00:00 UTC, the start of a minute
NOON_MS = 1_795_424_400_000 - 1_795_424_400_000 % 60_000
PASSWORD = "a long enough password"
PEOPLE = {
    "admin": Role.ADMINISTRATOR,
    "staff": Role.STAFF,
    "teacher": Role.INSTRUCTOR,
    "other": Role.INSTRUCTOR,
    "jia": Role.TRAINEE,
    "yi": Role.TRAINEE,
    "stranger": Role.TRAINEE,
    "regulator": Role.REGULATOR,
    "abroad": Role.REGULATOR,
}
AREAS = {"regulator": "370000", "abroad": "110000"}
#: valid by form, of a place that was never issued numbers
ID_NUMBERS = {"jia": "110101199003070417", "yi": "110101199003072818", "stranger": "110101199003075736"}


@dataclass
class School:
    """The running house and who is in it."""

    house: House
    url: str
    clock: ManualClock
    ids: dict[str, str]
    class_id: str
    lesson_id: str
    #: the minutes of the lesson, once a test knows them
    slots: list[int] = field(default_factory=list)

    @property
    def media(self) -> Media:
        """The media plane of this process."""
        assert isinstance(self.house.media, EmbeddedMedia)
        return self.house.media.media

    @property
    def sessions(self) -> dict[str, Session]:
        """Who is connected to media."""
        return self.media._plane.sessions

    def actor(self, who: str) -> Actor:
        """Somebody as the services see them."""
        role = PEOPLE[who]
        placed = role not in (Role.REGULATOR, Role.ADMINISTRATOR)
        return Actor(self.ids[who], role, f"session-{who}", self.ids["school"] if placed else None, AREAS.get(who))

    @asynccontextmanager
    async def http(self, who: str, address: str | None = None) -> AsyncIterator[aiohttp.ClientSession]:
        """Somebody's signed-in browser, without the browser; `address` is where it speaks from."""
        jar = aiohttp.CookieJar(unsafe=True)
        headers = {"Origin": self.url}
        async with aiohttp.ClientSession(
            self.url, headers=headers, cookie_jar=jar, connector=_line(address)
        ) as session:
            async with session.post("/api/v1/login", json={"login": who, "password": PASSWORD}) as answer:
                assert answer.status == 200, await answer.text()
            yield session

    @asynccontextmanager
    async def page(self, who: str, address: str | None = None) -> AsyncIterator["Page"]:
        """Somebody's page with a socket, which also comes from `address`."""
        async with self.http(who, address) as session, aiohttp.ClientSession(connector=_line(address)) as line:
            cookies = session.cookie_jar.filter_cookies(session._base_url or "")  # type: ignore[arg-type]
            cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
            client = socketio.AsyncClient(reconnection=False, http_session=line)
            page = Page(self, client, session)
            client.on("*", page.hear)
            client.on("lease:probe", lambda _payload: True)
            await client.connect(self.url, headers={"Cookie": cookie, "Origin": self.url}, transports=["websocket"])
            try:
                yield page
            finally:
                await client.disconnect()


def _line(address: str | None) -> aiohttp.TCPConnector:
    """Connections that come from an address of this machine."""
    return aiohttp.TCPConnector(local_addr=(address, 0) if address else None)


@dataclass
class Page:
    """A socket, and what it was told."""

    school: School
    client: socketio.AsyncClient
    session: aiohttp.ClientSession

    def __post_init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    async def hear(self, event: str, payload: Any) -> None:
        """Keep a push."""
        self.told.append((event, payload))

    async def call(self, event: str, **arguments: Any) -> dict[str, Any]:
        """Send an event about the lesson and return its acknowledgement."""
        answer: dict[str, Any] = await self.client.call(
            event, {"lesson_id": self.school.lesson_id, **arguments}, timeout=10
        )
        return answer

    async def join(self, **arguments: Any) -> dict[str, Any]:
        """Enter the lesson."""
        values: dict[str, Any] = {"device": "desktop", "page": "page-one", "resume": None, "password": None}
        return await self.call("lesson:join", **(values | arguments))

    def heard(self, event: str) -> list[Any]:
        """The payloads of one kind of push."""
        return [payload for name, payload in self.told if name == event]


@asynccontextmanager
async def school(
    folder: Path,
    clock: Clock | None = None,
    media: str = "embedded",
    groups: Groups | None = None,
    scheme: dict[str, Any] | None = None,
    prompts: bool = False,
) -> AsyncIterator[School]:
    """The house with one institution, one class of two, one lesson that may start now; `groups`: more settings.

    `scheme`: parameters of a scheme of its own; who is challenged is challenged by script, or by real `prompts`.
    """
    time = clock or ManualClock(NOON_MS)
    assert isinstance(time, ManualClock)
    settings: Groups = {"server": {"data": str(folder), "port": 0}, "media": {"udp_port": 0, "mode": media}}
    for name, more in (groups or {}).items():
        settings[name] = {**settings.get(name, {}), **more}
    config = Config.model_validate(settings)
    async with running(config, demo=False, clock=time) as (house, url):
        if not prompts:
            house.challenges.provider = Scripted()
        yield await fill(house, url, time, scheme)


async def fill(house: House, url: str, clock: ManualClock, scheme: dict[str, Any] | None = None) -> School:
    """One institution, people, a class of two and a lesson that may start now; what is there already stays."""
    administrator = Actor("", Role.ADMINISTRATOR, "")
    known = await house.training.institutions(administrator)
    home = known[0] if known else await house.training.create_institution("示例学校", "371525")
    ids = {"school": home.id}
    for who, role in PEOPLE.items():
        found = await house.accounts.people.by_login(who)
        if found is None:
            found = await _person(house, who, role, home.id)
        ids[who] = found.id
    classes = await house.training.classes_of(administrator)
    if not classes:
        bound = (await house.training.publish_scheme("ours", "本校规则", scheme)).id if scheme else DEFAULT_SCHEME
        new = NewClass("C-1", "示例班", home.id, "养老护理员", "五级", "2026-11-01", "2026-12-31", 40, bound)
        classes = [await house.training.create_class(administrator, new)]
        await house.training.enrol_all(classes[0].id, [ids["jia"], ids["yi"]])
        await plan(house, classes[0].id, ids["teacher"], 1, clock.ms())
    (first, *_) = await house.training.lessons_of_class(classes[0].id)
    return School(house, url, clock, ids, classes[0].id, first.id)


async def plan(house: House, class_id: str, instructor_id: str, number: int, start_ms: int) -> str:
    """A lesson of an hour from `start_ms`; returns its id."""
    new = NewLesson(
        class_id, number, f"第{number}课", SubjectKind.THEORY, iso(start_ms), iso(start_ms + 3_600_000), instructor_id
    )
    return (await house.training.create_lesson(Actor("", Role.ADMINISTRATOR, ""), new)).id


async def _person(house: House, who: str, role: Role, school_id: str) -> Any:
    placed = role not in (Role.REGULATOR, Role.ADMINISTRATOR)
    new = NewPerson(
        role=role,
        name=f"名{who}",
        login=who,
        institution_id=school_id if placed else None,
        area=AREAS.get(who),
        id_number=ID_NUMBERS.get(who),
    )
    person = await house.accounts.create_person(new)
    await house.accounts.set_password(person.id, PASSWORD)
    return person
