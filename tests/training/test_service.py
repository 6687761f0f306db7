"""Who gets at what; classes, lessons and rosters as they are made."""

import contextlib
from dataclasses import replace

import pytest

from server.accounts.people import NewPerson
from server.core.actor import Actor, Role
from server.core.errors import DomainError
from server.training.rules import ChallengeRule, LessonState
from tests.accounts.store import number
from tests.training.school import School, new_class, new_lesson

BOTH_STORES = True

#: who sees the classes home, beside, other
SEEN = {
    "administrator": (True, True, True),
    "staff": (True, True, False),
    "staff2": (False, False, True),
    "instructor": (True, False, False),
    "colleague": (False, True, False),
    "instructor2": (False, False, True),
    "county": (True, True, False),
    "city": (True, True, False),
    "elsewhere": (False, False, False),
    "trainee": (True, False, False),
    "trainee2": (False, False, True),
}


async def refusal(call: object) -> str:
    with pytest.raises(DomainError) as refused:
        await call  # type: ignore[misc]
    return refused.value.code


@pytest.mark.parametrize("who", SEEN)
async def test_a_class_and_its_lessons_exist_only_in_one_s_scope(school: School, who: str) -> None:
    actor, training = school.people[who], school.training
    every = (school.home, school.beside, school.other)
    visible = {home.id for home, seen in zip(every, SEEN[who], strict=True) if seen}
    assert {home.id for home in await training.classes_of(actor)} == visible
    assert {lesson.class_id for lesson in await training.lessons_of(actor)} == visible
    for home in every:
        (lesson,) = await training.lessons_of_class(home.id)
        if home.id in visible:
            assert await training.class_for(actor, home.id) == home
            assert await training.lesson_for(actor, lesson.id) == (lesson, home)
        else:
            assert await refusal(training.class_for(actor, home.id)) == "not_found"
            assert await refusal(training.lesson_for(actor, lesson.id)) == "not_found"
    assert await refusal(training.class_for(actor, "nothing")) == "not_found"
    assert await refusal(training.lesson_for(actor, "nothing")) == "not_found"


async def test_a_regulator_without_an_area_sees_nothing(school: School) -> None:
    nobody = Actor("p", Role.REGULATOR, "s", None, None)
    assert await school.training.classes_of(nobody) == []
    assert await school.training.institutions(nobody) == []


async def test_an_instructor_s_own_lessons_only(school: School) -> None:
    await school.training.create_lesson(
        school.people["staff"], new_lesson(school.home.id, 2, school.people["colleague"])
    )
    mine = await school.training.lessons_of(school.people["instructor"])
    assert [lesson.id for lesson in mine] == [school.lesson.id]
    assert len(await school.training.lessons_of(school.people["trainee"])) == 2


async def test_a_class_under_the_default_scheme(school: School) -> None:
    made = school.home
    assert (made.code, made.institution, made.scheme.id) == ("演-1", school.one, "default/2")
    assert await school.training.training_class(made.id) == made
    assert await school.training.scheme_of(made.id) == made.scheme
    assert len({school.home.token, school.beside.token, school.other.token}) == 3


async def test_a_scheme_is_published_in_versions_and_a_class_is_bound_to_one(school: School) -> None:
    said = {"class_hour_ms": 1_800_000, "challenges": {"limit_ms": 600_000}}
    one, two = [await school.training.publish_scheme("half", "半小时", said) for _ in range(2)]
    assert (one.id, two.id, one.rules.class_hour_ms) == ("half/1", "half/2", 1_800_000)
    staff, make = school.people["staff"], school.training.create_class
    made = await make(staff, replace(new_class("演-9"), scheme_id=one.id))
    assert (await school.training.scheme_of(made.id)).challenges == ChallengeRule(600_000)
    assert await refusal(make(staff, replace(new_class("演-8"), scheme_id="half/3"))) == "scheme_unknown"
    assert await refusal(school.training.publish_scheme("A b", "半小时", said)) == "bad_request"
    assert await refusal(school.training.publish_scheme("half", "", said)) == "name_missing"


@pytest.mark.parametrize(
    ("who", "change", "code"),
    [
        ("staff", {"code": "演-1"}, "class_code_taken"),
        ("staff", {"code": "a/b"}, "class_code_malformed"),
        ("staff", {"name": " "}, "name_missing"),
        ("staff", {"name": "长" * 101}, "bad_request"),
        ("staff", {"occupation": "长" * 101}, "bad_request"),
        ("staff", {"level": "长" * 41}, "bad_request"),
        ("staff", {"ends_on": "2026-11-22"}, "dates_reversed"),
        ("staff", {"required_hours": 0}, "hours_out_of_range"),
        ("administrator", {}, "institution_needed"),
        ("administrator", {"institution_id": "nothing"}, "institution_unknown"),
    ],
)
async def test_refused_classes(school: School, who: str, change: dict[str, object], code: str) -> None:
    new = replace(new_class("演-9"), **change)  # type: ignore[arg-type]
    assert await refusal(school.training.create_class(school.people[who], new)) == code


