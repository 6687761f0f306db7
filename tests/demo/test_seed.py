"""The demo is made once, through the services; later starts change nothing but add a lesson for now."""

from pathlib import Path

from server import demo as demonstration
from server.app import build, open_store
from server.core.clock import MINUTE_MS, ManualClock
from server.core.errors import DomainError
from server.demo.cast import FILE, read_accounts
from server.demo.page import sign_in
from server.demo.seed import AREA, CLASS_CODE, INSTITUTION, LESSON_MS, OPERATOR, Seed
from server.training.rules import may_start
from tests.demo.conftest import Served, demo_config

START_MS = 1_795_400_000_000  # 2026-11-23 UTC
WEEK_MS = 7 * 24 * 60 * MINUTE_MS


async def test_everybody_of_the_file_can_sign_in_and_sees_what_is_theirs(served: Served) -> None:
    for account in read_accounts(served.folder)[:6]:
        browser = await sign_in(served.url, account.login, account.password)
        assert browser.me["role"] == account.role
        assert browser.me["name"] == account.name
        await browser.close()
    staff = served.account("staff")
    browser = await sign_in(served.url, staff.login, staff.password)
    (shown,) = (await browser.get("/api/v1/classes"))["classes"]
    assert (shown["trainees"], shown["lessons"]) == (28, 3)
    assert (shown["institution"]["name"], shown["area"]) == (INSTITUTION, AREA)
    await browser.close()


async def test_the_store_is_marked_as_a_demo(served: Served) -> None:
    platform = await served.house.training.platform()
    assert platform.demo
    assert platform.operator == OPERATOR


async def test_a_second_start_makes_nothing_and_keeps_the_passwords(served: Served) -> None:
    before = (served.folder / FILE).read_bytes()
    first = await demonstration.prepare(served.house, served.folder)
    training_class = await _seed(served).training_class()
    lessons = await served.house.training.lessons_of_class(training_class.id)
    assert await demonstration.prepare(served.house, served.folder) == first
    assert (served.folder / FILE).read_bytes() == before
    assert await served.house.training.lessons_of_class(training_class.id) == lessons


async def test_what_visitors_make_does_not_become_part_of_it(served: Served) -> None:
    admin = served.account("admin")
    browser = await sign_in(served.url, admin.login, admin.password)
    other = await browser.post("/api/v1/institutions", {"name": "另一所（虚构）", "area": AREA})
    person = {"role": "instructor", "name": "!", "login": "visitor", "institution_id": other["id"], "area": None}
    await browser.post("/api/v1/people", person)
    days = {"starts_on": "2026-11-01", "ends_on": "2026-12-01", "required_hours": 4}
    same = {"code": CLASS_CODE, "name": "同号", "institution_id": other["id"], "occupation": "", "level": ""}
    await browser.post("/api/v1/classes", same | days)
    await browser.close()
    lesson = await _seed(served).plan_now("课", LESSON_MS)
    teacher = await served.house.accounts.people.by_login("teacher")
    assert teacher is not None
    assert lesson.instructor_id == teacher.id


async def test_a_lost_file_gives_everybody_a_new_password(served: Served) -> None:
    old = served.account("trainee01")
    (served.folder / FILE).unlink()
    await demonstration.prepare(served.house, served.folder)
    new = served.account("trainee01")
    assert new.password != old.password
    await (await sign_in(served.url, new.login, new.password)).close()


async def test_a_week_later_there_is_a_lesson_for_now(tmp_path: Path) -> None:
    clock = ManualClock(START_MS)
    store = open_store(demo_config(tmp_path), clock)
    await store.database.migrate()
    house = build(demo_config(tmp_path), store, "http://127.0.0.1:1", frozenset(), demo=True)
    seed = Seed(house.accounts, house.training, clock, tmp_path)
    try:
        await seed.make()
        for advance in (0, LESSON_MS, WEEK_MS):
            clock.advance(advance)
            await seed.keep()
            assert len(await _startable(seed, house.training, clock)) == 1
    finally:
        house.accounts.close()
        await store.database.close()


async def _startable(seed: Seed, training: object, clock: ManualClock) -> list[str]:
    found = []
    for lesson in await training.lessons_of_class((await seed.training_class()).id):  # type: ignore[attr-defined]
        try:
            may_start(lesson, clock.ms())
        except DomainError:
            continue
        found.append(lesson.id)
    return found


def _seed(served: Served) -> Seed:
    return Seed(served.house.accounts, served.house.training, served.house.store.clock, served.folder)
