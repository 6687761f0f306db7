"""What the instructor hears of the stream is what media can say."""

from typing import get_args

from media.errors import TROUBLES
from server.live.stream_api import Trouble


def test_every_trouble_of_media_has_its_name() -> None:
    assert set(get_args(Trouble)) == {*TROUBLES, "b_frames", "picture_too_large"}
