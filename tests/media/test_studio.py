"""Media in one process: recorded where it is told to be, and nowhere else."""

from pathlib import Path

import pytest

from media.settings import MediaSettings
from media.studio import Studio
from tests.media.conftest import KEY


@pytest.mark.parametrize("recorded", [True, False])
async def test_a_room_is_packed_from_its_opening_when_it_is_recorded(tmp_path: Path, recorded: bool) -> None:
    studio = Studio(MediaSettings(recordings=tmp_path if recorded else None), KEY, lambda _event: None)
    await studio.start()
    try:
        studio.plane.open_room("lesson")
        studio.plane.open_room("no/path")
        taps = {name: len(room.taps) for name, room in studio.plane.rooms.items()}
        assert taps == {"lesson": int(recorded), "no/path": 0}
    finally:
        await studio.stop()
    assert list(tmp_path.iterdir()) == []
