"""The house as a whole: no door stands twice, none takes without bound. Who may not pass is walked in tests/wire."""

from pathlib import Path

from server.core.wire.declaration import JSON_LIMIT_BYTES
from tests.school import school


async def test_no_two_routes_or_events_are_the_same_and_bodies_are_bounded(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        declared = served.house.declarations
        routes = [(route.method, route.path) for route in declared.routes]
        assert len(routes) == len(set(routes))
        events = [command.event for command in declared.commands]
        assert len(events) == len(set(events))
        assert all((route.body_limit or JSON_LIMIT_BYTES) <= 5 * 1024 * 1024 for route in declared.routes)
