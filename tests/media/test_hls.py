"""A lesson as plain HLS: what FFmpeg reads from the playlist, counted and cut like any other viewer."""

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import urljoin

import av
import pytest
from yarl import URL

from media import hls
from media.witness import HLS
from tests.media.clients import EncodedAudio, EncodedVideo, h264_pictures, opus_packets
from tests.media.conftest import Stage, count
from tests.media.reel import read_back


async def teach(stage: Stage) -> None:
    await stage.publish(EncodedVideo(h264_pictures(30), 30), EncodedAudio(opus_packets(50)))
    await stage.until(lambda: stage.media.stats("lesson").publisher_live)


@dataclass
class Player:
    """What a <video> does: it knows the address of a playlist and nothing else."""

    stage: Stage
    place: str

    async def get(self, address: str = "") -> tuple[int, bytes]:
        url = URL(urljoin(self.stage.base + self.place, address), encoded=True)
        async with self.stage.http.get(url) as answer:
            return answer.status, await answer.read()

    async def listed(self) -> str:
        status, text = await self.get()
        assert status == 200, text
        return text.decode()

    async def leave(self) -> int:
        async with self.stage.http.delete(self.stage.base + self.place) as answer:
            return answer.status


async def opened(stage: Stage, peer: str = "trainee", rendition: str = "picture") -> Player:
    headers = {"Authorization": f"Bearer {stage.token('watch', peer)}"}
    async with stage.http.post(f"{stage.base}/media/hls/lesson/{rendition}", headers=headers) as answer:
        assert answer.status == 201, await answer.text()
        return Player(stage, answer.headers["Location"])


async def test_a_viewer_gets_pieces_that_play_and_is_counted(stage: Stage) -> None:
    await teach(stage)
    player = await opened(stage)
    text = await player.listed()
    init, *pieces = re.findall(r'"?((?:init)?\d+\.mp4\?session=[^"\n]+)', text)
    assert len(pieces) >= 2
    found = read_back(b"".join([(await player.get(each))[1] for each in (init, *pieces)]))
    assert len(found["video"]) >= 100
    assert len(found["audio"]) >= 140
    assert stage.media.stats("lesson").viewers == ("trainee",)
    assert stage.media.figures().viewers == 1
    (told,) = stage.media._plane.watching()
    assert told.peer == "trainee"
    assert told.tier == HLS
    size = told.total
    assert size > 1_000
    await player.get(pieces[-1])  # once more is nothing more
    assert [each.total for each in stage.media._plane.watching()] == [size]
    assert await player.leave() == 200
    assert await player.leave() == 200
    assert stage.media.stats("lesson").viewers == ()
    await stage.until(lambda: ("viewer_gone", "trainee") in stage.told())
    assert (await player.get())[0] == 404


async def test_ffmpeg_plays_it_as_it_goes_on(stage: Stage) -> None:
    await teach(stage)
    player = await opened(stage)
    await player.listed()

    def pictures() -> int:
        options = {"live_start_index": "0", "extension_picky": "0"}
        with av.open(stage.base + player.place, options=options, timeout=20) as source:
            for number, _ in enumerate(source.decode(video=0)):
                if number >= 150:  # longer than what was there when it began
                    return number
        return 0

    assert await asyncio.to_thread(pictures) == 150


async def test_voice_alone_can_be_had(stage: Stage) -> None:
    await stage.publish(EncodedAudio(opus_packets(50)))
    await stage.until(lambda: stage.media.stats("lesson").publisher_live)
    player = await opened(stage, rendition="voice")
    text = await player.listed()
    init, piece = re.findall(r'"?((?:init)?\d+\.mp4\?session=[^"\n]+)', text)[:2]
    found = read_back(b"".join([(await player.get(each))[1] for each in (init, piece)]))
    assert len(found["audio"]) >= 30


async def test_who_is_cut_is_given_no_more(stage: Stage) -> None:
    await teach(stage)
    player, other = await opened(stage), await opened(stage, "other")
    text = await player.listed()
    await stage.media.cut("trainee")
    piece = re.findall(r"^\d+\.mp4.*", text, re.MULTILINE)[-1]
    assert (await player.get())[0] == 404
    assert (await player.get(piece))[0] == 404
    await other.listed()
    assert stage.media.stats("lesson").viewers == ("other",)
    await stage.media.close_room("lesson")
    assert (await other.get())[0] == 404


async def test_a_second_page_of_the_same_peer_takes_the_place_of_the_first(stage: Stage) -> None:
    await teach(stage)
    first = await opened(stage)
    second = await opened(stage)
    assert (await first.get())[0] == 404
    await second.listed()
    assert stage.media.stats("lesson").viewers == ("trainee",)


async def test_who_asks_no_more_is_gone_and_nothing_is_packed_for_nobody(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hls, "SILENT_SECONDS", 0.2)
    await teach(stage)
    player = await opened(stage)
    await player.listed()  # which it waits for longer than it may be silent
    await stage.until(lambda: stage.media.stats("lesson").viewers == ())
    assert not stage.media._plane.rooms["lesson"].taps


async def test_where_nothing_comes_the_player_is_told_to_come_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hls, "WAIT_SECONDS", 0.2)
    player = await opened(stage)
    assert (await player.get())[0] == 503


async def test_who_asks_without_end_is_held_back_and_counted(stage: Stage) -> None:
    await teach(stage)
    player = await opened(stage)
    await player.listed()
    answers = [(await player.get("999.mp4?" + player.place.partition("?")[2]))[0] for _ in range(60)]
    assert answers[0] == 404
    assert answers[-1] == 429
    await count(stage, hls.TOO_FAST)


async def refusal(stage: Stage, token: str, rendition: str = "picture") -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with stage.http.post(f"{stage.base}/media/hls/lesson/{rendition}", headers=headers) as answer:
        return answer.status, (await answer.json())["code"]


async def test_others_are_refused_with_a_code(stage: Stage) -> None:
    assert await refusal(stage, "") == (401, "token_missing")
    assert await refusal(stage, stage.token("publish", "teacher")) == (403, "grant_mismatch")
    assert await refusal(stage, stage.token("watch", "trainee", room="another")) == (403, "grant_mismatch")
    assert await refusal(stage, stage.token("watch", "trainee", seconds=-1)) == (401, "token_expired")
    assert await refusal(stage, stage.token("watch", "trainee"), "smell") == (404, "rendition_unknown")
    token = stage.token("watch", "trainee")
    await stage.media.cut("trainee")
    assert await refusal(stage, token) == (401, "token_revoked")


async def test_a_full_room_takes_no_more(hasty_stage: Stage) -> None:
    for peer in ("a", "b"):
        await opened(hasty_stage, peer)
    assert await refusal(hasty_stage, hasty_stage.token("watch", "c")) == (503, "room_full")
    await opened(hasty_stage, "a")  # its own place
