"""What media say of minutes: each once and whole, by ten-second parts, by loss and never by invention."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from media import clock
from media.settings import MediaSettings
from media.witness import KEPT_MINUTES, PARTS, WEBRTC, Delivered, Source, Told, Witness
from tests.media.clients import EncodedAudio, opus_packets
from tests.media.conftest import Stage, staged
from tests.media.test_live import following

MINUTE = 29_923_740
NOW = MINUTE * 60.0


class Heard:
    """A witness, and what it told."""

    def __init__(self) -> None:
        self.told: list[Delivered] = []
        self.witness = Witness(self.told.append)

    def look(self, at: float, *totals: int, peer: str = "a.1", tier: int = WEBRTC) -> None:
        sources = [Source((peer, index), "lesson", peer, tier, total) for index, total in enumerate(totals)]
        self.witness.look(NOW + at, sources)


@pytest.fixture
def heard() -> Heard:
    return Heard()


def test_a_minute_is_told_once_when_it_is_over(heard: Heard) -> None:
    heard.look(0, 0)
    heard.look(9.9, 100)
    heard.look(10, 300)
    heard.look(59.9, 350)
    assert heard.told == []
    heard.look(60, 350)
    heard.look(61, 350)
    assert heard.told == [Delivered("lesson", MINUTE, {"a.1": Told(WEBRTC, 0b100011, 350)})]


def test_who_only_stands_there_is_told_with_nothing(heard: Heard) -> None:
    heard.look(5, 0)
    heard.look(60)
    assert heard.told[0].peers == {"a.1": Told(WEBRTC, 0, 0)}


def test_what_was_delivered_in_a_minute_is_not_told_of_the_next(heard: Heard) -> None:
    heard.look(5, 500)
    heard.look(65, 500)
    heard.look(120)
    assert [each.peers["a.1"].size for each in heard.told] == [500, 0]


def test_a_connection_begun_anew_counts_from_nothing(heard: Heard) -> None:
    heard.look(5, 500)
    heard.look(6)
    heard.look(7, 100)
    heard.look(60)
    assert heard.told[0].peers["a.1"].size == 600


def test_two_connections_of_a_peer_are_one(heard: Heard) -> None:
    heard.witness.look(NOW + 1, [Source(1, "lesson", "a.1", WEBRTC, 100), Source(2, "lesson", "a.1", PARTS, 200)])
    heard.look(60)
    assert heard.told[0].peers == {"a.1": Told(PARTS, 1, 300)}


def test_while_nobody_looked_nothing_is_invented(heard: Heard) -> None:
    heard.look(1, 100)
    heard.look(200, 900)
    heard.look(300)
    assert [(each.slot - MINUTE, each.peers["a.1"]) for each in heard.told] == [
        (0, Told(WEBRTC, 1, 100)),
        (3, Told(WEBRTC, 0b100, 800)),
    ]


def test_a_clock_that_steps_back_opens_no_minute_again(heard: Heard) -> None:
    heard.look(59, 100)
    heard.look(60.1, 200)
    heard.look(59.9, 300)
    heard.look(121)
    assert [(each.slot - MINUTE, each.peers["a.1"].size) for each in heard.told] == [(0, 100), (1, 200)]


def test_another_clock_begins_at_its_own_minute_and_what_was_open_is_lost(heard: Heard) -> None:
    heard.look(7_200, 100)
    heard.look(0, 200)
    heard.look(60)
    assert [(each.slot - MINUTE, each.peers["a.1"].size) for each in heard.told] == [(0, 100)]


def test_the_last_minutes_are_kept(heard: Heard) -> None:
    for minute in range(KEPT_MINUTES + 3):
        heard.look(60 * minute, minute)
    last = KEPT_MINUTES + 2
    assert [each.slot - MINUTE for each in heard.witness.recent] == list(range(last - KEPT_MINUTES, last))
    heard.look(-7_200)
    assert heard.witness.recent == []


# -- with real receivers ----------------------------------------------------------------------------


@dataclass
class Minutes:
    """A stage whose minutes pass when a test says so."""

    stage: Stage
    at: list[float]
    told: list[Delivered] = field(default_factory=list)

    async def pass_minute(self) -> dict[str, Told]:
        """The next minute begins; what is told of this one."""
        known, plane = len(self.told), self.stage.media._plane
        looked = plane._looked_at
        await self.stage.until(lambda: plane._looked_at > looked)
        self.at[0] += 60
        await self.stage.until(lambda: len(self.told) > known)
        return self.told[-1].peers


@pytest.fixture
async def minutes() -> AsyncIterator[Minutes]:
    began = clock.monotonic()
    at = [clock.unix() // 60 * 60]
    async for stage in staged(MediaSettings(), lambda: at[0] + min(9, clock.monotonic() - began)):
        made = Minutes(stage, at)
        stage.media.on_minute(made.told.append)
        await stage.publish(EncodedAudio(opus_packets(50)))
        yield made


async def test_what_receivers_report_and_sockets_take_is_told(minutes: Minutes) -> None:
    stage = minutes.stage
    await stage.watch("peer", kinds=("audio",))
    viewer = next(iter(stage.media._plane.rooms["lesson"].fan_out.viewers.values()))
    async with following(stage, stage.token("watch", "parts"), "voice") as received:
        await received.until(10)
        taken = sum(map(len, received.data))
        await stage.until(lambda: viewer.acknowledged.size > 0)
        peers = await minutes.pass_minute()
        assert set(peers) == {"peer", "parts"}
        assert peers["peer"][:2] == (WEBRTC, 1)
        assert 0 < peers["peer"].size < stage.media.stats("lesson").packets_in * 200
        assert peers["parts"][:2] == (PARTS, 1)
        assert 0 < peers["parts"].size < 2 * taken + 10_000
    await minutes.pass_minute()
    assert [each.slot for each in minutes.told] == [minutes.told[0].slot, minutes.told[0].slot + 1]


async def test_nothing_is_told_of_a_viewer_whom_nothing_reaches(minutes: Minutes) -> None:
    stage = minutes.stage
    assert await stage.clients[0].delete() == 200
    await stage.until(lambda: not stage.media.stats("lesson").publisher_live)
    await stage.watch("peer", kinds=("audio",))
    assert (await minutes.pass_minute())["peer"] == Told(WEBRTC, 0, 0)
