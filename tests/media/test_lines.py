"""Each viewer's line, from what reached them and what they reported: over a bad network it is seen to be bad."""

import pytest

from media import lines
from media.lines import Line, read_lines
from tests.media.clients import EncodedAudio, EncodedVideo, h264_pictures, opus_packets
from tests.media.conftest import Stage
from tests.media.relay import Relay, every
from tests.media.test_live import following

LOSS = 6


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "WINDOW_SECONDS", 0.5)


async def teach(stage: Stage) -> None:
    await stage.publish(EncodedVideo(h264_pictures(60), 30), EncodedAudio(opus_packets(50)))
    await stage.until(lambda: stage.media.stats("lesson").publisher_live)


def line(stage: Stage, peer: str) -> Line | None:
    return next((each for each in stage.media.lines("lesson") if each.peer == peer), None)


async def test_a_good_line_and_one_that_loses_a_sixth(stage: Stage) -> None:
    await teach(stage)
    relay = Relay(("127.0.0.1", stage.media.port), every(LOSS))
    await relay.start()
    try:
        await stage.watch("good")
        await stage.watch("bad", port=relay.port)
        await stage.until(lambda: lossy(line(stage, "bad")))
        good = line(stage, "good")
        assert good is not None
        assert (good.direct, good.picture, good.loss) == (True, True, 0)
        await stage.until(lambda: trip(line(stage, "good")) is not None)  # after the first report of ours
    finally:
        relay.close()


def trip(found: Line | None) -> int | None:
    return found.round_trip_ms if found is not None else None


def lossy(found: Line | None) -> bool:
    return found is not None and (found.loss or 0) > 0.05 and found.kbps > 0


async def test_who_watches_by_parts_has_a_rate_and_no_reports(stage: Stage) -> None:
    await teach(stage)
    async with following(stage, stage.token("watch", "trainee")) as viewer:
        await viewer.until(8)
        found = line(stage, "trainee")
        assert found is not None
        assert (found.direct, found.picture, found.loss, found.round_trip_ms) == (False, True, None, None)


async def test_who_has_left_and_who_never_came_have_no_line(stage: Stage) -> None:
    await teach(stage)
    client, _ = await stage.watch("trainee")
    await stage.until(lambda: line(stage, "trainee") is not None)
    await client.close()
    await stage.until(lambda: line(stage, "trainee") is None)
    assert stage.media.lines("never opened") == []


def test_what_another_process_says_is_read_or_refused() -> None:
    one = Line("a.1", True, 900, 0.01, 3, 20, True, False)
    assert read_lines({"lesson": [list(one)]}) == {"lesson": [one]}
    for nonsense in (7, {"lesson": [["a.1"]]}, {"lesson": 3}):
        with pytest.raises(ValueError, match="no lines"):
            read_lines(nonsense)
