"""The plane in a process of its own: what servers want of it, what it tells them, and who may ask."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from media import clock
from media import worker as worker_module
from media.audience import Audience
from media.errors import MediaError
from media.figures import Figures
from media.grants import MAX_TOKEN_SECONDS, Grant
from media.plane import MediaEvent
from media.settings import MediaSettings
from media.worker import (
    EVENTS,
    ORPHAN_SECONDS,
    SECRET_HEADER,
    STATE,
    Wanted,
    Worker,
    control_secret,
    listen,
    read_wanted,
    serving,
)

KEY = b"a key for tests only, thirty-two"
NOON = 1_795_424_400.0
SECRET = {SECRET_HEADER: control_secret(KEY)}


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    each = Worker(MediaSettings(max_rooms=2), KEY)
    await each.start()
    yield each
    await each.stop()


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[Worker, aiohttp.ClientSession]]:
    path = tmp_path / "media.sock"
    async with serving(MediaSettings(max_rooms=2), KEY, path) as each:
        connector = aiohttp.UnixConnector(str(path))
        async with aiohttp.ClientSession("http://media", connector=connector) as http:
            yield each, http


def wanted(**changed: Any) -> Wanted:
    values: dict[str, Any] = {"now": NOON, "since": NOON - 100}
    return Wanted(**(values | changed))


def believed(worker: Worker, issued: float, peer: str = "peer") -> bool:
    try:
        worker.plane.cuts.check(Grant("room", peer, "watch", issued, issued + 60))
    except MediaError:
        return False
    return True


async def test_rooms_are_as_wanted_and_a_refusal_has_its_code(worker: Worker) -> None:
    assert worker.want(wanted(rooms=["a", "b"])) == {}
    assert worker.want(wanted(rooms=["a", "b"])) == {}
    assert worker.want(wanted(rooms=["c"])) == {"c": "too_many_rooms"}
    assert worker.want(wanted(closed=["a", "never"], rooms=["c"])) == {}
    assert set(worker.plane.rooms) == {"b", "c"}


async def test_a_room_that_nobody_claims_ends_after_a_while(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr(clock, "monotonic", lambda: now)
    worker.want(wanted(rooms=["a", "b"]))
    now += ORPHAN_SECONDS
    worker.want(wanted(rooms=["a"]))
    worker.sweep()
    assert set(worker.plane.rooms) == {"a", "b"}
    now += 0.001
    worker.sweep()
    assert set(worker.plane.rooms) == {"a"}


async def test_cuts_that_are_told_again_end_no_later_token(worker: Worker) -> None:
    worker.want(wanted(cuts={"peer": NOON - 5}))
    worker.want(wanted(cuts={"peer": NOON - 5}))
    assert not believed(worker, NOON - 5)
    assert believed(worker, NOON - 4)
    assert believed(worker, NOON - 5, "other")


async def test_what_no_process_alive_can_know_of_is_not_believed(worker: Worker) -> None:
    """A server knows the cuts since it began, the worker those since it began itself."""
    worker.want(wanted(since=NOON - 100))  # the worker began now: the server's memory is the longer one
    assert believed(worker, NOON - 100)
    assert not believed(worker, NOON - 100.001)
    worker.want(wanted(since=NOON - 50))
    assert believed(worker, NOON - 100)


async def test_a_server_that_began_later_takes_nothing_back(worker: Worker) -> None:
    worker.want(wanted(since=NOON))
    worker.want(wanted(now=NOON + 200, since=NOON + 199))
    assert believed(worker, NOON + 100)


async def test_tokens_are_judged_by_the_servers_clock(worker: Worker) -> None:
    worker.want(wanted(now=NOON - 86_400))
    assert worker.plane.now() == pytest.approx(NOON - 86_400, abs=5)
    worker.want(wanted(now=NOON))
    assert worker.plane.now() == pytest.approx(NOON, abs=5)


async def test_the_control_door_opens_to_servers_only(served: tuple[Worker, aiohttp.ClientSession]) -> None:
    worker, http = served
    body = {"now": NOON, "since": NOON, "rooms": ["a"], "closed": [], "cuts": {}}
    for headers in ({}, {SECRET_HEADER: ""}, {SECRET_HEADER: control_secret(KEY + b"!")}):
        async with http.post(STATE, json=body, headers=headers) as refused:
            assert (refused.status, (await refused.json())["code"]) == (403, "forbidden")
        async with http.get(EVENTS, headers=headers) as refused:
            assert refused.status == 403
    assert worker.plane.rooms == {}
    async with http.post(STATE, json=body, headers=SECRET) as done:
        assert (done.status, await done.json()) == (
            200,
            {"refused": {}, "figures": asdict(Figures()), "lines": {"a": []}, "audiences": {"a": asdict(Audience())}},
        )
    assert set(worker.plane.rooms) == {"a"}


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"now": 1}', '{"now": "x", "since": 1, "rooms": [], "closed": [], "cuts": {}}',
             '{"now": 1, "since": 1, "rooms": 7, "closed": [], "cuts": {}}',
             '{"now": 1, "since": 1, "rooms": [], "closed": [], "cuts": []}'],
)  # fmt: skip
async def test_what_is_no_state_is_refused(served: tuple[Worker, aiohttp.ClientSession], body: str) -> None:
    async with served[1].post(STATE, data=body, headers=SECRET) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, "bad_request")


async def _line(stream: aiohttp.ClientResponse) -> Any:
    async with asyncio.timeout(10):
        return json.loads(await stream.content.readline() or b"null")


async def test_everybody_who_listens_gets_a_snapshot_then_what_happens(
    served: tuple[Worker, aiohttp.ClientSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, http = served
    moment = clock.utc()
    worker._on_event(MediaEvent("publisher_live", "a", "teacher", moment))
    async with http.get(EVENTS, headers=SECRET) as one, http.get(EVENTS, headers=SECRET) as two:
        for stream in (one, two):
            assert await _line(stream) == {"live": {"a": "teacher"}, "minutes": []}
        worker._on_event(MediaEvent("publisher_gone", "a", "teacher", moment))
        for stream in (one, two):
            assert await _line(stream) == {"kind": "publisher_gone", "room": "a", "peer": "teacher", "code": ""}
    monkeypatch.setattr(worker_module, "KEEPALIVE_SECONDS", 0.01)
    async with http.get(EVENTS, headers=SECRET) as three:
        assert await _line(three) == {"live": {}, "minutes": []}
        assert await three.content.readline() == b"\n"


async def test_a_reload_whose_old_half_ends_last_stays_live(worker: Worker) -> None:
    moment = clock.utc()
    worker._on_event(MediaEvent("publisher_live", "a", "teacher", moment))
    worker._on_event(MediaEvent("publisher_gone", "a", "somebody else", moment))
    assert worker._live == {"a": "teacher"}


async def test_who_listens_too_slowly_is_let_go(worker: Worker) -> None:
    listener: asyncio.Queue[bytes] = asyncio.Queue(1)
    worker._listeners.add(listener)
    for _ in range(2):
        worker._on_event(MediaEvent("viewer_live", "a", "b", clock.utc()))
    assert listener not in worker._listeners


def test_the_socket_is_for_this_account_only_and_for_one_worker(tmp_path: Path) -> None:
    path = tmp_path / "below" / "media.sock"
    first = listen(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(OSError, match="in use"):
        listen(path)
    first.close()  # and killed: the file is still there
    assert path.exists()
    listen(path).close()


def test_a_cut_is_remembered_for_as_long_as_a_token_lives() -> None:
    assert (MAX_TOKEN_SECONDS, ORPHAN_SECONDS) == (600, 60)


async def test_a_cut_is_made_once_however_often_it_is_told(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    cut = worker.plane.cut

    def counted(peer: str, at: float) -> None:
        made.append(peer)
        cut(peer, at)

    monkeypatch.setattr(worker.plane, "cut", counted)
    for _ in range(3):
        worker.want(wanted(cuts={"peer": NOON - 5, "another": NOON - 5}))
    worker.want(wanted(cuts={"peer": NOON - 1}))
    assert made == ["peer", "another", "peer"]


async def test_the_cuts_of_many_are_heard(served: tuple[Worker, aiohttp.ClientSession]) -> None:
    worker, http = served
    said = asdict(wanted(rooms=["a"], cuts={f"{number:032x}.1": NOON - 5 for number in range(40_000)}))
    async with http.post(STATE, data=BytesIO(json.dumps(said).encode()), headers=SECRET) as answer:
        assert answer.status == 200
    assert not believed(worker, NOON - 6, f"{7:032x}.1")


async def test_what_is_hushed_is_so_from_the_opening_on(worker: Worker) -> None:
    worker.want(wanted(rooms=["a", "a-1"], hushed={"a-1": ["voice"], "never": ["voice"]}))
    assert worker.plane.rooms["a-1"].hushed == {"voice"}
    assert worker.plane.rooms["a"].hushed == set()
    worker.want(wanted(rooms=["a", "a-1"], hushed={"a-1": []}))
    assert worker.plane.rooms["a-1"].hushed == set()
    worker.want(wanted(closed=["a"]))
    assert worker.plane.rooms == {}


async def test_no_other_slot_can_be_hushed() -> None:
    said = {"now": 1, "since": 1, "rooms": [], "closed": [], "cuts": {}}
    assert read_wanted({**said, "hushed": {"a-1": ["camera"]}}).hushed == {"a-1": ["camera"]}
    assert read_wanted(said).hushed == {}
    with pytest.raises(KeyError):
        read_wanted({**said, "hushed": {"a-1": ["everything"]}})
