"""What dead processes left is read once, by lesson, and again when it has changed."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from server.attendance.estate import Estates
from server.attendance.spool import Spool
from server.core.errors import DomainError
from server.core.tasks import Tasks

BEAT = {"lesson": "one", "person": "p"}


def left(folder: Path, lines: list[dict[str, Any]]) -> None:
    spool = Spool(folder, Tasks())
    spool.begin(lines)
    spool.close()


async def test_lines_come_by_lesson_and_a_line_that_names_several_comes_with_each(tmp_path: Path) -> None:
    alive = {"alive": 5, "lessons": ["one", "two"]}
    left(tmp_path / "spool", [alive, BEAT])
    assert await Estates().read(tmp_path / "spool") == {"one": [alive, BEAT], "two": [alive]}


async def test_what_grew_is_read_again_and_what_is_gone_is_forgotten(tmp_path: Path) -> None:
    estates = Estates()
    left(tmp_path, [BEAT])
    first = await estates.read(tmp_path)
    assert await estates.read(tmp_path) is first
    left(tmp_path, [BEAT, {**BEAT, "lesson": "two"}])
    assert (await estates.read(tmp_path)).keys() == {"one", "two"}
    for file in tmp_path.iterdir():
        file.unlink()
    assert await estates.read(tmp_path) == await estates.read(tmp_path / "never") == {}


async def test_a_spool_that_is_begun_anew_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left(tmp_path, [BEAT])
    (old,) = tmp_path.iterdir()
    whole = Spool.read

    def late(spool: Spool) -> list[dict[str, Any]]:
        if old.exists():
            left(tmp_path, [{**BEAT, "lesson": "two"}])
            return [orjson.loads(old.read_bytes())]  # as if it had been listed before
        return whole(spool)

    monkeypatch.setattr(Spool, "read", late)
    assert (await Estates().read(tmp_path)).keys() == {"two"}


async def test_damage_is_told(tmp_path: Path) -> None:
    left(tmp_path, [BEAT, BEAT])
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"x" + file.read_bytes()[1:])
    with pytest.raises(DomainError, match="spool_damaged"):
        await Estates().read(tmp_path)
