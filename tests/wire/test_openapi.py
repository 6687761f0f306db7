"""The OpenAPI document keeps its word: schemathesis asks the real server as everybody, and nothing undocumented comes
back.
"""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, GenerationMode, checks
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from server.core.wire.openapi import PATH
from tests.wire.samples import SAMPLES
from tests.wire.world import HERE, World, sign_in, world

schemathesis.serializer.alias(["application/sdp", "application/trickle-ice-sdpfrag"], "text/plain")

CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: what every operation is asked in `make test`, and in the long runs
EXAMPLES, LONG_EXAMPLES = 24, 400
#: tests of their own, so that they run beside one another
PARTS = 6
CALLERS = ("", "stale", *HERE.values(), *HERE.values(), "staff2", "abroad", "bing")
ORIGINS = ("ours", "ours", "ours", "ours", "http://evil.example", None)


@dataclass
class Served:
    """The world in a thread of its own: schemathesis asks and waits."""

    world: World
    loop: asyncio.AbstractEventLoop
    over: asyncio.Event

    def token(self, who: str) -> str:
        """A fresh login: the example before may have ended its own."""
        if who not in self.world.school.ids:
            return who
        opened = asyncio.run_coroutine_threadsafe(sign_in(self.world.school, who), self.loop)
        return opened.result(30)

    def headers(self, who: str, origin: str | None, bearer: str) -> dict[str, str]:
        """Whoever asks, and from where; media has a token of its own."""
        school = self.world.school
        self.world.tokens[who] = self.token(who)
        made = self.world.headers(who, origin)
        if bearer:
            publish = bearer == "publish"
            token = school.house.live.token(school.actor("teacher"), school.lesson_id, "peer", publish)
            made["Authorization"] = f"Bearer {token}"
        return made


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The real server with everybody in it."""
    found: list[Served] = []
    up = threading.Event()

    async def serve(folder: Path) -> None:
        async with world(folder) as running:
            found.append(Served(running, asyncio.get_running_loop(), asyncio.Event()))
            up.set()
            await found[0].over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve(tmp_path_factory.mktemp("openapi"))))
    thread.start()
    assert up.wait(60)
    yield found[0]
    found[0].loop.call_soon_threadsafe(found[0].over.set)
    thread.join(60)


@pytest.fixture(scope="module")
def document(served: Served) -> dict[str, Any]:
    """The document as anybody gets it."""
    with urlopen(served.world.school.url + PATH, timeout=10) as answer:
        assert answer.headers["Content-Type"] == "application/json"
        found: dict[str, Any] = json.load(answer)
    return found


def _operations(document: dict[str, Any]) -> list[APIOperation[Any, Any, Any, Any]]:
    schema = schemathesis.openapi.from_dict(document)
    return [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]


def _cases(operation: APIOperation[Any, Any, Any, Any]) -> st.SearchStrategy[Any]:
    good = operation.as_strategy(GenerationMode.POSITIVE)
    return good | operation.as_strategy(GenerationMode.NEGATIVE)


def _near(case: Any, served: Served, kept: int) -> None:
    """Bring a case near a request that is served: ours in the path, our sample's body with one strange field."""
    names = served.world.names
    known = {name: names[name] for name in ("class_id", "lesson_id")}
    known |= {"person_id": names["spare_id"], "room": names["lesson_id"]}
    known |= {"appeal_id": names["appeal_id"], "correction_id": names["approved_id"]}
    case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
    sample = SAMPLES.get(case.operation.label)
    if sample is None:
        return
    if sample.content:
        case.body, case.query = (sample.content if kept % 2 else case.body), sample.query
    elif isinstance(case.body, dict):
        strange = sorted(case.body)[kept % len(case.body) :][:1] if case.body else []
        case.body = served.world.fill(sample.body) | {name: case.body[name] for name in strange}


def _examine(operation: APIOperation[Any, Any, Any, Any], served: Served, examples: int) -> None:
    """Ask one operation as everybody; half of the time so that it might be served."""
    sample = SAMPLES.get(operation.label)
    who = st.sampled_from(CALLERS)

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=_cases(operation),
        who=who if sample is None else st.just(sample.who) | who,
        origin=st.sampled_from(ORIGINS),
        bearer=st.sampled_from(("", "publish", "watch")) if "/media/" in operation.path else st.just(""),
        near=st.booleans(),
        kept=st.integers(0, 9),
    )
    def ask(case: Any, who: str, origin: str | None, bearer: str, near: bool, kept: int) -> None:
        if near:
            _near(case, served, kept)
        case.headers.pop("Origin", None)
        case.cookies.clear()
        answer = case.call(base_url=served.world.school.url, headers=served.headers(who, origin, bearer))
        case.validate_response(answer, checks=CHECKS)

    ask()


def _findings(document: dict[str, Any], served: Served, part: int, examples: int) -> dict[str, str]:
    found = {}
    for operation in _operations(document)[part::PARTS]:
        try:
            _examine(operation, served, examples)
        except FailureGroup as group:
            found[operation.label] = str(group.exceptions)
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_the_server_does_what_its_document_says(served: Served, document: dict[str, Any], part: int) -> None:
    assert _findings(document, served, part, EXAMPLES) == {}


@pytest.mark.long
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_server_does_what_its_document_says_long(served: Served, document: dict[str, Any], part: int) -> None:
    assert _findings(document, served, part, LONG_EXAMPLES) == {}


def test_every_declared_route_and_the_media_doors_are_in_it(served: Served, document: dict[str, Any]) -> None:
    house = served.world.school.house
    found = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    declared = {f"{route.method} {route.path}" for route in house.declarations.routes}
    assert declared - found == set()
    doors = {f"{one} /media/{door}/{{room}}" for door in ("whip", "whep") for one in ("POST",)}
    assert (
        doors | {f"{one}/{{session}}".replace("POST", verb) for one in doors for verb in ("DELETE", "PATCH")} <= found
    )


def test_what_is_not_in_it_is_not_found(served: Served) -> None:
    with pytest.raises(HTTPError) as refused:
        urlopen(served.world.school.url + "/api/v1/nothing", timeout=10)
    assert json.load(refused.value)["code"] == "not_found"
    refused.value.close()
