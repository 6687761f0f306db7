"""A lesson in which anything happens in any order: commands of all activities, pages that lose what they are told,
a store whose answers get lost, restarts. What everybody knows in the end is what the stored acts give.
"""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from types import SimpleNamespace, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.actor import Role
from server.core.cluster.owners import Alone
from server.core.database import Database, sqlite_url
from server.core.errors import DomainError
from server.core.tasks import Tasks
from server.core.vault import Vault
from server.core.wire.codec import decode, plain
from server.live import activities
from server.live.acts import records
from server.live.acts.api import ROLES, Api, Done, SinceRequest
from server.live.acts.log import ActLog, Lesson
from server.live.acts.poll_rules import PollQuestion
from server.live.acts.port import Act, Activity, Says

LESSON: Final = "c" * 16
TEACHER, TRAINEES = "f" * 16, tuple(letter * 16 for letter in "abd")
WHY: Final = "为什么?"
ACTIVITIES: Final = activities(Vault(b"v" * 32))
COMMANDS: Final = [(one, says) for one in ACTIVITIES for says in one.commands]
#: what few would hit upon by chance
LIKELY: Final[Mapping[type, st.SearchStrategy[Any]]] = {
    PollQuestion: st.fixed_dictionaries(
        {
            "kind": st.sampled_from(("single", "judgement", "text")),
            "text": st.just("?"),
            "choices": st.just(["a", "b"]),
        },
        optional={"anonymous": st.booleans(), "changeable": st.booleans(), "seconds": st.sampled_from((None, 30))},
    ).map(lambda one: one if one["kind"] == "single" else {**one, "choices": []}),
}
#: how every lesson begins, so that there is something of each activity to go on with: event, by whom, values
OPENING: Final[Sequence[tuple[str, int, dict[str, Any]]]] = (
    ("sign_in:open", 0, {"seconds": 60}),
    ("poll:prepare", 0, {"question": {"kind": "single", "text": "?", "choices": ["a", "b"]}, "open": True}),
    ("question:ask", 1, {"text": WHY}),
    ("chat:say", 2, {"text": "好"}),
    ("stage:raise", 3, {}),
    ("order:switch", 0, {"what": "drawing", "on": True}),
    ("board:show", 0, {"deck": "board", "page": 1}),
)
WORDS: Final = ("好", WHY, "  ", "x")


class Store:
    """A real store that refuses some transactions, or commits them and loses the answer."""

    def __init__(self, database: Database) -> None:
        self.read, self._database = database.read, database
        self.lost: bool | None = None

    @asynccontextmanager
    async def write(self, *names: str) -> AsyncIterator[AsyncConnection]:
        lost, self.lost = self.lost, None
        async with self._database.write(*names) as connection:
            yield connection
            if lost is False:
                raise DomainError("store_unavailable")
        if lost:
            raise DomainError("store_unavailable")


@dataclass
class Page:
    """What somebody's page knows, by the rules of web/src/live/talk.ts; `inbox`: what is on its way to it."""

    person_id: str
    role: Role
    seq: int = 0
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    inbox: list[dict[str, Any]] = field(default_factory=list)
    online: bool = True

    @property
    def desk(self) -> bool:
        return self.role is not Role.TRAINEE

    @property
    def call(self) -> Any:
        return SimpleNamespace(who=SimpleNamespace(person_id=self.person_id, role=self.role), connection=self.person_id)

    def hear(self, news: Mapping[str, Any]) -> bool:
        """Take a push; whether something was missed before it."""
        if news["seq"] <= self.seq:
            return False
        if news["after"] > self.seq:
            return True
        self._merge(news)
        return False

    def take(self, found: Mapping[str, Any]) -> None:
        """What was asked for."""
        if found["seq"] >= self.seq:
            if found["whole"]:
                self.views = {}
            self._merge(found)

    def _merge(self, news: Mapping[str, Any]) -> None:
        for activity, views in ((name, some) for name, some in news["changes"].items() if some):
            self.views.setdefault(activity, {}).update({view["id"]: view for view in views})
        self.seq = news["seq"]


class FanOut:
    """Hands what is told to whoever is there, as it is at that moment."""

    def __init__(self, pages: Iterable[Page]) -> None:
        self._pages = pages

    async def send(self, group: str, _push: Any, payload: Any) -> None:
        told = plain(payload)
        for _ in range(3):  # others go on meanwhile
            await asyncio.sleep(0)
        for page in self._pages:
            if page.online and group == f"{'desk' if page.desk else 'learn'}:{LESSON}":
                page.inbox.append(told)


async def _names(ids: Iterable[str]) -> Mapping[str, str]:
    return {one: f"name of {one[0]}" for one in ids}


@dataclass(frozen=True)
class Training:
    """Knows one lesson."""

    async def lesson_for(self, _actor: Any, lesson_id: str) -> Any:
        return SimpleNamespace(id=lesson_id, instructor_id=TEACHER), None


