"""Two institutions in two provinces, everybody signed in, and what anybody asks of the whole table of declarations."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from server.accounts.people import NewPerson
from server.attendance import records as attendance
from server.attendance.challenges import records as challenges
from server.attendance.challenges.pace import Said as SaidAt
from server.attendance.challenges.rules import Event
from server.attendance.corrections import records as corrections
from server.attendance.corrections import rules
from server.attendance.corrections.records import Appeal, Correction, Said
from server.attendance.evidence import minute_records
from server.attendance.minutes import MINUTE_MS, MinuteRecord, Reason, SealedMinute
from server.core.actor import Actor, Role
from server.core.database import metadata
from server.core.wire.declaration import Route
from server.ledger import records as ledger
from server.live.acts import records as acts
from server.live.acts.poll_rules import PollQuestion, to_body
from server.live.acts.port import Act
from server.settings import RECORDINGS
from server.training.records import set_lesson_state
from server.training.rules import ChallengeRule, LessonState
from server.training.service import NewClass
from server.verify.vouched import Outcome
from tests.live.files.given import give_note, give_slides
from tests.playback.recorded import record
from tests.school import School, plan, school
from tests.wire.samples import SAMPLES, Sample

#: who is of a role here, in scope of the first school
HERE = {
    Role.TRAINEE: "jia",
    Role.INSTRUCTOR: "teacher",
    Role.STAFF: "staff",
    Role.REGULATOR: "regulator",
    Role.ADMINISTRATOR: "admin",
}
#: the same roles at the second institution, and a regulator of its province
ELSEWHERE = {
    Role.TRAINEE: "bing",
    Role.INSTRUCTOR: "teacher2",
    Role.STAFF: "staff2",
    Role.REGULATOR: "abroad",
}
CHALLENGED = {"class_hour_ms": 2_700_000, "challenges": {"limit_ms": 900_000, "answer_ms": 60_000}}
ASKED = {"text": "为什么？", "anonymous": False}
SOCKET = "/socket.io/?EIO=4&transport=websocket"


@dataclass
class Asked:
    """An answer as it came."""

    status: int
    text: str
    code: str = ""
    headers: Any = None


@dataclass
class World:
    """The running house with tokens for everybody in it; `names` fill the samples."""

    school: School
    tokens: dict[str, str]
    names: dict[str, Any]
    http: aiohttp.ClientSession

    @property
    def secrets(self) -> list[str]:
        """What nobody of another school or province may ever be shown."""
        ids = self.school.ids
        return [
            self.names["class_id"],
            self.names["lesson_id"],
            *(ids[who] for who in ("school", *HERE.values(), "yi")),
        ]

    def headers(self, who: str, origin: str | None = "ours") -> dict[str, str]:
        """A browser's: who "" is nobody, and an `origin` of None is left out."""
        made = {"Cookie": f"{self.school.house.rest.cookie}={self.tokens.get(who, who)}"} if who else {}
        if origin is not None:
            made["Origin"] = self.school.url if origin == "ours" else origin
        return made

    async def ask(self, route: Route, who: str, sample: Sample, origin: str | None = "ours") -> Asked:
        """One request, as the sample says."""
        path = route.path.format(**self.fill(sample.path))
        body: dict[str, Any] = {}
        if route.body_limit is not None or route.streams:
            body = {"data": sample.content}
        elif route.method != "GET":
            body = {"json": self.fill(sample.body)}
        async with self.http.request(
            route.method, path, params=self.fill(sample.query), headers=self.headers(who, origin), **body
        ) as answer:
            raw = await answer.read()
        text = raw.decode("utf-8", "replace")
        code = json.loads(text)["code"] if answer.status >= 400 else ""
        return Asked(answer.status, text, code, answer.headers)

    @asynccontextmanager
    async def line(self, who: str) -> AsyncIterator["Line"]:
        """Somebody's socket."""
        patience = aiohttp.ClientWSTimeout(ws_close=0.2)
        async with self.http.ws_connect(SOCKET, headers=self.headers(who), timeout=patience) as socket:
            await socket.receive_str()
            await socket.send_str("40")
            assert (await socket.receive_str()).startswith("40")
            yield Line(self, socket)

    def fill(self, value: Any) -> Any:
        """A sample's `{class_id}` and so on as they are here."""
        if isinstance(value, str):
            known = self.names.get(value.strip("{}"))
            return known if isinstance(known, int) else value.format(**self.names)
        if isinstance(value, dict):
            return {name: self.fill(one) for name, one in value.items()}
        return [self.fill(one) for one in value] if isinstance(value, list) else value

    async def state(self) -> dict[str, Any]:
        """All that is kept: every table, who holds a lease, which lessons are running, who controls them."""
        house = self.school.house
        kept: dict[str, Any] = {}
        async with house.store.database.read() as connection:
            for table in metadata.sorted_tables:
                rows = (await connection.execute(table.select())).all()
                kept[table.name] = sorted(map(repr, rows))
        kept["holders"] = repr(sorted(house.register.holders.items()))
        kept["running"] = repr([(one.lesson_id, one.lesson, sorted(one.controls)) for one in house.live.active()])
        return kept


