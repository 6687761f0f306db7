"""What is counted of media, as one process and as another one read it."""

import json
from dataclasses import asdict

import pytest

from media.figures import Figures, figures, read_figures
from media.room import Room

SAID = Figures(viewers=2, packets_in=30, packets_out=60, resent=1, refused={"silent": 4})


def test_without_rooms_only_what_belongs_to_none_is_counted() -> None:
    rooms: list[Room] = []
    assert figures(rooms, {"silent": 4}) == Figures(refused={"silent": 4})


def test_another_process_reads_what_was_told() -> None:
    assert read_figures(json.loads(json.dumps(asdict(SAID)))) == SAID


def test_another_version_may_know_fewer_or_more() -> None:
    assert read_figures({}) == Figures()
    assert read_figures({"viewers": 1, "later": 2}) == Figures(viewers=1)


@pytest.mark.parametrize("said", [None, 7, ["viewers"]])
def test_what_is_no_figures_is_refused(said: object) -> None:
    with pytest.raises(ValueError, match="not what is told"):
        read_figures(said)  # type: ignore[arg-type]
