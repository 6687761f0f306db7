"""Bytes of every protocol, captured and then spoilt: refused and counted or taken, never raised, never for long."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise

import pytest
from aioice import stun
from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    RtpPacket,
    pack_remb_fci,
)

from media import clock
from media.doors import AMPLIFICATION, PACKETS_AT_ONCE, PACKETS_PER_SECOND, REPORTS_PER_SECOND
from media.errors import MediaError
from media.forwarder import Viewer
from media.grants import Grant, Kind
from media.ingest import Ingest
from media.mux import Kind as DatagramKind
from media.mux import classify
from media.offer import Sources
from media.plane import Plane
from media.rate import RateAdvice
from media.room import Room
from media.seam import LiteDtls, LiteIce, certificate
from media.settings import MediaSettings
from media.tap import CAMERA, VOICE
from tests.media import offers
from tests.media.clients import EncodedAudio, EncodedVideo, h264_pictures, opus_packets, picture_of
from tests.media.conftest import Stage, count
from tests.media.fakes import CODECS, H264, KEY, OPUS, FakeTime, FakeTransport, picture
from tests.media.strangers import Stranger

SPOILT_PER_SEED = 60
LONGEST_SECONDS = 30
OFFERS = {name: text for name, text in vars(offers).items() if isinstance(text, str) and text.startswith("v=0")}


def spoilt(seed: bytes, number: int = SPOILT_PER_SEED) -> Iterator[bytes]:
    """The seed with a few bytes changed, cut out, doubled or put in; the same each time."""
    chance = random.Random(seed)
    for _ in range(number):
        data = bytearray(seed)
        for _ in range(chance.randint(1, 4)):
            at, size = chance.randrange(len(data) + 1), chance.randint(1, 24)
            how = chance.randrange(4)
            if how == 0 and at < len(data):
                data[at] ^= chance.randint(1, 255)
            elif how == 1:
                del data[at : at + size]
            elif how == 2:
                data[at:at] = data[at : at + size]
            else:
                data[at:at] = chance.randbytes(size)
        if bytes(data) != seed:
            yield bytes(data)


@pytest.fixture
async def plane() -> AsyncIterator[Plane]:
    plane = Plane(MediaSettings(), lambda _: None)
    await plane.start()
    plane.open_room("lesson")
    async with asyncio.timeout(LONGEST_SECONDS):
        yield plane
    await plane.stop()


def granted(kind: Kind) -> Grant:
    now = clock.unix()
    return Grant("lesson", "somebody", kind, now, now + 60)


def test_there_are_seeds() -> None:
    assert len(OFFERS) >= 2


@pytest.mark.parametrize("name", OFFERS)
@pytest.mark.parametrize("kind", ["publish", "watch"])
async def test_spoilt_offers(plane: Plane, name: str, kind: Kind) -> None:
    refused: set[str] = set()
    for data in spoilt(OFFERS[name].encode()):
        try:
            plane.accept(granted(kind), data.decode(errors="replace"))
        except MediaError as error:
            refused.add(error.code)
    assert {"bad_offer"} <= refused <= {"bad_offer", "no_common_codec"}
    assert len(plane.sessions) <= 1


async def test_spoilt_checks_are_each_counted_and_none_is_answered(plane: Plane) -> None:
    session, _ = plane.accept(granted("publish"), publishing())
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = session.peer.ice[0].username
    message.attributes["PRIORITY"] = 1_853_824_767
    message.attributes["ICE-CONTROLLING"] = 7
    message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(session.peer.ice[0].password.encode())
    sent = 0
    for data in spoilt(bytes(message), 10 * SPOILT_PER_SEED):
        if authentic(data, session.peer.ice[0].password.encode()):
            continue
        plane._on_datagram(data, ("127.0.0.1", 9))
        sent += 1
    assert plane.counts.total() == sent
    assert session.peer.paths == {}


def authentic(data: bytes, key: bytes) -> bool:
    """Whether what was spoilt is still a check of the peer: spoilt in padding, or after what is authenticated."""
    try:
        return stun.parse_message(data).check_message_integrity(key)
    except Exception:  # noqa: BLE001 - anything at all: what the plane does with it is the question
        return False


def watching() -> str:
    """The first offer that a viewer can make."""
    return next(text for text in OFFERS.values() if "a=recvonly" in text)


def publishing() -> str:
    """The first offer that a publisher can make."""
    return next(text for text in OFFERS.values() if re.search("a=send(only|recv)", text) and "H264" in text)


class Ward:
    """A room with a publisher and a viewer, without a network."""

    def __init__(self) -> None:
        time = FakeTime()
        self.time, self.said, self.shown = time, [b""], FakeTransport()
        self.counts: Counter[str] = Counter()
        self.room = Room("lesson", time.later, time.clock, lambda _name, _live: None, counts=self.counts)
        self.ingest = Ingest({CAMERA: H264, VOICE: OPUS}, [], self.room, self.said.append, RateAdvice(1, 1))
        self.viewer = Viewer("viewer", self.shown, CODECS, self.room.slots, self.room.ask_keyframe)
        self.room.publish("teacher", self.ingest)
        self.room.join(self.viewer)
        self.room.push(CAMERA, picture(1, KEY), time.now)


def test_spoilt_rtp() -> None:
    ward = Ward()
    for payload_type in (H264.payload_type, H264.rtx, OPUS.payload_type):
        seed = RtpPacket(payload_type, 1, 65_534, 90_000, 5, b"\x7c\x85" + bytes(900)).serialize()
        for data in (seed, *spoilt(seed, 5 * SPOILT_PER_SEED)):
            ward.ingest.on_rtp(data, ward.time.now)
            ward.time.pass_by(0.01)
            ward.room.tick(clock.ntp(), ward.time.now)
    assert ward.room.packets_in > 0


@pytest.mark.parametrize(
    "seed",
    [
        bytes(RtcpSrPacket(5, RtcpSenderInfo(1 << 63, 7, 1, 1)))
        + bytes(RtcpSdesPacket([RtcpSourceInfo(5, [(1, b"n")])])),
        bytes(RtcpRrPacket(5, [RtcpReceiverInfo(6, 0, 0, 0, 0, 0, 0)])),
        bytes(RtcpRtpfbPacket(RTCP_RTPFB_NACK, 5, 6, [1, 2, 3, 40])),
        bytes(RtcpPsfbPacket(RTCP_PSFB_PLI, 5, 6)),
        bytes(RtcpPsfbPacket(RTCP_PSFB_APP, 5, 0, pack_remb_fci(1_000_000, [6]))),
    ],
    ids=["sender report", "receiver report", "nack", "pli", "remb"],
)
def test_spoilt_rtcp(seed: bytes) -> None:
    ward = Ward()
    malformed = 0
    for data in spoilt(seed, 5 * SPOILT_PER_SEED):
        malformed += ward.ingest.on_rtcp(data, clock.ntp(), ward.time.now)
        ward.viewer.on_rtcp(data, ward.time.now)
        ward.room.tick(clock.ntp(), ward.time.now)
        ward.time.pass_by(1)
    assert malformed


async def client_hello() -> bytes:
    """What a client begins its handshake with."""
    first: list[bytes] = []
    client = RTCDtlsTransport(LiteIce(first.append), [RTCCertificate.generateCertificate()])  # type: ignore[arg-type]
    client._set_role("client")
    prints = [RTCDtlsFingerprint("sha-256", "00")]
    asking = asyncio.create_task(client.start(RTCDtlsParameters(prints, "server")))
    async with asyncio.timeout(LONGEST_SECONDS):
        while not first:  # noqa: ASYNC110
            await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    return first[0]


async def test_spoilt_handshakes() -> None:
    hello = await client_hello()
    async with asyncio.timeout(LONGEST_SECONDS):
        ours = certificate()
        for data in spoilt(hello):
            server = LiteDtls(ours, lambda _: None, lambda: None)
            answering = asyncio.create_task(server.handshake([("sha-256", "00")]))
            server.feed(data)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            server._ice.feed(None)
            assert await answering is False


def test_two_sources_that_take_turns_and_jump_stay_one_stream() -> None:
    ward = Ward()
    for number in range(50):
        ward.room.push(CAMERA, picture(65_530 + number * 7_919, source=number % 2), ward.time.now)
    ward.room.flush()
    numbers = [packet.sequence_number for packet in ward.shown.rtp if packet.payload_type == H264.payload_type]
    assert [(b - a) & 0xFFFF for a, b in pairwise(numbers)] == [1] * (len(numbers) - 1)


@pytest.mark.parametrize("start", [65_530, 65_535, 0])
def test_a_sequence_that_wraps_at_its_start_stays_one_stream(start: int) -> None:
    ward = Ward()
    for number in (0, 1, 3, 2, *range(4, 20), 7, -1):  # two that changed places, one twice, one from before the first
        ward.room.push(CAMERA, picture(start + number, source="other"), ward.time.now)
    ward.room.flush()
    numbers = sorted(packet.sequence_number for packet in ward.shown.rtp if packet.payload_type == H264.payload_type)
    assert numbers == [numbers[0] + at for at in range(21)]
    assert ward.counts == {"rtp_late": 2}


def test_timestamps_that_jump_are_counted_and_the_viewer_sees_none() -> None:
    ward = Ward()
    for number in range(2, 40):
        jump = (number // 10) * 0x5000_0000
        packet = RtpPacket(H264.payload_type, 1, number, (number * 3_000 + jump) & 0xFFFFFFFF, 5, KEY)
        assert ward.ingest.on_rtp(packet.serialize(), ward.time.now)
        ward.time.pass_by(1 / 30)
    times = [packet.timestamp for packet in ward.shown.rtp if packet.payload_type == H264.payload_type]
    assert all(0 < (b - a) & 0xFFFFFFFF <= 9_000 for a, b in pairwise(times))
    assert ward.counts["timestamp_jump"] == 3


def test_voice_and_picture_under_one_ssrc_are_told_apart_by_their_payload_types() -> None:
    ward = Ward()
    for number in range(30):
        for codec, payload in ((H264, KEY), (OPUS, b"opus")):
            packet = RtpPacket(codec.payload_type, 1, 65_520 + number & 0xFFFF, number * 3_000, 5, payload)
            assert ward.ingest.on_rtp(packet.serialize(), ward.time.now)
        ward.time.pass_by(1 / 30)
    for codec in (H264, OPUS):
        numbers = [packet.sequence_number for packet in ward.shown.rtp if packet.payload_type == codec.payload_type]
        assert [(b - a) & 0xFFFF for a, b in pairwise(numbers)] == [1] * (len(numbers) - 1)
        assert len(numbers) >= 30


def test_what_is_announced_for_one_slot_is_refused_in_another_ones_name() -> None:
    ward = Ward()
    told = Sources({5: CAMERA}, {})
    ingest = Ingest({CAMERA: H264, VOICE: OPUS}, [], ward.room, ward.said.append, RateAdvice(1, 1), told)
    before = ward.room.packets_in
    assert not ingest.on_rtp(RtpPacket(OPUS.payload_type, 1, 1, 1, 5, b"opus").serialize(), ward.time.now)
    assert ward.room.packets_in == before


async def test_a_victim_named_as_the_sender_gets_three_times_what_was_sent_at_most() -> None:
    plane = Plane(MediaSettings(handshake_seconds=2.5), lambda _: None)
    await plane.start()
    plane.open_room("lesson")
    session, _ = plane.accept(granted("watch"), watching())
    hello = await client_hello()
    with Stranger(plane.mux.port) as victim:  # who is made to seem to send, and never answers
        ice = session.peer.ice[0]
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{ice.ufrag}:{ice.remote_ufrag}"
        message.add_message_integrity(ice.password.encode())
        for datagram in (*[bytes(message)] * 3, hello):  # enough for one answer, not for its repetition
            victim.send(datagram)
        async with asyncio.timeout(LONGEST_SECONDS):
            while not plane.counts["silent"]:  # the server repeats its flight until then  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        back = victim.received()
    await plane.stop()
    assert plane.counts["amplification_held"]
    assert any(classify(each) is DatagramKind.DTLS for each in back)
    assert sum(map(len, back)) <= AMPLIFICATION * victim.sent


async def test_ten_thousand_packets_a_second_are_cut_to_the_budget_and_the_lesson_goes_on(stage: Stage) -> None:
    teacher = await stage.publish(EncodedVideo(h264_pictures(10), 30))
    sender = teacher.connection.getSenders()[0]
    payload_type = int(re.findall(r"m=video \d+ \S+ (\d+)", teacher.connection.localDescription.sdp)[0])
    started = clock.monotonic()
    for number in range(4 * PACKETS_AT_ONCE):
        packet = RtpPacket(payload_type, 0, number & 0xFFFF, number, 77, b"\x61" + bytes(20))
        await sender.transport._send_rtp(packet.serialize())
        if number % 20 == 0:
            await asyncio.sleep(0)
    await count(stage, "packet_budget")
    taken, seconds = stage.media.stats("lesson").packets_in, clock.monotonic() - started
    assert taken <= PACKETS_AT_ONCE + (seconds + 1) * PACKETS_PER_SECOND
    await stage.until(lambda: stage.media.stats("lesson").packets_in > taken)
    assert ("publisher_gone", "teacher") not in stage.told()


async def test_pictures_in_8k_are_refused_counted_and_told_and_the_voice_goes_on(stage: Stage) -> None:
    await stage.publish(EncodedVideo([picture_of(7_680, 4_320)], 5), EncodedAudio(opus_packets(50)))
    await count(stage, "picture_too_large")
    await stage.until(lambda: ("publisher_trouble", "teacher") in stage.told())
    slots = stage.media._plane.rooms["lesson"].slots
    await stage.until(lambda: slots[VOICE].packets > 10)
    assert slots[CAMERA].packets == 0


async def test_a_publisher_that_vanishes_is_counted_and_told_and_another_takes_its_place(hasty_stage: Stage) -> None:
    teacher = await hasty_stage.publish(EncodedVideo(h264_pictures(10), 30))
    await hasty_stage.until(lambda: hasty_stage.media.stats("lesson").publisher_live)
    for sender in teacher.connection.getSenders():
        sender.transport.transport._connection._protocols[0].transport.abort()
    await count(hasty_stage, "silent")
    await hasty_stage.until(lambda: ("publisher_gone", "teacher") in hasty_stage.told())
    assert hasty_stage.media.stats("lesson").publisher is None
    await hasty_stage.publish(EncodedVideo(h264_pictures(10), 30), peer="another")
    await hasty_stage.until(lambda: hasty_stage.media.stats("lesson").publisher_live)


@pytest.mark.parametrize(
    ("offer", "code"),
    [
        (re.sub(r"H264/90000|VP8/90000", "AV1/90000", offers.CHROMIUM_PUBLISH), "no_common_codec"),
        (offers.CHROMIUM_PUBLISH + "a=x\r\n" * 5_000, "bad_offer"),
    ],
    ids=["a codec that is not carried", "thousands of lines"],
)
async def test_an_offer_that_cannot_be_answered_is_refused_counted_and_told(
    stage: Stage, offer: str, code: str
) -> None:
    headers = {"Authorization": f"Bearer {stage.token('publish', 'teacher')}", "Content-Type": "application/sdp"}
    async with stage.http.post(f"{stage.base}/media/whip/lesson", data=offer, headers=headers) as answer:
        assert (answer.status, (await answer.json())["code"]) == (422, code)
    await count(stage, code)
    await stage.until(lambda: ("publisher_trouble", "teacher") in stage.told())


@pytest.mark.parametrize("said", [0x83AA7E80 << 32, 0, (1 << 64) - 1], ids=["1970", "nothing", "the last moment"])
def test_a_publisher_whose_clock_is_set_in_mid_lesson_is_followed_from_then_on(said: int) -> None:
    ward = Ward()
    for number in range(8):
        sound = RtpPacket(OPUS.payload_type, 0, number, number * 48_000, 7, b"opus")
        assert ward.ingest.on_rtp(sound.serialize(), ward.time.now)
        at = said if number < 4 else clock.ntp()
        report = RtcpSrPacket(7, RtcpSenderInfo(at, number * 48_000, 1, 1))
        assert ward.ingest.on_rtcp(bytes(report), clock.ntp(), ward.time.now) == 0
        ward.time.pass_by(1)
        ward.room.tick(clock.ntp(), ward.time.now)
    reports = [RtcpPacket.parse(each)[0] for each in ward.shown.rtcp]
    times = [each.sender_info.ntp_timestamp for each in reports if isinstance(each, RtcpSrPacket)]
    assert len(times) >= 2
    assert all(abs(clock.unix_at(at) - clock.unix()) < 20 for at in times)


async def test_what_fails_in_one_room_stops_no_other(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
    plane.open_room("another")

    def fail(_ntp: int, _now: float) -> None:
        raise RuntimeError("tick")

    monkeypatch.setattr(plane.rooms["lesson"], "tick", fail)
    ticked: list[float] = []
    monkeypatch.setattr(plane.rooms["another"], "tick", lambda _ntp, now: ticked.append(now))
    while len(ticked) < 3:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    assert plane.counts["tick_failed"] >= 2
    assert told == ["media: tick of lesson failed"]


async def test_a_viewer_may_report_and_no_more(plane: Plane) -> None:
    session, _ = plane.accept(granted("watch"), watching())
    budget, now = session.peer._budget, clock.monotonic()
    assert sum(budget.spend(now) for _ in range(PACKETS_AT_ONCE)) < 2 * REPORTS_PER_SECOND
    publisher, _ = plane.accept(granted("publish"), publishing())
    budget, now = publisher.peer._budget, clock.monotonic()
    assert sum(budget.spend(now) for _ in range(PACKETS_AT_ONCE)) == PACKETS_AT_ONCE