class Anything(RuleBasedStateMachine):
    """Rules are what may come between."""

    template: Path
    seen: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="keshi-test-"))
        shutil.copyfile(self.template, self.folder / "keshi.db")
        self.runner = asyncio.Runner()
        self.now_ms, self.over = 1_790_000_000_000, False
        self.announced: list[Act] = []
        roles = {TEACHER: Role.INSTRUCTOR} | dict.fromkeys(TRAINEES, Role.TRAINEE)
        self.pages = [Page(person_id, role) for person_id, role in roles.items()]
        #: these lose nothing and ask for nothing more: pushes alone keep them up as long as the store answers
        self.faithful = [Page("g" * 16, Role.TRAINEE), Page("h" * 16, Role.STAFF)]

    def run_async(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @initialize(calm=st.booleans())
    def begin(self, calm: bool) -> None:
        """`calm`: the process and its store are as they should be all the time."""
        self.calm = calm

        async def work() -> None:
            self.database = Database(sqlite_url(self.folder / "keshi.db"))
            self.store, self.tasks = Store(self.database), Tasks()
            self.api = self._started()
            for page in (*self.pages, *self.faithful):
                await self._ask(page)
            known = {says.event: (one, says) for one, says in COMMANDS}
            for event, who, values in OPENING:
                if event in known:
                    await self._give(self.pages[who], *known[event], values | {"lesson_id": LESSON})
            await self._told()

        self.run_async(work())

    def _started(self) -> Api:
        log = ActLog(self.store, Alone(), ACTIVITIES, lambda: self.now_ms, self._phase, _names)  # type: ignore[arg-type]
        everybody = [*self.pages, *self.faithful]
        holders = {one.person_id: SimpleNamespace(lesson_id=LESSON, connection=one.person_id) for one in everybody}
        register = SimpleNamespace(holders=holders, clock=SimpleNamespace(ms=lambda: self.now_ms))
        fan_out = FanOut(everybody)
        api = Api(log, Training(), register, fan_out, self.tasks)  # type: ignore[arg-type]
        log.on_acts.append(self._hear)
        return api

    async def _phase(self, _lesson_id: str) -> tuple[bool, int | None]:
        return True, self.now_ms if self.over else None

    async def _hear(self, _lesson_id: str, acts: Sequence[Act]) -> None:
        self.announced += acts

    # ---- what happens

    @rule(data=st.data(), count=st.integers(3, 8), twice=st.booleans(), over=st.integers(0, 9), lost=st.integers(0, 3))
    def command(self, data: st.DataObject, count: int, twice: bool, over: int, lost: int) -> None:
        """Some commands at once, or each of them twice; seldom as if the lesson were over. A page loses a push."""
        self.over = over == 9
        some = [self._drawn(data) for _ in range(count)] * (2 if twice else 1)

        async def work() -> None:
            await asyncio.gather(*(self._give(*one) for one in some))
            await self._told()
            del self.pages[lost].inbox[:1]

        self.run_async(work())

    def _drawn(self, data: st.DataObject) -> tuple[Page, Activity[Any], Says, Any]:
        known = {
            one.name: sorted({key for each in self.pages for key in each.views.get(one.name, ())}) for one in ACTIVITIES
        }
        may = [one for one in COMMANDS if known[one[0].name] or not _needs(one[1])]
        name = data.draw(st.sampled_from([one.name for one in ACTIVITIES]))
        activity, says = data.draw(st.sampled_from([one for one in may if one[0].name == name]))
        page = data.draw(st.sampled_from([page for page in self.pages if page.role in ROLES[says.by]]))
        hints = get_type_hints(says.request, include_extras=True)
        values = {
            one.name: data.draw(value_of(hints[one.name], _words(one.name, known[activity.name])))
            for one in fields(says.request)
            if one.name != "lesson_id"
        }
        return page, activity, says, values | {"lesson_id": LESSON}

    async def _give(self, page: Page, activity: Activity[Any], says: Says, values: dict[str, Any]) -> None:
        try:
            done: Done = await self.api.do(page.call, activity, says, decode(says.request, values))
        except DomainError as error:
            self.seen[error.code] += 1
            return
        self.seen[says.event if done.seq else "nothing"] += 1
        if done.seq:
            stored = (await self._stored())[done.seq - 1]
            assert (stored.seq, stored.activity, stored.actor_id) == (done.seq, activity.name, page.person_id)

    @rule(ms=st.sampled_from((0, 1, 999, 30_000, 3_600_000)))
    def later(self, ms: int) -> None:
        """Time goes on, and what is due happens."""
        self.now_ms += ms

        async def work() -> None:
            await self.api.log.tick()
            await self._told()

        self.run_async(work())

    @rule(page=st.integers(0, len(TRAINEES)), how=st.sampled_from(("come", "come", "twice", "last")))
    def push(self, page: int, how: str) -> None:
        """What is on its way to a page comes, comes twice, or the newest of it first."""
        one = self.pages[page]
        some, one.inbox = one.inbox, []
        for news in {"twice": some * 2, "last": some[::-1]}.get(how, some):
            if one.hear(news):
                self.seen["missed"] += 1
                self.run_async(self._ask(one))

    @rule(page=st.integers(0, len(TRAINEES)))
    def drop(self, page: int) -> None:
        self.pages[page].online, self.pages[page].inbox = False, []

    @rule(page=st.integers(0, len(TRAINEES)), anew=st.booleans())
    def join(self, page: int, anew: bool) -> None:
        """A page comes back and asks for what it missed, or begins with nothing."""
        one = self.pages[page]
        one.online = True
        if anew:
            one.seq, one.views = 0, {}
        self.run_async(self._ask(one))

    @precondition(lambda self: not self.calm)
    @rule(happened=st.booleans())
    def lose_answer(self, happened: bool) -> None:
        """The store's next answer gets lost."""
        self.store.lost = happened

    @precondition(lambda self: not self.calm)
    @rule(here=st.booleans())
    def restart(self, here: bool) -> None:
        """Another process takes the lesson, or this one begins anew."""
        if here:
            self.api.log.lose(LESSON)
        else:
            self.api = self._started()

    # ---- what is true

    async def _told(self) -> None:
        """Until every push that is due is on its way."""
        while self.tasks._running:
            await asyncio.gather(*self.tasks._running)

    async def _ask(self, page: Page) -> None:
        page.take(plain(await self.api.since(page.call, SinceRequest(LESSON, page.seq))))

    async def _stored(self) -> list[Act]:
        async with self.store.read() as connection:
            return await records.acts_of(connection, LESSON)

    async def _check(self) -> None:
        self.store.lost = None
        acts = await self._stored()
        assert [act.seq for act in acts] == list(range(1, len(acts) + 1))
        assert [act.at_ms for act in acts] == sorted(act.at_ms for act in acts)
        numbers = [act.seq for act in self.announced]
        assert numbers == sorted(set(numbers)), "announced twice, or out of order"
        assert [acts[act.seq - 1] for act in self.announced] == self.announced
        fresh = self._started()
        for page in self.pages:
            whole, lived = [plain(await one.since(page.call, SinceRequest(LESSON, 0))) for one in (fresh, self.api)]
            assert lived == whole, "the state is not what the stored acts make"
            for news in page.inbox:
                if page.hear(news):
                    break
            await self._ask(page)
            assert (page.seq, page.views) == (len(acts), await self._right(fresh, page))
        for page in self.faithful:
            missed = True in [page.hear(news) for news in page.inbox]
            assert not self.calm or (missed, page.seq, page.views) == (
                *(False, len(acts)),
                await self._right(fresh, page),
            )
        self.seen["acts"] += len(acts)

    async def _right(self, api: Api, page: Page) -> dict[str, Any]:
        """What a page must know: all that whoever comes is told, and of what it knows besides what became of it."""

        def read(lesson: Lesson) -> dict[str, Any]:
            known = {(name, key) for name, views in page.views.items() for key in views}
            views = api.log.views(lesson, {*api.log.everything(lesson), *known}, page.desk)
            return {name: {view["id"]: view for view in plain(some)} for name, some in views.items() if some}

        found: dict[str, Any] = await api.log.seen(LESSON, read)
        return found

    def teardown(self) -> None:
        try:
            if hasattr(self, "api"):
                self.run_async(self._check())
        finally:
            if hasattr(self, "database"):
                self.run_async(self.database.close())
            self.runner.close()
            shutil.rmtree(self.folder)


def _needs(says: Says) -> bool:
    """Whether a command is about something that there is already."""
    free = ("person", "text", "lesson", "deck")
    return any(one.type in (str, "str") and not any(word in one.name for word in free) for one in fields(says.request))


def _words(name: str, known: Sequence[str]) -> Sequence[str]:
    """What may stand in a field: mostly what it is meant for."""
    if "person" in name:
        return TRAINEES
    return WORDS if "text" in name else (*known, *known, *WORDS[:1], *TRAINEES[:1])


def value_of(kind: Any, words: Sequence[str]) -> st.SearchStrategy[Any]:
    """JSON of a type: often of something that there is."""
    if kind in LIKELY:
        return LIKELY[kind]
    if (origin := get_origin(kind)) is not None:
        return _generic(origin, get_args(kind), words)
    if is_dataclass(kind):
        hints = get_type_hints(kind, include_extras=True)
        return st.fixed_dictionaries({name: value_of(hint, words) for name, hint in hints.items()})
    return _simple(kind, words)


def _generic(origin: Any, inner: tuple[Any, ...], words: Sequence[str]) -> st.SearchStrategy[Any]:
    if origin is Annotated:
        return value_of(inner[0], words)
    if origin in (Union, UnionType):
        return st.one_of(*(value_of(one, words) for one in inner))
    if origin is Literal:
        return st.sampled_from(inner)
    return st.lists(value_of(inner[0], words), max_size=3)


def _simple(kind: Any, words: Sequence[str]) -> st.SearchStrategy[Any]:
    numbers = [int(one) for one in words if one.isdecimal()] or [1]
    found: dict[Any, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        int: st.one_of(st.integers(0, 9), st.sampled_from(numbers)),
        float: st.floats(0, 1, width=32),
        str: st.sampled_from(words),
    }
    return found.get(kind, st.none())
