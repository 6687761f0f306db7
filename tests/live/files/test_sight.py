"""What trainees may fetch, as the stored acts say: read once for thousands, and never from a page not shown yet."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.live.acts import records
from server.live.acts.port import Act
from server.live.files import sight
from server.live.files.sight import Sight
from tests.school import School, school

DECK, FILE = "d" * 16, "f" * 16


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with school(tmp_path) as running:
        yield running


async def happened(served: School, *facts: tuple[str, str, dict[str, object]]) -> None:
    async with served.house.store.database.write() as connection:
        first = await records.count(connection, served.lesson_id) + 1
        now, who = served.clock.ms(), served.ids["teacher"]
        acts = [Act(seq, now, name, kind, who, body) for seq, (name, kind, body) in enumerate(facts, first)]
        await records.add(connection, served.lesson_id, acts)


async def test_a_page_is_known_once_it_was_shown_and_is_read_once(
    served: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    of_store = records.shows_in

    async def counted(*of: object) -> frozenset[int]:
        read.append(of)
        return await of_store(*of)  # type: ignore[arg-type]

    monkeypatch.setattr(sight, "shows_in", counted)
    seen, lesson = Sight(served.house.store.database), served.lesson_id
    assert not await seen.shown(lesson, DECK)
    await happened(served, ("board", "show", {"deck": DECK, "page": 2}), ("board", "show", {"deck": "", "page": 1}))
    read.clear()
    assert all(await asyncio.gather(*(seen.shown(lesson, DECK, 2) for _ in range(500))))
    assert len(read) == 1
    assert [await seen.shown(lesson, DECK, page) for page in (1, 2, None)] == [False, True, True]
    assert not await seen.shown(lesson, "e" * 16, 2)


async def test_a_file_is_hidden_with_the_last_line_that_holds_it(served: School) -> None:
    seen, lesson = Sight(served.house.store.database), served.lesson_id
    said: tuple[str, str, dict[str, object]] = ("chat", "said", {"text": "", "file": {"id": FILE}})
    assert not await seen.hidden(lesson, FILE)  # no line holds it yet
    await happened(served, said, ("chat", "said", {"text": f"不是 {FILE}"}), said)
    await happened(served, ("chat", "hidden", {"line": "1", "on": True}))
    assert not await seen.hidden(lesson, FILE)
    await happened(served, ("chat", "hidden", {"line": "3", "on": True}))
    assert await seen.hidden(lesson, FILE)
    await happened(served, ("chat", "hidden", {"line": "1", "on": False}))
    assert not await seen.hidden(lesson, FILE)
