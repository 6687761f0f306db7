"""Rooms aside of another: by name, what they may cost, how they end, what is not sent on of them."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.admission import LOW_BPS, VOICE_BPS, Admission, Demand
from media.api import CAMERA, VOICE, Media, MediaError, MediaSettings, build
from media.aside import MAX_KBPS, START_KBPS, advice, asides, is_aside, is_counted, main_of, packets_of
from media.doors import PACKETS_PER_SECOND
from media.room import slots
from media.slot import Slot
from tests.media.clients import EncodedAudio, Refused, opus_packets, publish, watch
from tests.media.conftest import KEY, Stage
from tests.media.test_admission import BOTH


@given(st.text("0123456789abcdef", min_size=1), st.integers(0, 10**9))
def test_a_room_aside_names_the_room_that_it_is_aside_of(room: str, number: int) -> None:
    assert main_of(f"{room}-{number}") == room
    assert is_aside(f"{room}-{number}")
    assert main_of(room) == room
    assert asides(room, [room, f"{room}-{number}", f"{room}a-{number}", "check", "other-1"]) == [f"{room}-{number}"]


@pytest.mark.parametrize("name", ["lesson", "check", "check-3", "check-00ff", "a-b", "-1", "a-", "a-1x", "x-é"])
def test_others_are_aside_of_nothing(name: str) -> None:
    assert not is_aside(name)
    assert main_of(name) == name
    assert is_counted(name) is not name.startswith("check")


def test_a_guest_is_advised_a_small_picture_and_may_send_little() -> None:
    settings = MediaSettings()
    assert advice(settings, "a-1").advise(9_000_000, overused=False, now=0.0) == MAX_KBPS * 1_000
    assert advice(settings, "a-1").advise(1, overused=False, now=0.0) == START_KBPS * 1_000
    assert advice(settings, "a").advise(9_000_000, overused=False, now=0.0) == settings.max_kbps * 1_000
    assert packets_of("a-1") * 4 < packets_of("a") == PACKETS_PER_SECOND


def test_until_it_is_measured_a_guest_counts_as_a_small_picture_and_a_voice() -> None:
    class Room:
        published = BOTH
        slots: dict[str, Slot] = slots()

        def __init__(self, name: str) -> None:
            self.name = name

    admission = Admission(10, 1_000_000, Counter())
    main, guest = Room("a"), Room("a-1")
    admission.look(0.0, 0.0, [main, guest], [])
    assert admission.costs(guest).large == LOW_BPS + VOICE_BPS < admission.costs(main).large
    here = [Demand("a", "p", "peer"), *(Demand(f"a-{number}", "p", "peer") for number in (1, 2, 3, 4))]
    admission.look(1.0, 0.0, [main, *(Room(f"a-{number}") for number in (1, 2, 3, 4))], here)
    assert admission.used == pytest.approx(1_062_000 + 4 * (LOW_BPS + VOICE_BPS))


async def test_guests_are_not_counted_among_rooms_and_end_with_theirs() -> None:
    media = build(MediaSettings(max_rooms=2), KEY, lambda _: None)
    await media.start()
    for room in ("a", "a-1", "a-2", "b", "b-1"):
        await media.open_room(room)
    with pytest.raises(MediaError, match="too_many_rooms"):
        await media.open_room("c")
    await media.close_room("a")
    assert sorted(media._plane.rooms) == ["b", "b-1"]
    await media.close_room("b-1")
    assert sorted(media._plane.rooms) == ["b"]
    await media.stop()


async def counted(media: Media, room: str, seconds: float = 0.5) -> int:
    """How many packets went out of a room within so long."""
    before = media.stats(room).packets_out
    await asyncio.sleep(seconds)
    return media.stats(room).packets_out - before


async def test_a_voice_that_is_hushed_reaches_nobody_whatever_is_sent(stage: Stage) -> None:
    media = stage.media
    await media.open_room("lesson-7")
    token = stage.token("publish", "guest", "lesson-7")
    guest = await publish(stage.http, stage.base, "lesson-7", token, EncodedAudio(opus_packets(20)))
    viewer, _ = await watch(stage.http, stage.base, "lesson-7", stage.token("watch", "v", "lesson-7"), ("audio",))
    await stage.until(lambda: media.stats("lesson-7").packets_out > 5)
    media.hush("lesson-7", frozenset({VOICE}))
    assert await counted(media, "lesson-7") == 0
    assert media.stats("lesson-7").publisher_live  # it is there, and not heard
    media.hush("lesson-7", frozenset({CAMERA}))
    assert await counted(media, "lesson-7") > 10
    await media.close_room("lesson-7")
    with pytest.raises(Refused, match="room_closed"):
        await publish(stage.http, stage.base, "lesson-7", token, EncodedAudio(opus_packets(20)))
    await media.open_room("lesson-8")
    with pytest.raises(Refused, match="grant_mismatch"):
        await publish(stage.http, stage.base, "lesson-8", token, EncodedAudio(opus_packets(20)))
    with pytest.raises(MediaError, match="room_closed"):
        media.hush("lesson-7", frozenset())
    for each in (guest, viewer):
        await each.close()
