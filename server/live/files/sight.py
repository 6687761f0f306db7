"""Decides what trainees may fetch of a lesson's files: pages that were shown, and what no hidden line alone holds.

Any process may be asked, so the acts are read as they are stored. A page that was shown once stays known: that is not
taken back, and thousands ask for it at once.
"""

import asyncio
from collections import OrderedDict
from typing import Final

from server.core.database import Database
from server.live.acts.records import shows_in, words_about

#: so many decks are known
MOST_DECKS: Final = 1_024


class Sight:
    """What was shown to everybody, and what was taken back."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pages: OrderedDict[tuple[str, str], frozenset[int]] = OrderedDict()
        self._reading = asyncio.Lock()

    async def shown(self, lesson_id: str, deck: str, page: int | None = None) -> bool:
        """Whether a page of a deck was on the board, or any page of it."""
        if self._known(lesson_id, deck, page):
            return True
        async with self._reading:  # whoever waited finds what the first one read
            if not self._known(lesson_id, deck, page):
                async with self._database.read() as connection:
                    self._pages[lesson_id, deck] = await shows_in(connection, lesson_id, deck)
                self._pages.move_to_end((lesson_id, deck))
                while len(self._pages) > MOST_DECKS:
                    self._pages.popitem(last=False)
            return self._known(lesson_id, deck, page)

    async def hidden(self, lesson_id: str, file_id: str) -> bool:
        """Whether lines of the chat hold a file, and each of them is hidden."""
        async with self._database.read() as connection:
            words = await words_about(connection, lesson_id, file_id)
        hidden: dict[str, bool] = {}
        for act in words:
            if act.kind == "said" and (act.body.get("file") or {}).get("id") == file_id:
                hidden[str(act.seq)] = False
            elif act.kind == "hidden" and act.body["line"] in hidden:
                hidden[act.body["line"]] = act.body["on"]
        return bool(hidden) and all(hidden.values())

    def _known(self, lesson_id: str, deck: str, page: int | None) -> bool:
        pages = self._pages.get((lesson_id, deck), frozenset[int]())
        return bool(pages) if page is None else page in pages
