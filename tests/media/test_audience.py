"""How those who watch are counted: by way, with what each needs; whoever tries a line is nobody's audience."""

from collections import Counter

from media.admission import Admission
from media.api import Audience
from media.audience import audience, demands, sources
from media.witness import PARTS, WEBRTC
from tests.media.clients import EncodedAudio, EncodedVideo, h264_pictures, opus_packets, watch
from tests.media.conftest import Stage
from tests.media.test_live import following


async def test_each_way_is_counted_and_what_each_needs(stage: Stage) -> None:
    await stage.publish(EncodedVideo(h264_pictures(30), 30), EncodedAudio(opus_packets(50)))
    await stage.watch("a")
    await stage.watch("b", kinds=("audio",))
    async with (
        following(stage, stage.token("watch", "c")) as parts,
        following(stage, stage.token("watch", "d"), "voice") as voice,
    ):
        await parts.until(2)
        await voice.until(2)
        plane = stage.media._plane
        found = {each.peer: each for each in demands(plane.sessions.values(), plane.followers)}
        assert {peer: each.way for peer, each in found.items()} == {
            "a": "peer",
            "b": "voice",
            "c": "parts",
            "d": "voice",
        }
        assert [peer for peer, each in found.items() if each.size is not None] == ["a"]
        seen = {each.peer: each.tier for each in sources(plane.sessions.values(), plane.followers)}
        assert seen == {"a": WEBRTC, "b": WEBRTC, "c": PARTS, "d": PARTS}
        told = stage.media.audience("lesson")
        assert told is not None
        assert (told.peers, told.parts, told.voices, told.limit_bps, told.spent) == (1, 1, 2, None, "")


async def test_other_rooms_and_whoever_tries_a_line_do_not_count(stage: Stage) -> None:
    await stage.media.open_room("check-1")
    await stage.watch("a")
    plane = stage.media._plane
    plane.admission.limit = 1.0
    trying, _ = await watch(stage.http, stage.base, "check-1", stage.token("watch", "b", "check-1"))
    await stage.until(lambda: len(plane.sessions) == 2)
    everybody = demands(plane.sessions.values(), plane.followers)
    assert [each.peer for each in everybody] == ["a"]
    assert audience(plane.rooms["check-1"], everybody, Admission(None, 1.0, Counter())) == Audience()
    await trying.close()