async def test_staff_make_classes_at_home_only(school: School) -> None:
    new = new_class("演-9", school.two.id)
    assert await refusal(school.training.create_class(school.people["staff"], new)) == "institution_unknown"
    made = await school.training.create_class(school.people["administrator"], new)
    assert made.institution == school.two


async def test_a_class_by_its_code(school: School) -> None:
    assert await school.training.class_by_code("演-2") == school.beside
    assert await refusal(school.training.class_by_code("演-1")) == "not_found"  # two institutions have it
    assert await refusal(school.training.class_by_code("演-3")) == "not_found"


async def test_refused_lessons(school: School) -> None:
    staff, teacher, make = school.people["staff"], school.people["instructor"], school.training.create_lesson
    good = new_lesson(school.home.id, 2, teacher)
    assert await refusal(make(staff, new_lesson(school.home.id, 1, teacher))) == "lesson_number_taken"
    assert await refusal(make(staff, replace(good, class_id=school.other.id))) == "not_found"
    assert await refusal(make(staff, replace(good, title=""))) == "name_missing"
    for person in ("instructor2", "staff", "trainee"):
        wrong = replace(good, instructor_id=school.people[person].person_id)
        assert await refusal(make(staff, wrong)) == "instructor_unknown"
    assert await refusal(make(staff, replace(good, instructor_id="nobody"))) == "instructor_unknown"
    assert await refusal(make(staff, replace(good, planned_end="x"))) == "bad_request"
    assert len(await school.training.lessons_of_class(school.home.id)) == 1


async def test_a_state_moves_with_its_transaction(school: School) -> None:
    training, lesson = school.training, school.lesson
    with contextlib.suppress(RuntimeError):
        async with school.store.database.write() as connection:
            await training.set_lesson_state(connection, lesson.id, "live", 5)
            raise RuntimeError
    assert (await training.lesson(lesson.id)).state is LessonState.PLANNED
    async with school.store.database.write() as connection:
        await training.set_lesson_state(connection, lesson.id, LessonState.LIVE, 5)
    (running,) = await training.running_lessons()
    assert (running.id, running.state, running.started_ms, running.ended_ms) == (lesson.id, "live", 5, None)


async def test_seats_in_the_order_given(school: School) -> None:
    new = [NewPerson(Role.TRAINEE, f"演示·{at}", None, school.one.id, None, number(at)) for at in range(3)]
    made = await school.store.accounts.people.admit(new)
    first = school.people["trainee"].person_id
    seats = await school.training.enrol_all(school.home.id, [made[1].id, first, made[0].id, made[1].id])
    assert [(each.seat, each.fresh) for each in (seats[made[1].id], seats[first], seats[made[0].id])] == [
        (2, True),
        (1, False),
        (3, True),
    ]
    assert await school.training.enrol(school.home.id, made[0].id) == 3
    assert await school.training.enrol(school.home.id, made[2].id) == 4
    roster = await school.training.roster(school.home.id)
    assert [(one.seat, one.name) for one in roster] == [(1, "演示·甲"), (2, "演示·1"), (3, "演示·0"), (4, "演示·2")]


async def test_one_person_in_two_classes(school: School) -> None:
    person = school.people["trainee"].person_id
    assert await school.training.enrol(school.other.id, person) == 2
    assert len(await school.training.classes_of(school.people["trainee"])) == 2


async def test_showing_keeps_the_order_asked_for(school: School) -> None:
    ids = [lesson.id for lesson in await school.training.lessons_of(school.people["administrator"])]
    for order in (ids, ids[::-1]):
        assert [lesson.id for lesson in await school.training.show(order)] == order
    assert await school.training.show([]) == []
    assert await refusal(school.training.show([ids[0], "nothing"])) == "not_found"


async def test_the_platform_and_its_kind(school: School) -> None:
    training = school.training
    assert (await training.platform()).operator == ""
    await training.check_kind(demo=False)  # nothing is set up yet
    await training.set_platform(" 演示运营单位 ", "")
    assert ((await training.platform()).operator, (await training.platform()).demo) == ("演示运营单位", True)
    await training.check_kind(demo=True)
    assert await refusal(training.check_kind(demo=False)) == "is_a_demo"


async def test_institutions_have_names_of_their_own(school: School) -> None:
    make = school.training.create_institution
    assert await refusal(make(school.one.name, "370100")) == "name_taken"
    assert await refusal(make(" ", "370100")) == "name_missing"
    assert await refusal(make("新校", "37")) == "area_malformed"


async def test_what_accounts_asks(school: School) -> None:
    training, trainee = school.training, school.people["trainee"].person_id
    place = await training.institution_of(school.one.id)
    assert place is not None
    assert (place.name, place.area) == (school.one.name, "371525")
    assert await training.institution_of("nothing") is None
    assert await training.name_of_scope(school.home.token) == school.home.name
    assert await training.name_of_scope("nothing") is None
    assert await training.scope_for(school.people["staff"], trainee) == school.home.token
    assert await training.scope_for(school.people["staff2"], trainee) is None
    await training.enrol(school.beside.id, trainee)
    assert await training.scope_for(school.people["staff"], trainee) == school.beside.token  # the newest