@dataclass
class Line:
    """One socket, spoken to without a library."""

    world: World
    socket: aiohttp.ClientWebSocketResponse
    pushed: "list[tuple[str, Any]] | None" = None
    number: int = 0

    async def call(self, event: str, request: dict[str, Any]) -> dict[str, Any]:
        """Send an event and wait for its acknowledgement; pushes meanwhile are kept."""
        self.number += 1
        await self.socket.send_str(f"42{self.number}{json.dumps([event, request])}")
        while True:
            said = await asyncio.wait_for(self.socket.receive_str(), 10)
            if said == "41":
                raise ConnectionResetError
            if said == "2":
                await self.socket.send_str("3")
            elif said.startswith(f"43{self.number}["):
                (answer,) = json.loads(said[len(f"43{self.number}") :])
                assert isinstance(answer, dict)
                return answer
            elif said.startswith("42["):
                self.pushed = [*(self.pushed or []), tuple(json.loads(said[2:]))]


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """The school of the tests, and another one that it must never see, nor be seen by."""
    async with school(folder, scheme=CHALLENGED) as first:
        names = await _second(first) | {"class_id": first.class_id, "lesson_id": first.lesson_id, "url": first.url}
        names |= {f"{who}_id": one for who, one in first.ids.items()}
        house = first.house
        await plan(house, first.class_id, first.ids["other"], 2, first.clock.ms() + 86_400_000)
        names |= await _taught(first)
        names["over_id"] = await _over(first)
        await _challenge(first)
        names |= {"slides_id": await give_slides(first), "note_id": await give_note(first)}
        names |= await _acts(first, names["slides_id"])
        record(house.store.folder / RECORDINGS, first.lesson_id, first.clock.ms() / 1000)
        record(house.store.folder / RECORDINGS, f"{first.lesson_id}-1", first.clock.ms() / 1000)
        await house.log.round()  # its first one begins the log: that must not fall into a test
        names["secret"] = await house.accounts.invite(first.ids["invited"])
        tokens = {}
        for who in {*HERE.values(), *ELSEWHERE.values(), "yi", "stranger", "other", "spare"}:
            tokens[who] = await sign_in(first, who)
        async with aiohttp.ClientSession(first.url) as http:
            yield World(first, tokens, names, http)


async def sign_in(school: School, who: str) -> str:
    """A session without the time that a password takes."""
    accounts = school.house.accounts
    person = await accounts.person(school.ids[who])
    async with school.house.store.database.write() as connection:
        return await accounts.sessions.open(connection, person)


async def _second(first: School) -> dict[str, str]:
    house, root = first.house, Actor("", Role.ADMINISTRATOR, "")
    home = await house.training.create_institution("另一学校", "110101")
    new = [
        NewPerson(Role.TRAINEE, "名丙", "bing", home.id, None, "110101199003074557"),
        NewPerson(Role.INSTRUCTOR, "名二", "teacher2", home.id, None),
        NewPerson(Role.STAFF, "名三", "staff2", home.id, None),
        NewPerson(Role.INSTRUCTOR, "名四", "spare", first.ids["school"], None),
        NewPerson(Role.INSTRUCTOR, "名五", "invited", first.ids["school"], None),
    ]
    for one in new:
        first.ids[one.login or ""] = (await house.accounts.create_person(one)).id
    made = await house.training.create_class(
        root, NewClass("C-2", "另一班", home.id, "育婴员", "五级", "2026-11-01", "2026-12-31", 40)
    )
    await house.training.enrol_all(made.id, [first.ids["bing"]])
    lesson_id = await plan(house, made.id, first.ids["teacher2"], 1, first.clock.ms())
    return {"school2_id": home.id, "class2_id": made.id, "lesson2_id": lesson_id}


async def _challenge(first: School) -> None:
    """jia has failed a challenge in the lesson that is to begin, and tapped too fast: nothing counts until they are
    verified."""
    house, rule, now = first.house, ChallengeRule(), first.clock.ms() - MINUTE_MS
    await house.challenges.begin(first.lesson_id)
    async with house.store.database.write() as connection:
        for seq, outcome in enumerate((Outcome.ISSUED, Outcome.FAILED), 1):
            event = Event(seq, now, outcome, 1, 1)
            await challenges.add_event(connection, first.lesson_id, first.ids["jia"], event, rule)
        fast = SaidAt(first.ids["jia"], now, 1, 12, False)
        await challenges.add_answer(connection, first.lesson_id, fast)


