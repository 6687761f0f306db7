"""Ninety minutes of recording, by packets whose time is their own: picture and voice stay together to the end."""

from pathlib import Path

import pytest

from media.replay import Recordings
from tests.media.hours import MARK_SECONDS, NOON, PICTURES, VOICES, apart, hours, play

#: nobody notices so much between lips and voice
DRIFT_SECONDS = 0.040
#: a recording says when it was; a part may be late by its packets
WALL_SECONDS = 0.1
#: a camera and a sound card that are as wrong as cheap ones are, in opposite ways; over three minutes ten times that
PPM = 60


async def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int, ppm: int) -> None:
    """Record so much, play it as FFmpeg does, compare every marked moment."""
    async with hours(tmp_path / "r", monkeypatch, ppm) as lesson:
        await lesson.pass_by(seconds)
    replay = Recordings(tmp_path / "r").read("lesson")
    assert replay.holes == []
    (take,) = replay.takes
    first, last = take.parts[0], take.parts[-1]
    assert first.at == pytest.approx(NOON, abs=WALL_SECONDS)
    assert last.at + last.seconds == pytest.approx(NOON + seconds, abs=1 + WALL_SECONDS)
    played = play(replay, tmp_path / "r", tmp_path / "played")
    found = apart(played)
    worst = max(map(abs, found))
    size = sum(part.size for part in take.parts) / (1 << 20)
    print(
        f"{seconds / 60:.0f} minutes recorded: {played.pictures} pictures, {played.voices} voices, {size:.0f} MiB; "
        f"picture and voice {worst * 1000:.0f} ms apart at most in {len(found)} marked moments"
    )
    assert len(found) >= 0.95 * seconds / MARK_SECONDS
    assert worst <= DRIFT_SECONDS
    assert played.pictures >= seconds * PICTURES - PICTURES
    assert played.voices == pytest.approx(seconds * VOICES, rel=0.01)
    assert played.seconds == pytest.approx(seconds, abs=1)


async def test_three_minutes_stay_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await recorded(tmp_path, monkeypatch, 180, 10 * PPM)


@pytest.mark.long
@pytest.mark.timeout(1_800)
async def test_ninety_minutes_stay_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await recorded(tmp_path, monkeypatch, 5_400, PPM)
