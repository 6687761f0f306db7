"""The doors for requests and events: origin, session, role, size, form; one answer for each refusal."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import socketio

from server.core.errors import DomainError
from server.core.wire import rest
from server.core.wire.codec import told
from server.core.wire.declaration import JSON_LIMIT_BYTES
from server.core.wire.socket import MOST_WAITING
from tests.core.wire_server import TOLD, UNWRITABLE, Greeted, Wire, wire


@pytest.fixture
async def served() -> AsyncIterator[Wire]:
    async with wire() as running:
        yield running


@pytest.fixture
async def http(served: Wire) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(served.url, headers={"Origin": served.url}) as session:
        yield session


async def _post(http: aiohttp.ClientSession, path: str, token: str = "s-token", **options: Any) -> tuple[int, Any]:
    headers = {"Cookie": f"keshi_session={token}", **options.pop("headers", {})}
    async with http.post(path, headers=headers, **options) as response:
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
        return response.status, await response.json()


async def test_a_route_answers(http: aiohttp.ClientSession) -> None:
    assert await _post(http, "/greet", json={"name": "甲", "times": 2}) == (200, {"text": "甲甲", "by": "staff1"})
    async with http.get("/greet/a?times=3") as response:
        assert (response.status, (await response.json())["text"]) == (200, "aaa")
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://127.0.0.1"])
async def test_another_origin_is_refused_before_anything_else(http: aiohttp.ClientSession, origin: str) -> None:
    status, body = await _post(http, "/greet", json={"name": "a"}, headers={"Origin": origin})
    assert (status, body["code"]) == (403, "origin_refused")


async def test_a_missing_origin_is_refused_as_well(served: Wire) -> None:
    async with aiohttp.ClientSession(served.url) as session:
        status, body = await _post(session, "/greet", json={"name": "a"})
    assert (status, body["code"]) == (403, "origin_refused")


async def test_sessions_and_roles(http: aiohttp.ClientSession) -> None:
    assert (await _post(http, "/greet", token="", json={"name": "a"}))[1]["code"] == "not_signed_in"
    assert (await _post(http, "/greet", token="stale", json={"name": "a"}))[1]["code"] == "not_signed_in"
    assert (await _post(http, "/staff/a", token="t-token", json={}))[0] == 403
    assert (await _post(http, "/staff/a", token="s-token", json={}))[0] == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", ""),
        (b"[]", ""),
        (b"{}", "name"),
        (b'{"name": "a", "times": "x"}', "times"),
        (b'{"name": "a", "more": 1}', "more"),
        (b'{"name": "\xff"}', ""),
    ],
)
async def test_malformed_bodies_name_the_field(http: aiohttp.ClientSession, body: bytes, field: str) -> None:
    status, answer = await _post(http, "/greet", data=body, headers={"Content-Type": "application/json"})
    assert (status, answer["code"], answer["data"]["field"]) == (400, "bad_request", field)


async def test_a_path_parameter_cannot_be_overridden_by_the_body(http: aiohttp.ClientSession) -> None:
    assert (await _post(http, "/staff/path", json={"name": "body"}))[1]["text"] == "path"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_is_given_twice_is_refused(http: aiohttp.ClientSession, method: str) -> None:
    path = "/greet/a?times=2&times=3" if method == "GET" else "/upload?filename=x&filename=y"
    async with http.request(method, path, data=None if method == "GET" else b"1") as response:
        assert (response.status, (await response.json())["data"]["problem"]) == (400, "given twice")


async def test_a_query_beside_a_body_is_refused(http: aiohttp.ClientSession) -> None:
    status, answer = await _post(http, "/greet?times=2", json={"name": "a"})
    assert (status, answer["code"], answer["data"]["field"]) == (400, "bad_request", "times")


async def test_forms_are_refused(http: aiohttp.ClientSession) -> None:
    status, answer = await _post(http, "/greet", data={"name": "a"})
    assert (status, answer["code"]) == (400, "bad_request")


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x"])
async def test_packed_bodies_are_refused_unread(http: aiohttp.ClientSession, encoding: str) -> None:
    headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    status, answer = await _post(http, "/greet", data=b"{}", headers=headers)
    assert (status, answer["code"]) == (400, "bad_request")


async def test_a_cookie_that_is_no_text_is_nobodys(served: Wire) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /greet/a HTTP/1.1\r\nHost: a\r\nCookie: keshi_session=\xff; keshi_device=\xfe\r\n\r\n")
    assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_sizes_at_their_edge(http: aiohttp.ClientSession) -> None:
    assert (await _post(http, "/upload?filename=x", data=b"1" * 1_000))[1]["text"] == "x 1000"
    assert (await _post(http, "/upload?filename=x", data=b"1" * 1_001))[1]["code"] == "too_large"
    padding = JSON_LIMIT_BYTES - len(b'{"name": ""}')
    headers = {"Content-Type": "application/json"}
    fits, over = (b'{"name": "%b"}' % (b"a" * length) for length in (padding, padding + 1))
    assert (await _post(http, "/greet", data=fits, headers=headers))[0] == 200
    assert (await _post(http, "/greet", data=over, headers=headers))[1]["code"] == "too_large"


async def _chunks() -> AsyncIterator[bytes]:
    for _ in range(20):
        yield b"1" * 100


async def test_a_body_without_length_is_read_no_further_than_its_limit(http: aiohttp.ClientSession) -> None:
    status, answer = await _post(http, "/upload?filename=x", data=_chunks())
    assert (status, answer["code"]) == (413, "too_large")


async def test_refusals_and_faults_become_codes(http: aiohttp.ClientSession) -> None:
    assert await _post(http, "/greet", json={"name": "nobody"}) == (
        404,
        {"code": "not_found", "data": {"name": "nobody"}},
    )
    assert await _post(http, "/greet", json={"name": "bug"}) == (500, {"code": "internal_error", "data": {}})
    assert (await _post(http, "/nowhere", json={}))[1]["code"] == "not_found"


async def test_the_session_cookie_is_closed_to_scripts_and_other_sites(http: aiohttp.ClientSession) -> None:
    async with http.post("/sign-in", json={"name": "secret"}) as response:
        cookie = response.headers["Set-Cookie"]
    assert "keshi_session=secret" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    async with http.post("/sign-in", json={"name": ""}) as response:
        assert "Max-Age=0" in response.headers["Set-Cookie"]


async def test_where_pages_have_https_the_cookie_is_bound_to_this_host(
    served: Wire, http: aiohttp.ClientSession
) -> None:
    served.origins.add("https://ke.example.cn")  # behind a proxy that speaks TLS
    headers = {"Origin": "https://ke.example.cn"}
    for name in ("secret", ""):
        async with http.post("/sign-in", json={"name": name}, headers=headers) as response:
            cookie = response.headers["Set-Cookie"]
        assert cookie.startswith("__Host-keshi_session=")
        assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
    headers["Cookie"] = "keshi_session=t-token"  # another name of the domain could have set this one
    async with http.post("/greet", json={"name": "a"}, headers=headers) as response:
        assert (await response.json())["code"] == "not_signed_in"
    headers["Cookie"] = "__Host-keshi_session=t-token"
    async with http.post("/greet", json={"name": "a"}, headers=headers) as response:
        assert response.status == 200


async def test_a_body_that_does_not_come_is_waited_for_only_so_long(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "BODY_SECONDS", 0.05)

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"name":'
        await asyncio.sleep(5)

    assert (await _post(http, "/greet", data=slowly()))[1]["code"] == "bad_request"


async def test_files_carry_their_name(http: aiohttp.ClientSession) -> None:
    async with http.get("/file") as response:
        assert "filename*=UTF-8''%E5%8F%B0%E8%B4%A6.csv" in response.headers["Content-Disposition"]
        assert await response.read() == b"a,b"


async def _connect(served: Wire, token: str = "t-token", origin: str | None = None) -> socketio.AsyncClient:
    client = socketio.AsyncClient(reconnection=False)
    headers = {"Cookie": f"keshi_session={token}", "Origin": served.url if origin is None else origin}
    await client.connect(served.url, headers=headers, transports=["websocket"])
    return client


async def test_every_event_is_acknowledged_also_in_failure(served: Wire) -> None:
    client = await _connect(served)
    try:
        assert await client.call("greet", {"name": "a"}) == {"ok": True, "text": "a", "by": "trainee1"}
        for event, argument, code in (
            ("greet", {"name": "nobody"}, "not_found"),
            ("greet", {"name": "bug"}, "internal_error"),
            ("greet", {"nme": "a"}, "bad_request"),
            ("greet", None, "bad_request"),
            ("greet", "text", "bad_request"),
            ("greet", [1], "bad_request"),
            ("greet", ({"name": "a"}, 2), "bad_request"),
            ("staff", {"name": "a"}, "forbidden"),
            ("unknown", {}, "bad_request"),
        ):
            answer = await client.call(event, argument, timeout=5)
            assert (answer["ok"], answer["code"]) == (False, code), (event, argument)
    finally:
        await client.disconnect()


async def test_events_of_one_client_are_handled_in_order_and_not_without_bound(served: Wire) -> None:
    client = await _connect(served)
    answers: list[Any] = []
    for number in range(MOST_WAITING * 4):
        await client.emit("greet", {"name": str(number)}, callback=answers.append)
    while len(answers) < MOST_WAITING * 4:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    taken = [int(answer["text"]) for answer in answers if answer["ok"]]
    assert taken == sorted(taken)
    assert {answer["code"] for answer in answers if not answer["ok"]} <= {"too_many_tries"}
    await client.disconnect()


async def test_a_session_that_ends_earns_nothing_more(served: Wire) -> None:
    client = await _connect(served)
    del served.sessions["t-token"]
    assert (await client.call("greet", {"name": "a"}))["code"] == "not_signed_in"
    await client.disconnect()


async def test_cutting_a_session_ends_its_sockets_and_tells_the_house(served: Wire) -> None:
    client = await _connect(served)
    sid = client.get_sid()
    await served.sockets.cut("s1")
    await asyncio.wait_for(client.wait(), 5)
    for _ in range(100):
        if served.gone:
            break
        await asyncio.sleep(0.02)
    assert served.gone == [sid]


async def test_an_oversize_message_ends_its_connection_only(served: Wire) -> None:
    bystander, client = await _connect(served, "s-token"), await _connect(served)
    await client.emit("greet", {"name": "a" * (JSON_LIMIT_BYTES + 1_000)})
    await asyncio.wait_for(client.wait(), 5)
    assert (await bystander.call("greet", {"name": "b"}))["ok"]
    await bystander.disconnect()


async def _raw(http: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    """A connected socket without a library that keeps to the rules."""
    socket = await http.ws_connect("/socket.io/?EIO=4&transport=websocket", headers={"Cookie": "keshi_session=t-token"})
    await socket.receive_str()
    await socket.send_str("40")
    assert (await socket.receive_str()).startswith("40")
    return socket


@pytest.mark.parametrize(
    "packet",
    [
        '42["disconnect"]',
        '421["disconnect"]',
        '42["connect",{"HTTP_COOKIE":"keshi_session=s-token"}]',
        '42["connect_error"]',
        "42[]",
        "42{}",
        "42[1]",
        "42",
        '42["greet"',
        "42" + "[" * 5_000,
        '459999999-["greet",{"_placeholder":true,"num":0}]',
        "469999999-1[]",
        "7",
    ],
)
async def test_a_client_cannot_speak_as_the_library(
    served: Wire, http: aiohttp.ClientSession, packet: str, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await _raw(http)
    await socket.send_str(packet)
    await socket.send_bytes(b"kept by nobody")
    await socket.send_str('4277["greet",{"name":"a"}]')
    while not (answer := await socket.receive_str(timeout=5)).startswith("4377"):
        assert not answer.startswith("43")
    assert answer == '4377[{"ok":true,"text":"a","by":"trainee1"}]'
    assert served.gone == []
    assert caplog.text == ""
    await socket.close()


async def test_half_a_character_is_a_bad_request(http: aiohttp.ClientSession) -> None:
    socket = await _raw(http)
    await socket.send_str('425["greet",{"name":"encoded"}]')
    assert '"bad_request"' in await socket.receive_str(timeout=5)
    await socket.close()


async def test_what_a_command_made_of_a_connection_that_ended_meanwhile_ends_as_well(
    served: Wire, http: aiohttp.ClientSession
) -> None:
    socket = await _raw(http)
    await socket.send_str('425["wait",{"name":"a"}]')
    await asyncio.wait_for(served.arrived.wait(), 5)
    await socket.close()
    while not served.gone:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    served.go_on.set()
    while len(served.gone) < 2:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert len(set(served.gone)) == 1


async def test_what_a_regulator_looks_at_is_written_down_unless_it_was_refused(
    served: Wire, http: aiohttp.ClientSession
) -> None:
    seen = []
    for token, path, lesson in (("r-token", "look", "1"), ("s-token", "look", "1"), ("r-token", "self", "1")):
        async with http.get(f"/{path}/{lesson * 16}", headers={"Cookie": f"keshi_session={token}"}) as response:
            seen.append((await response.json())["text"])
    async with http.get(f"/look/{'0' * 16}", headers={"Cookie": "keshi_session=r-token"}) as response:
        assert response.status == 404
    client = await _connect(served, "r-token")
    seen.append((await client.call("look", {"lesson_id": "2" * 16}))["text"])
    seen.append((await client.call("look", {"lesson_id": "110101199003070417"}))["text"])  # kept for ever: no text
    assert (await client.call("look", {"lesson_id": "0" * 16}))["code"] == "not_found"
    await client.disconnect()
    first, nothing, nothing_either, second, third = seen
    assert (nothing, nothing_either) == ("", "")
    assert served.looks == [
        ("regulator1", "GET /look/{lesson_id}", "1" * 16, first),
        ("regulator1", "look", "2" * 16, second),
        ("regulator1", "look", "", third),
    ]


async def test_what_cannot_be_written_down_is_not_shown(served: Wire, http: aiohttp.ClientSession) -> None:
    async with http.get(f"/look/{UNWRITABLE}", headers={"Cookie": "keshi_session=r-token"}) as response:
        assert (response.status, await response.json()) == (500, {"code": "internal_error", "data": {}})
    client = await _connect(served, "r-token")
    await client.emit("look", {"lesson_id": UNWRITABLE})
    await asyncio.wait_for(client.wait(), 5)  # with it goes what the command may have joined


async def test_pushes_reach_their_group_and_nobody_else(served: Wire) -> None:
    first, second = await _connect(served), await _connect(served, "s-token")
    told: list[Any] = []
    first.on("told", told.append)
    second.on("told", lambda _payload: told.append("wrong"))
    await served.sockets.fan_out.join(first.get_sid(), "room")
    await served.sockets.fan_out.send("room", TOLD, Greeted("hi", "x"))
    await served.sockets.fan_out.send("empty", TOLD, Greeted("nobody", "x"))
    await first.call("greet", {"name": "a"})
    await served.sockets.fan_out.leave(first.get_sid(), "room")
    await served.sockets.fan_out.send("room", TOLD, Greeted("late", "x"))
    await first.call("greet", {"name": "a"})
    assert told == [{"text": "hi", "by": "x"}]
    await first.disconnect()
    await second.disconnect()


async def test_asking_a_page_whether_it_lives(served: Wire) -> None:
    client = await _connect(served)
    ask = served.sockets.fan_out.ask
    client.on("told", lambda _payload: True)
    assert await ask(client.get_sid(), TOLD, Greeted("?", ""), 5)
    client.on("told", lambda _payload: False)
    assert not await ask(client.get_sid(), TOLD, Greeted("?", ""), 5)
    sid = client.get_sid()
    await client.disconnect()
    assert not await ask(sid, TOLD, Greeted("?", ""), 0.2)


def test_what_another_process_cannot_be_told_is_the_senders_mistake() -> None:
    assert told(Greeted("a", "b")) == {"text": "a", "by": "b"}
    with pytest.raises(DomainError, match="bad_request"):
        told({"seq": 10**30})
