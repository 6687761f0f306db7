"""What a witness remembers, and that a damaged memory signs nothing."""

from pathlib import Path

import pytest

from server.verify.tree import Refused
from server.witness.memory import Memory
from tests.witness.world import ORIGIN, Log


def test_the_last_note_of_each_log(tmp_path: Path) -> None:
    memory, log, other = Memory(tmp_path / "seen"), Log(), Log("../../etc/passwd", 2)
    assert memory.last(ORIGIN) is None
    for size in (1, 2):
        memory.remember(ORIGIN, log.note(size))
    memory.remember(other.origin, other.note(7))
    again = Memory(tmp_path / "seen")
    last, foreign = again.last(ORIGIN), again.last(other.origin)
    assert last is not None
    assert foreign is not None
    assert (last.size, foreign.size) == (2, 7)
    assert sorted(again.notes()) == sorted([log.note(2), other.note(7)])
    assert len(list((tmp_path / "seen").iterdir())) == 2, "one file for each log, nothing elsewhere"


def test_a_write_that_fails_leaves_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, log = Memory(tmp_path), Log()
    memory.remember(ORIGIN, log.note(1))

    def full(_handle: int) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        memory.remember(ORIGIN, log.note(2))
    last = memory.last(ORIGIN)
    assert last is not None
    assert (last.size, len(list(tmp_path.iterdir()))) == (1, 1)


def test_a_damaged_memory_is_no_memory(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.remember(ORIGIN, Log().note(1))
    next(tmp_path.iterdir()).write_text("")
    with pytest.raises(Refused):
        memory.last(ORIGIN)
