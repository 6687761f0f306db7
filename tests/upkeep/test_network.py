"""What the doctor says of the ways to us: certificate, clock, addresses, ports, each good and bad."""

import asyncio
import socket
from email.utils import formatdate
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.serialization import Encoding

from server.core.clock import SystemClock
from server.settings import Config
from server.tls.local_ca import issue, make_authority
from server.tls.pair import key_pem
from server.upkeep import network
from server.upkeep.finding import Level


def config_of(**groups: object) -> Config:
    return Config.model_validate(groups)


@pytest.fixture
def given(tmp_path: Path) -> Config:
    now = SystemClock().ms()
    pair = issue(make_authority(["ke.local"], now), ["ke.local"], now)
    (tmp_path / "c.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in pair.chain))
    (tmp_path / "k.pem").write_bytes(key_pem(pair.key))
    tls = {"mode": "files", "certificate": str(tmp_path / "c.pem"), "key": str(tmp_path / "k.pem")}
    return config_of(server={"public_url": "https://ke.local", "data": str(tmp_path)}, tls=tls)


def test_a_certificate_good_near_its_end_over_and_of_another(given: Config) -> None:
    now = SystemClock().ms()
    end = now + 397 * network.DAY_MS
    assert network.certificate(given, now + 60_000).level is Level.WELL
    assert network.certificate(given, end - 10 * network.DAY_MS).level is Level.LOOK
    assert network.certificate(given, end + network.DAY_MS).level is Level.BROKEN
    server = given.server.model_copy(update={"public_url": "https://other.local"})
    found = network.certificate(given.model_copy(update={"server": server}), now + 60_000)
    assert (found.level, "other.local" in found.english) == (Level.BROKEN, True)


def test_no_certificate_where_none_is_needed_or_not_yet(tmp_path: Path) -> None:
    assert network.certificate(config_of(), 0).level is Level.WELL
    server = {"data": str(tmp_path), "public_url": "https://ke.example.cn"}
    acme = config_of(server=server, tls={"mode": "acme", "acme_agree_terms": True})
    assert network.certificate(acme, 0).level is Level.LOOK
    missing = config_of(server=server, tls={"mode": "files", "certificate": "nowhere", "key": "nowhere"})
    assert network.certificate(missing, 0).level is Level.BROKEN


@pytest.mark.parametrize(
    ("offset", "level"),
    [(None, Level.LOOK), (5.0, Level.WELL), (-2_000.0, Level.WELL), (2_001.0, Level.LOOK), (-30_001.0, Level.BROKEN)],
)
def test_what_an_offset_means(offset: float | None, level: Level) -> None:
    assert network.clock_finding(offset).level is level


@pytest.mark.parametrize(("kept", "level"), [(True, Level.WELL), (False, Level.LOOK), (None, Level.LOOK)])
def test_what_the_kernels_word_means(kept: bool | None, level: Level) -> None:
    assert network.kept_finding(kept).level is level
    assert network.system_keeps_time() in (True, False, None)


async def test_a_clock_without_and_with_servers_that_are_silent() -> None:
    assert (await network.clock(())).name == "clock"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        assert (await network.clock([f"127.0.0.1:{silent.getsockname()[1]}"])).level is Level.LOOK


async def test_without_a_server_the_http_of_others_finds_a_clock_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def answer(request: web.Request) -> web.Response:
        then = SystemClock().ms() / 1000 - float(request.query["ago"])
        return web.Response(headers={"Date": formatdate(then, usegmt=True)})

    async def silent(_request: web.Request) -> web.Response:
        return web.Response(headers={"Date": "soon"})

    monkeypatch.setattr(network, "system_keeps_time", lambda: None)
    app = web.Application()
    app.router.add_get("/dated", answer)
    app.router.add_get("/silent", silent)
    async with TestServer(app) as server:
        where = {name: str(server.make_url(name)) for name in ("/dated?ago=0", "/dated?ago=60", "/silent")}
        now, late, none = where.values()
        for others, level, told in (
            ([now], Level.LOOK, "agrees"),
            ([late], Level.BROKEN, "off by"),
            ([late, now], Level.LOOK, "agrees"),
            ([none, "http://127.0.0.1:1"], Level.LOOK, "not kept"),
        ):
            found = await network.clock((), others)
            assert (found.level, told in found.english) == (level, True)


def test_whom_the_settings_name_anyway() -> None:
    assert network.others(config_of()) == []
    acme = {"mode": "acme", "acme_agree_terms": True, "acme_directory": "https://ca.example.cn/directory"}
    assert network.others(config_of(tls=acme)) == ["https://ca.example.cn/directory"]


@pytest.mark.parametrize(
    ("told", "own", "public", "level"),
    [
        ([], ["10.0.0.5"], [], Level.WELL),
        ([], ["203.0.113.7"], ["203.0.113.7"], Level.WELL),
        ([], ["10.0.0.5"], ["203.0.113.7"], Level.BROKEN),
        (["203.0.113.7"], ["10.0.0.5"], ["203.0.113.7"], Level.WELL),
        (["203.0.113.8"], ["10.0.0.5"], ["203.0.113.7"], Level.LOOK),
        ([], ["10.0.0.5"], ["127.0.0.1"], Level.WELL),
    ],
)
def test_addresses_behind_a_clouds_nat(told: list[str], own: list[str], public: list[str], level: Level) -> None:
    found = network.addresses(config_of(media={"advertised_ips": told}), own, public)
    assert found.level is level
    if level is Level.BROKEN:
        assert "media.advertised_ips: [203.0.113.7]" in found.chinese


async def test_names_and_interfaces() -> None:
    assert "127.0.0.1" in network.own_addresses()
    assert await network.public_addresses(config_of()) == set()
    assert "127.0.0.1" in await network.public_addresses(config_of(server={"public_url": "http://localhost:1"}))
    assert await network.public_addresses(config_of(server={"public_url": "https://no.such.invalid"})) == set()
    assert network.way_in(config_of(server={"host": "0.0.0.0"}), []) == "127.0.0.1"
    assert network.way_in(config_of(), ["203.0.113.7"]) == "203.0.113.7"


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
async def test_a_port_that_is_reached_taken_or_out_of_reach(kind: socket.SocketKind) -> None:
    reached = await network.port("p", kind, "127.0.0.1", 0, "127.0.0.1")
    assert (reached.level, "can be reached" in reached.english) == (Level.WELL, True)
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        found = await network.port("p", kind, "127.0.0.1", taken.getsockname()[1], "127.0.0.1")
        assert "taken" in found.english
    async with asyncio.timeout(10):
        assert (await network.port("p", kind, "127.0.0.1", 0, "127.0.0.2")).level is Level.LOOK
