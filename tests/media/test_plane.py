"""What lives in one process: limits, starts, ends, and datagrams of any kind."""

import asyncio
import gc
import struct
import weakref

import pytest
from aioice import stun
from aiortc import RTCPeerConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.api import MediaError, MediaSettings, build
from media.plane import LOOK_AGAIN_SECONDS, Plane
from tests.media.conftest import KEY, Stage, count


async def test_rooms_have_a_limit() -> None:
    media = build(MediaSettings(max_rooms=1), KEY, lambda _: None)
    await media.start()
    await media.open_room("a")
    await media.open_room("a")
    with pytest.raises(MediaError, match="too_many_rooms"):
        await media.open_room("b")
    await media.stop()


async def test_addresses_of_the_machine_are_looked_up_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([["192.0.2.1"], ["192.0.2.2"]])
    monkeypatch.setattr("media.plane.machine_ips", lambda with_ipv6: next(looks))
    plane, now = Plane(MediaSettings(udp_host="0.0.0.0"), lambda _: None), 100.0
    monkeypatch.setattr(plane, "clock", lambda: now)
    assert plane._machine_ips() == plane._machine_ips() == ("192.0.2.1",)
    now += LOOK_AGAIN_SECONDS + 1
    assert plane._machine_ips() == ("192.0.2.2",)


async def test_a_taken_port_stops_the_start(stage: Stage) -> None:
    with pytest.raises(OSError, match="in use"):
        await build(MediaSettings(udp_port=stage.media.port), KEY, lambda _: None).start()


async def test_a_listener_that_fails_stops_no_packet() -> None:
    failures: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(str(context["exception"])))

    def fail(_: object) -> None:
        raise RuntimeError("listener")

    media = build(MediaSettings(), KEY, fail)
    await media.start()
    await media.open_room("lesson")
    media._plane._tell("viewer_live", "lesson", "a")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await media.stop()
    assert failures == ["listener"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_datagram_is_survived(stage: Stage, junk: bytes, at: int) -> None:
    plane = stage.media._plane
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = "a:b"
    message.add_message_integrity(b"key")
    real = bytes(message)
    for datagram in (junk, real[:at] + junk, real[:at] + junk + real[at + len(junk) :]):
        plane._on_datagram(datagram, ("192.0.2.9", 9))
    assert plane.sessions == {}


@pytest.mark.parametrize("kind", [0x0024, 0x8028, 0x802A, 0x0020, 0x0009, 0x0006])
def test_a_check_whose_attribute_is_too_short_is_counted(stage: Stage, kind: int) -> None:
    plane = stage.media._plane
    head = struct.pack("!HHI12s", 1, 8, 0x2112A442, b"transaction.")
    before = plane.counts["stun_malformed"] + plane.counts["stun_unknown_ufrag"]
    plane._on_datagram(head + struct.pack("!HH4s", kind, 1, b"x"), ("192.0.2.9", 9))
    assert plane.counts["stun_malformed"] + plane.counts["stun_unknown_ufrag"] == before + 1


async def test_one_who_never_comes_is_forgotten(hasty_stage: Stage) -> None:
    connection = RTCPeerConnection()
    connection.addTransceiver("audio", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    headers = {"Authorization": f"Bearer {hasty_stage.token('watch', 'a')}", "Content-Type": "application/sdp"}
    url, body = f"{hasty_stage.base}/media/whep/lesson", connection.localDescription.sdp
    async with hasty_stage.http.post(url, data=body, headers=headers) as response:
        resource = hasty_stage.base + response.headers["Location"]
    await count(hasty_stage, "silent")
    assert resource.rsplit("/", 1)[1] not in hasty_stage.media._plane.sessions
    assert hasty_stage.told() == []
    await connection.close()


async def test_handshakes_have_a_budget(stage: Stage) -> None:
    plane = stage.media._plane
    plane._budget._burst = 0.0
    watching = asyncio.ensure_future(stage.watch())
    await count(stage, "handshake_budget")
    assert not watching.done()
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching


async def test_what_a_peer_held_is_free_as_soon_as_it_is_gone(stage: Stage) -> None:
    client, _ = await stage.watch()
    (session,) = stage.media._plane.sessions.values()
    held = [weakref.ref(each) for each in (session.peer, session.peer.dtls, session.peer.dtls._dtls)]
    del session
    gc.disable()  # it must not take the collector
    try:
        assert await client.delete() == 200
        await stage.until(lambda: [each() for each in held] == [None, None, None])
    finally:
        gc.enable()
