"""What every answer tells the browser to refuse."""

import ipaddress
import re

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from server.core.wire.headers import HSTS, guard, may_last
from server.core.wire.peer import TRUSTED

NAMED = "https://ke.example.cn"


async def _headers(url: str, scheme: str = "https", lasting: bool = True, path: str = "/") -> dict[str, str]:
    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="page")

    app = web.Application()
    guard(app, url, lasting=lasting)
    app[TRUSTED] = (ipaddress.ip_network("127.0.0.0/8"),)
    app.router.add_get("/", page)
    told = {"X-Forwarded-Proto": scheme}
    async with (
        TestServer(app) as server,
        ClientSession() as http,
        http.get(server.make_url(path), headers=told) as answer,
    ):
        return dict(answer.headers)


@pytest.mark.parametrize("path", ["/", "/nothing"])
async def test_every_answer_has_them_and_names_no_server(path: str) -> None:
    headers = await _headers(NAMED, path=path)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "camera=(self)" in headers["Permissions-Policy"]
    assert "Server" not in headers


async def test_no_code_and_no_style_within_a_page() -> None:
    policy = (await _headers(NAMED))["Content-Security-Policy"]
    assert "unsafe" not in policy
    directives = dict(re.findall(r"([\w-]+) ([^;]+)", policy))
    assert directives["default-src"] == "'self'"
    assert directives["connect-src"] == "'self' wss://ke.example.cn"
    assert directives["frame-ancestors"] == directives["object-src"] == directives["base-uri"] == "'none'"
    assert "script-src" not in directives  # default-src stands
    assert "style-src" not in directives


async def test_sockets_of_a_page_without_https_are_named_as_well() -> None:
    assert "ws://127.0.0.1:8080" in (await _headers("http://127.0.0.1:8080"))["Content-Security-Policy"]
    assert "connect-src 'self';" in (await _headers(""))["Content-Security-Policy"]


async def test_https_is_remembered_where_it_was_spoken_to_a_name() -> None:
    assert (await _headers(NAMED))["Strict-Transport-Security"] == HSTS
    assert "Strict-Transport-Security" not in await _headers(NAMED, scheme="http")
    assert "Strict-Transport-Security" not in await _headers(NAMED, lasting=False)
    assert "Strict-Transport-Security" not in await _headers("https://192.168.1.9:8443")


@pytest.mark.parametrize(
    ("url", "lasts"),
    [(NAMED, True), ("https://ke.example.cn:8443", True), ("http://ke.example.cn", False), ("https://10.0.0.1", False),
     ("https://[fd00::1]:1", False), ("https://localhost", False), ("", False)],
)  # fmt: skip
def test_what_may_be_remembered(url: str, lasts: bool) -> None:
    assert may_last(url) is lasts
