"""The port among strangers: what is malformed, unproven, spoofed or silent."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aioice import stun
from aiortc import rtcdtlstransport
from aiortc.rtp import RtcpPsfbPacket, RtpPacket

from media.doors import AMPLIFICATION, MAX_PATHS
from media.mux import Kind, classify
from media.peer import CHECKS_AT_ONCE, CHECKS_PER_SECOND, MOST_SOURCES
from tests.media.clients import EncodedAudio, EncodedVideo, h264_pictures, opus_packets
from tests.media.conftest import Stage, count
from tests.media.strangers import Stranger, check

PICTURES = h264_pictures(60)


@pytest.fixture
async def stranger(stage: Stage) -> AsyncIterator[Stranger]:
    with Stranger(stage.media.port) as each:
        yield each


async def test_a_stranger_gets_no_byte(stage: Stage, stranger: Stranger) -> None:
    client, _ = await stage.watch()
    stranger.send(bytes(20))
    await count(stage, "stun_malformed")
    stranger.send(bytes(stun.Message(stun.Method.BINDING, stun.Class.INDICATION)))
    await count(stage, "stun_not_a_check")
    stranger.send(check(client, ufrag="nobody"))
    await count(stage, "stun_unknown_ufrag")
    stranger.send(check(client, password="wrong"))
    stranger.send(check(client, own="another's"))
    await count(stage, "stun_unauthenticated", 2)
    for datagram in (b"\x16\xfe\xfd" + bytes(20), b"\x80\x6f" + bytes(20), b"\x80\xc8" + bytes(20)):
        stranger.send(datagram)
    await count(stage, "unknown_address", 3)
    stranger.send(b"GET / HTTP/1.1")
    await count(stage, "unknown_kind")
    assert stranger.received() == []


async def test_a_spoofed_check_does_not_aim_the_stream_at_a_victim(stage: Stage, stranger: Stranger) -> None:
    await stage.publish(EncodedVideo(PICTURES, 30))
    client, tracks = await stage.watch()
    await tracks["video"].recv()
    for _ in range(3):
        stranger.send(check(client))
    await asyncio.sleep(0.5)
    stranger.send(b"\x16\xfe\xfd" + bytes(20))  # nor does a handshake that is over move it
    await asyncio.sleep(0.2)
    back = stranger.received()
    assert len(back) == 3
    assert sum(map(len, back)) <= AMPLIFICATION * stranger.sent
    assert all(stun.parse_message(each).message_class == stun.Class.RESPONSE for each in back)


async def test_the_stream_follows_one_who_authenticates_from_a_new_address(stage: Stage, stranger: Stranger) -> None:
    await stage.publish(EncodedVideo(PICTURES, 30))
    client, tracks = await stage.watch()
    await tracks["video"].recv()
    transport = client.connection.getTransceivers()[0].receiver.transport
    feedback = bytes(RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=1))
    sealed = transport._tx_srtp.protect_rtcp(feedback)
    stranger.send(sealed)
    await count(stage, "unknown_address")
    stranger.send(check(client))
    stranger.send(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    await count(stage, "srtp_refused")
    assert len(stranger.received()) == 1
    stranger.send(sealed)
    async with asyncio.timeout(5):
        loop = asyncio.get_running_loop()
        while classify(await loop.sock_recv(stranger.socket, 4_096)) is not Kind.SRTP:
            pass
    stranger.send(sealed)
    await count(stage, "srtp_refused", 2)


async def test_malformed_media_of_a_publisher_is_counted(stage: Stage) -> None:
    client = await stage.publish(EncodedVideo(PICTURES, 30))
    await stage.until(lambda: stage.media.stats("lesson").publisher_live)
    transport = client.connection.getTransceivers()[0].sender.transport
    extended = b"\xbe\xde\x00\x01"
    for packet in (
        RtpPacket(payload_type=3, payload=b"not agreed").serialize(),
        b"\xa0\x6f\x00\x01" + bytes(8) + b"padded by nothing\0",
        b"\x90\x6f\x00\x02" + bytes(8) + extended + b"\x2f\xff\xff\xff",  # an extension longer than there is
        b"\x90\x6f\x00\x03" + bytes(8) + extended + b"\x31\xff\xff\x00",  # a send time of two bytes
    ):
        await transport._send_rtp(packet)
    await transport._send_rtp(b"\x81\xc9\x00\x01" + bytes(4))
    await transport._send_rtp(b"\x80\xc8\x00\x09" + bytes(4))
    await count(stage, "rtp_malformed", 4)
    await count(stage, "rtcp_malformed", 2)
    before = stage.media.stats("lesson").packets_in
    await stage.until(lambda: stage.media.stats("lesson").packets_in > before + 5)


async def test_a_certificate_that_was_not_offered_is_refused(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    post = stage.http.post

    def forged(url: str, *, data: str, headers: dict[str, str]) -> object:
        at = data.index("a=fingerprint:sha-256 ") + len("a=fingerprint:sha-256 ")
        other = "00" if data[at : at + 2] != "00" else "11"
        return post(url, data=data[:at] + other + data[at + 2 :], headers=headers)

    monkeypatch.setattr(stage.http, "post", forged)
    await stage.watch()  # to the client all looks well, but nothing will ever come
    await count(stage, "handshake_failed")
    assert stage.told() == []
    assert stage.media._plane.sessions == {}


async def test_one_who_falls_silent_is_gone(hasty_stage: Stage) -> None:
    client = await hasty_stage.publish(EncodedAudio(opus_packets(5)))
    await hasty_stage.until(lambda: hasty_stage.media.stats("lesson").publisher_live)
    for sender in client.connection.getSenders():
        sender.transport.transport._connection._protocols[0].transport.abort()
    await hasty_stage.until(lambda: ("publisher_gone", "teacher") in hasty_stage.told())
    assert hasty_stage.media.counts["silent"] == 1


async def test_a_peer_with_sha1_80_only_is_served(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    every = rtcdtlstransport.SRTP_PROFILES
    await stage.publish(EncodedVideo(PICTURES, 30))
    old = [profile for profile in every if b"SHA1_80" in profile.openssl_profile]
    offered = rtcdtlstransport.RTCCertificate._create_ssl_context
    own = stage.media._plane.certificate

    def restricted(certificate: object, srtp_profiles: list[object]) -> object:
        return offered(certificate, srtp_profiles if certificate is own else old)  # type: ignore[arg-type]

    monkeypatch.setattr(rtcdtlstransport.RTCCertificate, "_create_ssl_context", restricted)
    _, tracks = await stage.watch()
    async with asyncio.timeout(5):
        for _ in range(5):
            await tracks["video"].recv()
    tags = {session.peer.tag for session in stage.media._plane.sessions.values() if session.grant.kind == "watch"}
    assert tags == {10}


async def test_one_peer_cannot_fill_the_table_of_addresses(stage: Stage) -> None:
    client, _ = await stage.watch()
    plane = stage.media._plane
    (session,) = plane.sessions.values()
    own = session.peer._path
    for port in range(2_000, 2_100):
        plane._on_datagram(check(client), ("127.0.0.1", port))
    assert len(plane._by_address) == len(session.peer.paths) == MAX_PATHS
    assert own in session.peer.paths.values()
    await stage.media.close_room("lesson")
    assert plane._by_address == {}


async def test_a_check_in_anothers_name_takes_no_address_from_who_has_proven_to_be_there(stage: Stage) -> None:
    await stage.publish(EncodedVideo(PICTURES, 30))
    _, tracks = await stage.watch()
    await tracks["video"].recv()
    liar, _ = await stage.watch(peer="liar")
    plane = stage.media._plane
    address, session = next(each for each in plane._by_address.items() if each[1].grant.peer == "trainee")
    assert session.peer.holds(address)
    plane._on_datagram(check(liar), address)
    assert plane._by_address[address] is session
    assert plane.counts["address_held"] == 1
    for port in range(1, MAX_PATHS + 1):  # until the liar's own path of that name is forgotten
        plane._on_datagram(check(liar), ("127.0.0.9", port))
    assert plane._by_address[address] is session
    heard = session.peer.heard
    await stage.until(lambda: session.peer.heard > heard)
    plane.end(session)
    plane._on_datagram(check(liar), address)  # it is nobody's now
    assert plane._by_address[address].grant.peer == "liar"


async def test_checks_have_a_budget(stage: Stage) -> None:
    client, _ = await stage.watch()
    plane = stage.media._plane
    datagram, sent = check(client), 3 * CHECKS_AT_ONCE
    for _ in range(sent):
        plane._on_datagram(datagram, ("127.0.0.9", 9))
    assert sent - CHECKS_AT_ONCE - CHECKS_PER_SECOND <= plane.counts["stun_too_many"] <= sent - CHECKS_AT_ONCE + 50


async def test_a_peer_speaks_by_few_sources(stage: Stage) -> None:
    client, _ = await stage.watch()
    plane = stage.media._plane
    address, session = next(each for each in plane._by_address.items() if each[1].grant.peer == "trainee")
    sealed = client.connection.getTransceivers()[0].receiver.transport._tx_srtp
    for ssrc in range(1, 3 * MOST_SOURCES):
        plane._on_datagram(sealed.protect_rtcp(bytes(RtcpPsfbPacket(fmt=1, ssrc=ssrc, media_ssrc=1))), address)
    assert plane.counts["too_many_sources"] >= 2 * MOST_SOURCES - 1
    heard = session.peer.heard
    plane._on_datagram(sealed.protect_rtcp(bytes(RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=1))), address)
    assert session.peer.heard > heard
    for _ in range(3):
        plane._on_datagram(b"\x80\xc9" + bytes(20), address)  # what does not authenticate is no source
    assert len(session.peer._sources) <= MOST_SOURCES
