"""The house as a whole: every door refuses every wrong role, and what is out of scope does not exist."""

from pathlib import Path

import pytest

from server.core.actor import Role
from server.core.wire.declaration import JSON_LIMIT_BYTES, Route
from tests.school import PEOPLE, School, school


@pytest.fixture(scope="module")
def someone() -> dict[Role, str]:
    """One login for each role."""
    return {role: who for who, role in reversed(PEOPLE.items())}


def _path(route: Route, served: School) -> str:
    ids = {"class_id": served.class_id, "lesson_id": served.lesson_id, "person_id": served.ids["jia"], "form": "csv"}
    path = route.path
    for name, value in ids.items():
        path = path.replace("{" + name + "}", value)
    assert "{" not in path, f"the walk does not know a parameter of {path}"
    return path


async def test_every_route_refuses_strangers_and_every_wrong_role(tmp_path: Path, someone: dict[Role, str]) -> None:
    async with school(tmp_path) as served:
        closed = [route for route in served.house.declarations.routes if route.roles]
        assert len(closed) > 15
        for role, who in someone.items():
            async with served.http(who) as session:
                for route in (one for one in closed if role not in one.roles):
                    async with session.request(route.method, _path(route, served), json={}) as answer:
                        assert answer.status == 403, f"{role} at {route.method} {route.path}: {answer.status}"
                session.cookie_jar.clear()
                for route in closed:
                    async with session.request(route.method, _path(route, served), json={}) as answer:
                        assert answer.status == 401, f"nobody at {route.method} {route.path}: {answer.status}"


async def test_every_command_refuses_every_wrong_role(tmp_path: Path, someone: dict[Role, str]) -> None:
    async with school(tmp_path) as served:
        commands = served.house.declarations.commands
        for role, who in someone.items():
            async with served.page(who) as page:
                for command in (one for one in commands if role not in one.roles):
                    answer = await page.client.call(command.event, {}, timeout=5)
                    assert (answer["ok"], answer["code"]) == (False, "forbidden"), f"{role} at {command.event}"


async def test_another_institutions_objects_do_not_exist(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.http("abroad") as session:
        for route in served.house.declarations.routes:
            named = [name for name in ("class_id", "lesson_id") if "{" + name + "}" in route.path]
            if not named or Role.REGULATOR not in route.roles:
                continue
            async with session.request(route.method, _path(route, served), json={}) as answer:
                assert answer.status == 404, f"{route.method} {route.path}"


async def test_no_two_routes_or_events_are_the_same_and_bodies_are_bounded(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        declared = served.house.declarations
        routes = [(route.method, route.path) for route in declared.routes]
        assert len(routes) == len(set(routes))
        events = [command.event for command in declared.commands]
        assert len(events) == len(set(events))
        assert all((route.body_limit or JSON_LIMIT_BYTES) <= 5 * 1024 * 1024 for route in declared.routes)
