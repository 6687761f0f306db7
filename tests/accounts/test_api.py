"""The doors of accounts, through a real server: who may do what, and what the answers hold."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from server.accounts.ports import InstitutionRef
from server.core.actor import Actor, Role
from tests.accounts.store import PASSWORD, Store, ask, browser, number, sign_in

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
    assert (await ask(page, "GET", "me"))[0] == 401
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
    assert await ask(page, "GET", "me") == (200, me)
    assert await ask(page, "POST", "logout", {}) == (200, {})
    assert (await ask(page, "GET", "me"))[1]["code"] == "not_signed_in"
    assert (await ask(page, "POST", "login", {**login, "password": "x"})) == (
        401,
        {"code": "login_refused", "data": {}},
    )


async def test_too_many_tries_say_how_long(page: ClientSession) -> None:
    for _ in range(10):
        await ask(page, "POST", "login", {"login": "nobody", "password": "x"})
    status, answer = await ask(page, "POST", "login", {"login": "nobody", "password": "x"})
    assert (status, answer) == (429, {"code": "too_many_tries", "data": {"retry_after_s": 900}})


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
    assert (await ask(page, "GET", "me"))[1]["id"] == made["person_id"]
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
