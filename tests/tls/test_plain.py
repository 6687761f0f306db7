"""What is said over plain HTTP beside HTTPS: the way there, and nothing else."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession

from server.tls.plain import plain_door, to_https

URL = "https://ke.example.cn"


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    async with plain_door(listener, {"*": to_https(URL)}), ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session


@pytest.mark.parametrize("path", ["/", "/desk.html?x=1", "/%E8%AF%BE"])
async def test_every_page_is_sent_to_the_same_page_over_https(http: ClientSession, path: str) -> None:
    async with http.get(path, allow_redirects=False) as answer:
        assert answer.status == 308
        assert answer.headers["Location"].startswith(f"{URL}/")
        assert "Strict-Transport-Security" not in answer.headers
        assert "Server" not in answer.headers
    async with http.get("/a?b=c", allow_redirects=False) as answer:
        assert answer.headers["Location"] == f"{URL}/a?b=c"


@pytest.mark.parametrize("asked", ["//evil.example/x", "http://evil.example/x", "/\\evil.example/x"])
async def test_nobody_is_sent_elsewhere(http: ClientSession, asked: str) -> None:
    (_, host, port) = re.findall(r"(http)://([\d.]+):(\d+)", str(http._base_url))[0]
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {asked} HTTP/1.1\r\nHost: ke.example.cn\r\nConnection: close\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    if (found := re.search(r"(?m)^Location: (.*)\r$", answer)) is not None:
        assert urlsplit(found[1]).netloc == "ke.example.cn"
    else:
        assert answer.split()[1] in ("400", "404")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_nothing_is_taken_in_the_clear(http: ClientSession, method: str) -> None:
    async with http.request(method, "/api/v1/login", json={"password": "secret"}, allow_redirects=False) as answer:
        assert (answer.status, (await answer.json())["code"]) == (404, "not_found")