async def _taught(first: School) -> dict[str, Any]:
    """A lesson of three minutes in which jia has nothing: one is corrected, one proposed to be, one asked about."""
    house, jia = first.house, first.ids["jia"]
    lesson_id = await plan(house, first.class_id, first.ids["other"], 3, first.clock.ms() - 7_200_000)
    now, slot = first.clock.ms() - 3_600_000, first.clock.ms() // MINUTE_MS - 90
    asked = Appeal("a1" * 8, lesson_id, jia, slot, slot, "手机来电", now)
    lines = [rules.Line(jia, at, 0, 60_000) for at in (slot, slot + 1)]
    made = [
        Correction(one * 8, lesson_id, first.ids["staff"], rules.Measure.FULL, "证明", "", "", (line,), now)
        for one, line in zip(("c1", "c2"), lines, strict=True)
    ]
    async with house.store.database.write() as connection:
        for at in range(slot, slot + 3):
            minute = SealedMinute(at, MINUTE_MS, (MinuteRecord(jia, (), ((Reason.HIDDEN, MINUTE_MS),)),))
            await attendance.add_minute(connection, lesson_id, minute, now)
            await ledger.append_packed(connection, at, lesson_id, minute_records(lesson_id, minute))
        await corrections.add_appeal(connection, asked)
        for one in made:
            await corrections.add_correction(connection, one)
        await set_lesson_state(connection, lesson_id, LessonState.ENDED, now - 3_600_000, now)
        said = Said(first.ids["admin"], "已核对", now)
        await corrections.add_verdict(connection, made[0], rules.Verdict.APPROVED, said)
        await corrections.add_entry(connection, made[0], made[0].lines, now)
    ids = {"taught_id": lesson_id, "appeal_id": asked.id, "approved_id": made[0].id, "proposed_id": made[1].id}
    return {**ids, "slot": slot + 2}


async def _over(first: School) -> str:
    """A class with a lesson of one minute, of which nothing is asked: it can be settled."""
    house, now = first.house, first.clock.ms() - 3_600_000
    new = NewClass("C-9", "上完的班", first.ids["school"], "育婴员", "五级", "2026-11-01", "2026-12-31", 40)
    home = await house.training.create_class(Actor("", Role.ADMINISTRATOR, ""), new)
    await house.training.enrol_all(home.id, [first.ids["yi"]])
    lesson_id = await plan(house, home.id, first.ids["other"], 1, now)
    minute = SealedMinute(now // MINUTE_MS, MINUTE_MS, ())
    async with house.store.database.write() as connection:
        await attendance.add_minute(connection, lesson_id, minute, now)
        await ledger.append_packed(connection, minute.slot, lesson_id, minute_records(lesson_id, minute))
        await set_lesson_state(connection, lesson_id, LessonState.ENDED, now, now + MINUTE_MS)
    return home.id


async def _acts(first: School, slides_id: str) -> dict[str, str]:
    """What people have done in the lesson that is to begin: two polls are prepared, a sign-in is open, yi has asked
    two questions and said a line, jia has asked one; slides were shown, and put away.
    """
    yi, jia = first.ids["yi"], first.ids["jia"]
    now, teacher, asked = first.clock.ms(), first.ids["teacher"], PollQuestion("judgement", "对吗？")
    draft = {"poll": None, "question": to_body(asked), "open": False}
    facts: list[tuple[str, str, str, dict[str, Any]]] = [
        ("polls", "prepared", teacher, draft),
        ("polls", "prepared", teacher, draft),
        ("sign_ins", "opened", teacher, {"seconds": 1_800}),
        ("questions", "asked", yi, ASKED),
        ("questions", "asked", jia, ASKED),
        ("questions", "asked", yi, ASKED),
        ("chat", "said", yi, {"text": "在吗"}),
        ("board", "show", teacher, {"deck": slides_id, "page": 1}),
        ("board", "show", teacher, {"deck": "", "page": 0}),
    ]
    done = [Act(seq, now, name, kind, who, body) for seq, (name, kind, who, body) in enumerate(facts, 1)]
    async with first.house.store.database.write() as connection:
        await acts.add(connection, first.lesson_id, done)
    questions = {"question_id": "4", "own_id": "5", "other_id": "6", "line_id": "7"}
    return {"poll_id": "1", "draft_id": "2", "sign_in_id": "3", **questions}


def sample_of(key: str) -> Sample:
    """The sample of a route (`GET /api/v1/me`) or of a command (`beat`)."""
    assert key in SAMPLES, f"{key} has no sample in tests/wire/samples.py"
    return SAMPLES[key]


def key_of(route: Route) -> str:
    """A route's name in the samples."""
    return f"{route.method} {route.path}"


def roles_not(roles: frozenset[Role]) -> Iterator[Role]:
    """The wrong roles."""
    yield from sorted(set(Role) - roles)
