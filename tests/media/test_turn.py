"""STUN and TURN servers: what may be set, what peers are told, and a lesson watched through a real coturn."""

import asyncio
import re
import shutil
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from aioice import ice, stun
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection

from media.api import MediaSettings
from media.turn import CREDENTIAL_SECONDS, MIN_SECRET_BYTES, MOST_SERVERS, MOST_URLS, IceServer, links, offered
from tests.media import clients
from tests.media.clients import EncodedAudio, opus_packets
from tests.media.conftest import Stage, staged
from tests.media.strangers import Stranger
from tests.servers import free_port

SECRET = b"sixteen bytes ok"
TURN = "turn:127.0.0.1:3478?transport=udp"


@pytest.mark.parametrize(
    "right",
    [
        {"urls": ("stun:stun.example.cn",)},
        {"urls": ("turn:[2001:db8::1]:3478", "turns:turn.example.cn:443?transport=tcp"), "secret": SECRET},
        {"urls": (TURN,) * MOST_URLS, "username": "u" * 255, "credential": "c"},
        {"urls": ("turn:" + "a" * 250,), "secret": bytes(MIN_SECRET_BYTES)},
    ],
)
def test_what_may_be_set(right: dict[str, object]) -> None:
    assert IceServer(**right).urls == right["urls"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"urls": ()},
        {"urls": ("stun:a",) * (MOST_URLS + 1)},
        {"urls": ("http://turn.example.cn",)},
        {"urls": ("turn:a>, <turn:b",), "secret": SECRET},
        {"urls": ("turn:" + "a" * 251,), "secret": SECRET},
        {"urls": (TURN,)},
        {"urls": (TURN,), "username": "u"},
        {"urls": (TURN,), "username": "u", "credential": "c", "secret": SECRET},
        {"urls": (TURN,), "username": "u" * 256, "credential": "c"},
        {"urls": (TURN,), "username": "u", "credential": 'c"'},
        {"urls": (TURN,), "username": "u", "credential": "c\r\n"},
        {"urls": (TURN,), "secret": SECRET[1:]},
        {"urls": ("stun:a",), "secret": SECRET},
    ],
)
def test_what_may_not(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"urls|credential|secret") as refused:
        IceServer(**wrong)  # type: ignore[arg-type]
    assert SECRET.decode() not in str(refused.value)


def test_there_is_a_limit_of_servers() -> None:
    one = IceServer(("stun:a",))
    assert MediaSettings(ice_servers=(one,) * MOST_SERVERS).ice_servers
    with pytest.raises(ValueError, match="ice_servers"):
        MediaSettings(ice_servers=(one,) * (MOST_SERVERS + 1))


def test_a_credential_says_when_it_ends_and_the_secret_is_not_shown() -> None:
    server = IceServer((TURN,), secret=SECRET)
    (told,) = offered([server], 1_000.9)
    assert told.username == f"{1_000 + CREDENTIAL_SECONDS}:keshi"
    # echo -n 51400:keshi | openssl dgst -sha1 -hmac "sixteen bytes ok" -binary | base64
    assert told.credential == "V1Wz3zSzqx6AvleulMGtj7NlIl4="
    for shown in (repr(server), repr(told), *links([server], 1_000.9)):
        assert SECRET.decode() not in shown
    assert told.credential not in repr(told)


def test_links_are_as_programs_read_them() -> None:
    servers = [IceServer(("stun:a", "stun:b")), IceServer((TURN,), "u", "c")]
    assert links(servers, 0) == [
        '<stun:a>; rel="ice-server"',
        '<stun:b>; rel="ice-server"',
        f'<{TURN}>; rel="ice-server"; username="u"; credential="c"; credential-type="password"',
    ]


