"""The doors of accounts, through a real server: who may do what, and what the answers hold."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, CookieJar

from server.accounts.ports import InstitutionRef
from server.core.actor import Actor, Role
from tests.accounts.store import PASSWORD, Store, ask, browser, number, sign_in, solved

HOME = InstitutionRef("i1", "示范学校（虚构）", "371525")
OTHER = InstitutionRef("i2", "另一学校（虚构）", "371500")


class TwoInstitutions:
    """A fake of what training knows: two institutions, and the class that `enrolled` is in."""

    enrolled = ""

    async def institution_of(self, institution_id: str) -> InstitutionRef | None:
        return {"i1": HOME, "i2": OTHER}.get(institution_id)

    async def name_of_scope(self, scope: str) -> str | None:
        return "养老护理员五级" if scope == "classtoken" else None

    async def scope_for(self, actor: Actor, person_id: str) -> str | None:
        seen = actor.role is Role.ADMINISTRATOR or actor.institution_id == "i1"
        return "classtoken" if seen and person_id == self.enrolled else None


@pytest.fixture
async def people(store: Store) -> dict[str, Actor]:
    store.accounts.places = TwoInstitutions()
    made = {
        "administrator": await store.add(Role.ADMINISTRATOR, "Root"),
        "staff": await store.add(Role.STAFF, "One", "i1"),
        "staff2": await store.add(Role.STAFF, "Two", "i2"),
        "instructor": await store.add(Role.INSTRUCTOR, "Tea", "i1"),
        "regulator": await store.add(Role.REGULATOR, "Reg", None, "371500"),
        "trainee": await store.add(Role.TRAINEE, "演示·甲", "i1"),
    }
    store.accounts.places.enrolled = made["trainee"].person_id
    return made


@pytest.fixture
async def page(store: Store, people: dict[str, Actor]) -> AsyncIterator[ClientSession]:
    async with browser(store, store.declarations) as session:
        yield session


async def enter(page: ClientSession, store: Store, actor: Actor) -> None:
    await sign_in(page, (await store.accounts.person(actor.person_id)).login)


async def test_in_and_out(page: ClientSession, store: Store, people: dict[str, Actor]) -> None:
    assert await ask(page, "GET", "me") == (200, {"me": None})
    login = {"login": "staff-one", "password": PASSWORD}
    status, me = await ask(page, "POST", "login", login)
    assert status == 200
    assert me == {
        "id": people["staff"].person_id,
        "role": "staff",
        "name": "One",
        "login": "staff-one",
        "institution": {"id": "i1", "name": HOME.name, "area": "371525"},
        "area": None,
    }
    assert await ask(page, "GET", "me") == (200, {"me": me})
    assert await ask(page, "POST", "logout", {}) == (200, {})
    assert await ask(page, "GET", "me") == (200, {"me": None})
    assert (await ask(page, "GET", "me/logins"))[1]["code"] == "not_signed_in"
    assert (await ask(page, "POST", "login", {**login, "password": "x"})) == (
        401,
        {"code": "login_refused", "data": {}},
    )


async def test_work_is_asked_for_and_taken(page: ClientSession, people: dict[str, Actor]) -> None:
    wrong = {"login": "staff-one", "password": "x"}
    for _ in range(10):
        await ask(page, "POST", "login", wrong)
    status, answer = await ask(page, "POST", "login", wrong)
    assert (status, answer["code"]) == (429, "proof_needed")
    good = {"login": "staff-one", "password": PASSWORD, "proof": solved(answer["data"]["challenge"])}
    assert (await ask(page, "POST", "login", good))[0] == 200


async def test_a_device_that_signed_in_is_known_from_then_on(page: ClientSession, people: dict[str, Actor]) -> None:
    await sign_in(page, "staff-one")
    await ask(page, "POST", "logout", {})
    cookies = {cookie.key: cookie for cookie in page.cookie_jar}
    assert cookies["keshi_device"]["httponly"]
    assert cookies["keshi_device"]["samesite"] == "Lax"
    async with ClientSession(page._base_url, headers=page.headers) as stranger:
        for _ in range(10):
            await ask(stranger, "POST", "login", {"login": "staff-one", "password": "x"})
        refused = await ask(stranger, "POST", "login", {"login": "staff-one", "password": PASSWORD})
        assert refused[1]["code"] == "proof_needed"
    await sign_in(page, "staff-one")


async def test_signing_in_again_ends_the_login_that_this_browser_had(
    page: ClientSession, store: Store, people: dict[str, Actor]
) -> None:
    await sign_in(page, "staff-one")
    (before,) = await store.accounts.sessions.of(people["staff"].person_id)
    await sign_in(page, "staff-one")
    (after,) = await store.accounts.sessions.of(people["staff"].person_id)
    assert before.id != after.id


async def test_other_logins_are_listed_and_ended(page: ClientSession, people: dict[str, Actor]) -> None:
    await sign_in(page, "staff-one")
    async with ClientSession(page._base_url, headers=page.headers, cookie_jar=CookieJar(unsafe=True)) as phone:
        await sign_in(phone, "staff-one")
        listed = (await ask(page, "GET", "me/logins"))[1]["logins"]
        assert sorted(one["current"] for one in listed) == [False, True]
        assert listed[0]["since"] == listed[0]["used"] == "2026-11-23T09:00:00.000Z"
        assert (await ask(page, "POST", "logout/others", {}))[0] == 200
        assert await ask(phone, "GET", "me") == (200, {"me": None})
    assert len((await ask(page, "GET", "me/logins"))[1]["logins"]) == 1


async def test_an_invitation_from_link_to_page(page: ClientSession, store: Store, people: dict[str, Actor]) -> None:
    await enter(page, store, people["administrator"])
    body = {"role": "instructor", "name": "新讲师", "login": "new.one", "institution_id": "i1", "area": None}
    status, made = await ask(page, "POST", "people", body)
    assert status == 200
    path, _, token = made["link"].rpartition("/")
    assert path == "/desk.html#/welcome"
    opened = {"name": "新讲师", "login": "new.one", "role": "instructor", "class_name": None, "needs": "password"}
    assert await ask(page, "POST", "invitations/open", {"secret": token}) == (200, opened)
    status, me = await ask(page, "POST", "invitations/redeem", {"secret": token, "password": PASSWORD})
    assert (status, me["login"]) == (200, "new.one")
    assert (await ask(page, "GET", "me"))[1]["me"]["id"] == made["person_id"]
    assert (await ask(page, "POST", "invitations/open", {"secret": token}))[0] == 410
    assert (await ask(page, "POST", "invitations/open", {"secret": "x"}))[0] == 404


@pytest.mark.parametrize(
    ("who", "role", "institution_id", "code"),
    [
        ("administrator", "trainee", "i1", "role_refused"),
        ("administrator", "staff", None, "institution_needed"),
        ("administrator", "staff", "i9", "institution_unknown"),
        ("administrator", "regulator", None, "area_malformed"),
        ("staff", "staff", "i1", "role_refused"),
        ("staff", "administrator", None, "role_refused"),
        ("staff", "instructor", "i2", "not_found"),
        ("instructor", "instructor", "i1", "forbidden"),
        ("regulator", "instructor", "i1", "forbidden"),
        ("trainee", "instructor", "i1", "forbidden"),
    ],
)
async def test_who_may_make_whom(
    page: ClientSession,
    store: Store,
    people: dict[str, Actor],
    who: str,
    role: str,
    institution_id: str | None,
    code: str,
) -> None:
    await enter(page, store, people[who])
    body = {"role": role, "name": "某人", "login": "some.one", "institution_id": institution_id, "area": None}
    assert (await ask(page, "POST", "people", body))[1]["code"] == code
    assert await store.accounts.people.by_login("some.one") is None


async def test_staff_make_instructors_of_their_own_house(
    page: ClientSession, store: Store, people: dict[str, Actor]
) -> None:
    await enter(page, store, people["staff"])
    body = {"role": "instructor", "name": "某人", "login": "some.one", "institution_id": None, "area": "371500"}
    assert (await ask(page, "POST", "people", body))[0] == 200
    made = await store.accounts.people.by_login("some.one")
    assert made is not None
    assert (made.institution_id, made.area) == ("i1", None)


async def test_lists_show_what_one_may_see(page: ClientSession, store: Store, people: dict[str, Actor]) -> None:
    async def names(path: str) -> list[str]:
        return sorted(row["name"] for row in (await ask(page, "GET", path))[1]["people"])

    await enter(page, store, people["administrator"])
    assert await names("people") == ["One", "Reg", "Root", "Tea", "Two"]
    assert await names("people?role=staff") == ["One", "Two"]
    assert await names("people?role=trainee") == []
    assert (await ask(page, "GET", "people?role=king"))[1]["code"] == "bad_request"
    await enter(page, store, people["staff"])
    assert await names("people") == ["One", "Tea"]
    assert await names("people?role=regulator") == []
    row = (await ask(page, "GET", "people?role=instructor"))[1]["people"][0]
    assert row["institution_name"] == HOME.name
    assert row["active"] is True
    for other in ("instructor", "regulator", "trainee"):
        await enter(page, store, people[other])
        assert (await ask(page, "GET", "people"))[0] == 403


async def test_a_trainee_is_reset_by_slip(page: ClientSession, store: Store, people: dict[str, Actor]) -> None:
    trainee = people["trainee"].person_id
    await enter(page, store, people["staff2"])
    assert (await ask(page, "POST", f"people/{trainee}/reset", {}))[1]["code"] == "not_found"
    assert (await store.accounts.person(trainee)).active
    await enter(page, store, people["staff"])
    status, answer = await ask(page, "POST", f"people/{trainee}/reset", {})
    assert (status, answer["link"], answer["slip"]["class_token"]) == (200, None, "classtoken")
    assert not (await store.accounts.person(trainee)).active
    secret = f"classtoken:{answer['slip']['code']}"
    opened = (await ask(page, "POST", "invitations/open", {"secret": secret}))[1]
    assert (opened["class_name"], opened["role"]) == ("养老护理员五级", "trainee")


@pytest.mark.parametrize(
    ("who", "whom", "status"),
    [
        ("administrator", "staff", 200),
        ("administrator", "regulator", 200),
        ("staff", "instructor", 200),
        ("staff", "staff", 404),
        ("staff", "administrator", 404),
        ("staff2", "instructor", 404),
        ("instructor", "trainee", 403),
    ],
)
async def test_who_may_reset_whom(
    page: ClientSession, store: Store, people: dict[str, Actor], who: str, whom: str, status: int
) -> None:
    await enter(page, store, people[who])
    found, answer = await ask(page, "POST", f"people/{people[whom].person_id}/reset", {})
    assert found == status
    if status == 200:
        assert answer["slip"] is None
        assert answer["link"].startswith("/desk.html#/welcome/")
    assert (await ask(page, "POST", "people/nobody/reset", {}))[0] in (403, 404)


async def test_a_trainee_without_a_class_gets_a_link(
    page: ClientSession, store: Store, people: dict[str, Actor]
) -> None:
    store.accounts.places.enrolled = ""  # type: ignore[attr-defined]
    await enter(page, store, people["staff"])
    answer = (await ask(page, "POST", f"people/{people['trainee'].person_id}/reset", {}))[1]
    assert answer["slip"] is None
    assert answer["link"]


async def test_changing_one_s_own_password(page: ClientSession, store: Store, people: dict[str, Actor]) -> None:
    await enter(page, store, people["trainee"])
    for old, new, code in [("x", "new password", "password_wrong"), (PASSWORD, "new", "password_weak")]:
        assert (await ask(page, "POST", "me/password", {"old": old, "new": new}))[1]["code"] == code
    assert (await ask(page, "POST", "me/password", {"old": PASSWORD, "new": "new password"}))[0] == 200
    await sign_in(page, number(506), "new password")  # the sixth person that was added, by ID number


@pytest.mark.parametrize(
    ("who", "whom", "status"),
    [
        ("administrator", "staff", 200),
        ("administrator", "administrator", 409),
        ("staff", "instructor", 200),
        ("staff", "trainee", 200),
        ("staff", "staff", 404),
        ("staff", "administrator", 404),
        ("staff2", "trainee", 404),
        ("instructor", "trainee", 403),
        ("regulator", "trainee", 403),
        ("trainee", "instructor", 403),
    ],
)
async def test_who_may_switch_whom_off_and_on(
    page: ClientSession, store: Store, people: dict[str, Actor], who: str, whom: str, status: int
) -> None:
    await enter(page, store, people[who])
    whose = people[whom].person_id
    assert (await ask(page, "POST", f"people/{whose}/deactivate", {}))[0] == status
    assert ((await store.accounts.person(whose)).deactivated_ms is not None) == (status == 200)
    if status != 409:  # oneself cannot be off
        assert (await ask(page, "POST", f"people/{whose}/reactivate", {}))[0] == status
    assert (await store.accounts.person(whose)).deactivated_ms is None


async def test_the_list_says_who_is_off(page: ClientSession, store: Store, people: dict[str, Actor]) -> None:
    await enter(page, store, people["administrator"])
    await ask(page, "POST", f"people/{people['instructor'].person_id}/deactivate", {})
    rows = (await ask(page, "GET", "people"))[1]["people"]
    assert {row["name"] for row in rows if row["deactivated"]} == {"Tea"}


@pytest.mark.parametrize(
    ("who", "whom", "place", "status"),
    [
        ("administrator", "instructor", ("staff", "i2", None), 200),
        ("administrator", "trainee", ("trainee", "i2", None), 200),
        ("administrator", "instructor", ("regulator", None, "371500"), 200),
        ("administrator", "instructor", ("trainee", "i1", None), 403),
        ("administrator", "trainee", ("staff", "i1", None), 403),
        ("administrator", "instructor", ("staff", None, None), 400),
        ("administrator", "instructor", ("staff", "i9", None), 400),
        ("administrator", "instructor", ("regulator", None, "x"), 400),
        ("administrator", "administrator", ("staff", "i1", None), 409),
        ("staff", "instructor", ("instructor", "i1", None), 403),
        ("regulator", "instructor", ("instructor", "i1", None), 403),
    ],
)
async def test_who_may_give_whom_another_place(
    page: ClientSession,
    store: Store,
    people: dict[str, Actor],
    who: str,
    whom: str,
    place: tuple[str, str | None, str | None],
    status: int,
) -> None:
    before = await store.accounts.person(people[whom].person_id)
    await enter(page, store, people[who])
    body = dict(zip(("role", "institution_id", "area"), place, strict=True))
    assert (await ask(page, "POST", f"people/{before.id}/place", body))[0] == status
    after = await store.accounts.person(before.id)
    assert (after.role, after.institution_id, after.area) == (
        place if status == 200 else (before.role, before.institution_id, before.area)
    )
