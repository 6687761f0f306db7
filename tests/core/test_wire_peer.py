"""Who is at the other end: only proxies that we name may speak for somebody else."""

import ipaddress

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from server.core.wire.peer import (
    MOST_HOPS,
    TRUSTED,
    client_address,
    client_scheme,
    nearest_stranger,
    read_address,
    subscriber,
)

TRUST = (ipaddress.ip_network("10.0.0.0/24"), ipaddress.ip_network("fd00::/64"))
PROXY = "10.0.0.1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["1.2.3.4"], "203.0.113.9"),  # nobody vouches for what a stranger says
        (PROXY, [], PROXY),
        (PROXY, ["203.0.113.9"], "203.0.113.9"),
        (PROXY, ["1.2.3.4, 203.0.113.9"], "203.0.113.9"),  # the client wrote the first one itself
        (PROXY, ["1.2.3.4", "203.0.113.9"], "203.0.113.9"),
        (PROXY, ["203.0.113.9, 10.0.0.2"], "203.0.113.9"),  # two proxies of ours
        (PROXY, ["10.0.0.3, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        (PROXY, ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        (PROXY, ["nonsense"], PROXY),
        (PROXY, ["203.0.113.9, nonsense"], PROXY),
        (PROXY, ["203.0.113.9,"], PROXY),
        (PROXY, ["203.0.113.9:4711"], "203.0.113.9"),
        (PROXY, ["[2001:db8::9]:4711"], "2001:db8::9"),
        ("fd00::1", ["2001:db8::9"], "2001:db8::9"),
        ("::ffff:10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("", ["203.0.113.9"], ""),
    ],
)
def test_the_right_most_stranger_is_the_client(peer: str, forwarded: list[str], found: str) -> None:
    assert nearest_stranger(peer, forwarded, TRUST) == found


def test_only_so_many_hops_are_looked_at() -> None:
    chain = ["203.0.113.9", *["10.0.0.2"] * MOST_HOPS]
    assert nearest_stranger(PROXY, [", ".join(chain)], TRUST) == "10.0.0.2"
    assert nearest_stranger(PROXY, [", ".join(chain[:-1])], TRUST) == "203.0.113.9"


@pytest.mark.parametrize("text", ["", "a", "1.2.3", "1.2.3.4.5", "[", "[]", "1.2.3.4:5:6", "::g", "unknown", "_hidden"])
def test_what_is_no_address(text: str) -> None:
    assert read_address(text) is None


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("", ""),
    ],
)
def test_a_limit_counts_an_ipv6_subscriber_once(address: str, counted: str) -> None:
    assert subscriber(address) == counted


@pytest.mark.parametrize("trusted", [True, False])
async def test_headers_count_from_a_trusted_peer_only(trusted: bool) -> None:
    async def tell(request: web.Request) -> web.Response:
        return web.json_response([client_address(request), client_scheme(request)])

    app = web.Application()
    app[TRUSTED] = (ipaddress.ip_network("127.0.0.0/8"),) if trusted else ()
    app.router.add_get("/", tell)
    async with TestServer(app) as server, ClientSession() as http:
        told = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
        async with http.get(server.make_url("/"), headers=told) as answer:
            assert await answer.json() == (["203.0.113.9", "https"] if trusted else ["127.0.0.1", "http"])
        async with http.get(server.make_url("/"), headers={"X-Forwarded-Proto": "gopher"}) as answer:
            assert await answer.json() == ["127.0.0.1", "http"]
