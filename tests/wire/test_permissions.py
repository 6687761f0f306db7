"""The walk over the whole table: everybody who may not, at every door, gets exactly the documented refusal, no effect
follows, and no look is recorded.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from server.core.errors import CODES
from server.core.wire.declaration import SAFE_METHODS, Command, Declarations, Route
from server.ledger import records as ledger
from server.oversight.records import regulator_view
from tests.wire.samples import SAMPLES, Sample
from tests.wire.world import ELSEWHERE, HERE, World, key_of, roles_not, sample_of, world

OTHER_ORIGINS = ("http://evil.example", "null", None)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as running:
        yield running


def _table(here: World) -> Declarations:
    return here.school.house.declarations


def _refusals(route: Route, sample: Sample) -> dict[tuple[str, str | None], str]:
    """Who (and from which Origin) is refused at this route, and how."""
    expected: dict[tuple[str, str | None], str] = {}
    if route.method not in SAFE_METHODS:
        expected |= {(sample.who, origin): "origin_refused" for origin in OTHER_ORIGINS}
    if route.roles:
        expected |= {("", "ours"): "not_signed_in", ("stale", "ours"): "not_signed_in"}
        expected |= {(HERE[role], "ours"): "forbidden" for role in roles_not(route.roles)}
    if sample.outside not in ("own", "self"):
        expected |= {(ELSEWHERE[role], "ours"): sample.outside for role in route.roles & ELSEWHERE.keys()}
    return expected | {(who, "ours"): code for who, code in sample.beside.items()}


async def test_every_route_refuses_whoever_may_not(here: World) -> None:
    before = await here.state()
    for route in _table(here).routes:
        sample = sample_of(key_of(route))
        for (who, origin), code in _refusals(route, sample).items():
            asked = await here.ask(route, who, sample, origin)
            told = f"{who or 'nobody'} from {origin} at {key_of(route)}"
            assert (asked.status, asked.code) == (CODES[code], code), told
            assert code in route.refusals, f"{key_of(route)} does not declare {code}"
            assert "Access-Control-Allow-Origin" not in asked.headers, told
    assert await here.state() == before


async def test_lists_show_nothing_of_another_school_or_province(here: World) -> None:
    before = await here.state()
    for route in _table(here).routes:
        sample = sample_of(key_of(route))
        if sample.outside != "own":
            continue
        for role in route.roles & ELSEWHERE.keys():
            asked = await here.ask(route, ELSEWHERE[role], sample)
            assert asked.status == 200, key_of(route)
            assert [secret for secret in here.secrets if secret in asked.text] == [], f"{role} at {key_of(route)}"
    after = (
        await here.state()
    )  # these were answered: a regulator's looks are all that they left, and that the log was told
    left = {regulator_view.name, ledger.entry.name, ledger.pending.name}
    assert {name for name in before if before[name] != after[name]} == left


async def test_every_command_refuses_whoever_may_not(here: World) -> None:
    before = await here.state()
    for command in _table(here).commands:
        sample = sample_of(command.event)
        for who, code in _command_refusals(command, sample).items():
            async with here.line(who) as line:
                answer = await line.call(command.event, here.fill(sample.body))
            assert (answer["ok"], answer.get("code")) == (False, code), f"{who} at {command.event}: {answer}"
            assert code in command.refusals, f"{command.event} does not declare {code}"
            assert not line.pushed
    assert await here.state() == before


def _command_refusals(command: Command, sample: Sample) -> dict[str, str]:
    expected = {HERE[role]: "forbidden" for role in roles_not(command.roles)}
    expected |= {ELSEWHERE[role]: sample.outside for role in command.roles & ELSEWHERE.keys()}
    return expected | sample.beside


@pytest.mark.parametrize("who", HERE.values())
async def test_no_command_is_heard_from_a_login_that_ended(here: World, who: str) -> None:
    async with here.line(who) as line:
        await here.school.house.accounts.sessions.end_all(here.school.ids[who])
        before = await here.state()
        with suppress(ConnectionResetError):  # hung up on meanwhile
            for command in _table(here).commands:
                assert (await line.call(command.event, here.fill(sample_of(command.event).body)))["ok"] is False
    assert await here.state() == before
    assert here.school.house.sockets.connections == 0


async def test_every_sample_is_good(here: World) -> None:
    """Or the refusals above might come from the sample."""
    table = _table(here)
    routes: dict[str, Route] = {key_of(route): route for route in table.routes}
    lease: dict[str, Any] = {}
    for _ in range(2):  # what the samples show of the log must be sealed
        await here.school.house.log.round()
        here.school.clock.advance(200_000)
    async with here.line("jia") as trainee, here.line("teacher") as teacher:
        for key, sample in SAMPLES.items():
            if key in routes:
                asked = await here.ask(routes[key], sample.who, sample)
                assert asked.status == 200, f"{key}: {asked.text}"
                continue
            line = {"jia": trainee, "teacher": teacher}[sample.who]
            if key in ("beat", "challenge:answer"):  # a beat is of some time, and nobody reads at once
                here.school.clock.advance(10_000)
            request = here.fill(sample.body)
            request |= {name: lease[name] for name in ("epoch", "nonce") if name in request and lease}
            answer = await line.call(key, request)
            assert answer["ok"], f"{key}: {answer}"
            lease = answer.get("lease") or lease


async def test_every_declaration_has_its_sample_and_every_sample_its_declaration(here: World) -> None:
    table = _table(here)
    declared = {key_of(route) for route in table.routes} | {command.event for command in table.commands}
    assert declared - SAMPLES.keys() == set()
    assert SAMPLES.keys() - declared == set()
