"""Every code that can be raised towards HTTP has a status."""

import re
from pathlib import Path

from media import errors
from media.whip import STATUS

NOT_OVER_HTTP = {"too_many_rooms", "check_too_often", "check_busy"}


def test_every_code_has_a_status_and_every_status_a_code() -> None:
    sources = Path(errors.__file__).parent.glob("*.py")
    raised = {code for path in sources for code in re.findall(r'MediaError\("(\w+)"', path.read_text("utf-8"))}
    assert raised - NOT_OVER_HTTP == STATUS.keys()


def test_a_refusal_carries_its_data() -> None:
    refusal = errors.MediaError("room_full", limit=2)
    assert (refusal.code, refusal.data, str(refusal)) == ("room_full", {"limit": 2}, "room_full")
