"""Who a request comes from, behind the real nginx with deploy/nginx.conf: not who it says it is."""

import asyncio
import ipaddress
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from server.core.clock import SystemClock
from server.core.wire.peer import TRUSTED, client_address, client_scheme
from server.tls.local_ca import issue, make_authority
from tests.network.proxy import free_port, nginx, rendered
from tests.network.space import Space
from tests.tls.certificates import put

SPOOFED = "198.51.100.1"
#: GET / from an address, saying it is somebody else over something else; an untrusted certificate is taken
ASK = """
import http.client, ssl, sys
address, host, port, secure, spoofed = sys.argv[1:]
source = (address, 0)
if secure == "https":
    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection(host, int(port), timeout=20, source_address=source, context=context)
else:
    connection = http.client.HTTPConnection(host, int(port), timeout=20, source_address=source)
connection.request("GET", "/?page=1", headers={"X-Forwarded-For": spoofed, "X-Forwarded-Proto": "gopher"})
answer = connection.getresponse()
print(answer.status, answer.getheader("Location"), answer.read().decode())
"""


@asynccontextmanager
async def _process(host: str, trusted: str) -> AsyncIterator[int]:
    """A process of ours that tells who it was asked by; gives its port."""

    async def tell(request: web.Request) -> web.Response:
        return web.json_response([client_address(request), client_scheme(request)])

    app = web.Application()
    app[TRUSTED] = (ipaddress.ip_network(trusted),)
    app.router.add_get("/", tell)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = socket.create_server((host, 0))
    await web.SockSite(runner, listener).start()
    try:
        yield listener.getsockname()[1]
    finally:
        await runner.cleanup()


async def _ask(space: Space, address: str, port: int, scheme: str) -> tuple[str, str, str]:
    command = [sys.executable, "-c", ASK, address, space.server, str(port), scheme, SPOOFED]
    done = await asyncio.to_thread(space.run, *command)
    assert done.returncode == 0, done.stderr
    status, location, body = (*done.stdout.rstrip("\n").split(" ", 2), "")[:3]
    return status, location, body


@pytest.fixture
def pair(space: Space, tmp_path: Path) -> tuple[Path, Path]:
    now = SystemClock().ms()
    return put(issue(make_authority([space.server], now), [space.server], now), tmp_path)


async def test_what_a_client_writes_itself_is_ignored(space: Space, tmp_path: Path, pair: tuple[Path, Path]) -> None:
    async with _process("127.0.0.1", "127.0.0.1/32") as one, _process("127.0.0.1", "127.0.0.1/32") as other:
        ports = free_port(space.server), free_port(space.server)
        configuration = rendered(space.server, ports, [one, other], *pair)
        with nginx(tmp_path / "nginx", configuration, space.server, ports[1]):
            for address in (space.first, space.second):
                _, _, body = await _ask(space, address, ports[1], "https")
                assert json.loads(body) == [address, "https"]
            status, location, _ = await _ask(space, space.first, ports[0], "http")
            assert (status, location) == ("308", f"https://{space.server}/?page=1")


async def test_without_a_trusted_proxy_nobody_speaks_for_another(space: Space) -> None:
    async with _process(space.server, "127.0.0.1/32") as port:
        for address in (space.first, space.second):
            _, _, body = await _ask(space, address, port, "http")
            assert json.loads(body) == [address, "http"]