@asynccontextmanager
async def coturn(folder: Path, secret: bytes) -> AsyncIterator[int]:
    """A TURN server that relays to this machine; its port."""
    port = free_port()
    program = shutil.which("turnserver")
    assert program is not None, "coturn: make test installs it"
    options = [
        "-n",
        "--no-cli",
        "--no-tls",
        "--no-dtls",
        "--no-tcp",
        "--allow-loopback-peers",
        "--log-file=stdout",
        "--simple-log",
    ]
    options += ["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}", "--realm=keshi"]
    options += ["--use-auth-secret", f"--static-auth-secret={secret.decode()}", f"--pidfile={folder / 'pid'}"]
    options += [f"--userdb={folder / 'users'}"]
    process = await asyncio.create_subprocess_exec(program, *options, stdout=DEVNULL, stderr=DEVNULL, cwd=folder)
    try:
        await _answers(port, process)
        yield port
    finally:
        process.kill()
        await process.wait()


async def _answers(port: int, process: Process) -> None:
    """Wait until a STUN request to the port is answered."""
    with Stranger(port) as asking:
        async with asyncio.timeout(20):
            while process.returncode is None:
                with suppress(ConnectionRefusedError):
                    asking.send(bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST)))
                    if asking.received():
                        return
                await asyncio.sleep(0.1)
    raise AssertionError("coturn ended")


@pytest.fixture
async def relayed(tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage whose answers name a coturn that knows the secret."""
    async with coturn(tmp_path, SECRET) as port:
        server = IceServer((f"turn:127.0.0.1:{port}?transport=udp",), secret=SECRET)
        async for stage in staged(MediaSettings(ice_servers=(server,))):
            yield stage


def only_by_relay(monkeypatch: pytest.MonkeyPatch, server: RTCIceServer) -> None:
    """Clients of tests have no address of their own, only this server's."""
    monkeypatch.setattr(ice, "get_host_addresses", lambda use_ipv4, use_ipv6: [])
    monkeypatch.setattr(clients, "RTCPeerConnection", partial(RTCPeerConnection, RTCConfiguration([server])))


async def told(stage: Stage) -> RTCIceServer:
    """What the Link header of an answer says, as a program reads it."""
    connection = RTCPeerConnection()
    connection.addTransceiver("audio", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    headers = {"Authorization": f"Bearer {stage.token('watch', 'b')}", "Content-Type": "application/sdp"}
    offer = connection.localDescription.sdp
    await connection.close()
    async with stage.http.post(f"{stage.base}/media/whep/lesson", data=offer, headers=headers) as answer:
        (link,) = answer.headers.getall("Link")
    found = re.fullmatch(
        r'<(.+)>; rel="ice-server"; username="(.+)"; credential="(.+)"; credential-type="password"', link
    )
    assert found is not None
    url, username, credential = found.groups()
    return RTCIceServer(url, username, credential)


async def test_a_lesson_is_watched_through_coturn(relayed: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await relayed.publish(EncodedAudio(opus_packets(50)))
    server = await told(relayed)
    only_by_relay(monkeypatch, server)
    _, tracks = await relayed.watch()
    async with asyncio.timeout(10):
        for _ in range(5):
            await tracks["audio"].recv()
    (viewer,) = [each for each in relayed.media._plane.sessions.values() if each.grant.peer == "trainee"]
    offered_by_viewer = relayed.clients[-1].connection.localDescription.sdp
    relays = re.findall(r"a=candidate:.* 127\.0\.0\.1 (\d+) typ relay", offered_by_viewer)
    assert {str(address[1]) for address in viewer.peer.paths} <= set(relays) != set()


async def test_a_credential_of_another_secret_or_of_before_opens_nothing(
    relayed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, now = await told(relayed), relayed.media._plane.now()
    (wrong,) = offered([IceServer((TURN,), secret=SECRET[::-1])], now)
    (over,) = offered([IceServer((TURN,), secret=SECRET)], now - CREDENTIAL_SECONDS - 1)
    only_by_relay(monkeypatch, server)
    for username, password, found in (
        (wrong.username, wrong.credential, False),
        (over.username, over.credential, False),
        (server.username, server.credential, True),
    ):
        connection = RTCPeerConnection(RTCConfiguration([RTCIceServer(server.urls, username, password)]))
        connection.addTransceiver("audio", direction="recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        assert ("typ relay" in connection.localDescription.sdp) is found
        await connection.close()
