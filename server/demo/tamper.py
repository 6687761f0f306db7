"""改一条试试: what becomes of an export when somebody with root, database and log key changes one minute.

It works on a copy of the database and leaves the real one alone. The change is as good as anybody can make it: the
minute in the journal, its record in the log and the digest between them say the same. Only the hashes that were sealed
at the time do not.
"""

import asyncio
import hashlib
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from server.attendance.minutes import MINUTE_MS, MinuteRecord, Reason, pack, text_of, told, unpack
from server.core.actor import Role
from server.core.database import Database
from server.core.errors import DomainError
from server.core.wire.declaration import UNSEEN, Call, Declarations, Download, Route
from server.exchange.api import LedgerRequest
from server.ledger.rules import MINUTE, split
from server.training.service import Training
from server.verify.minutes import CREDITED, write

#: what the export of a copy of the store is: its file, and the class
Package = Callable[[Path, LedgerRequest], Awaitable[Download]]

TABLES: Final = ("minute_journal", "ledger_entry")
DESK: Final = frozenset({Role.STAFF, Role.ADMINISTRATOR, Role.REGULATOR})
#: within a packed record (verify.formats)
SUBJECT, CREDIT, EVIDENCE = slice(10, 18), slice(35, 39), slice(41, 73)


class Tamper:
    """Changes one minute of a class in a copy, and exports the copy."""

    def __init__(self, database: Database, training: Training, folder: Path, package: Package) -> None:
        self._database, self._training, self._folder, self._package = database, training, folder, package

    async def try_it(self, call: Call, request: LedgerRequest) -> Download:
        """POST /api/v1/demo/tamper.zip. Raises DomainError not_found, lesson_not_sealed (nothing to change yet)."""
        home = await self._training.class_for(call.who, request.class_id)
        lessons = [one.id for one in await self._training.lessons_of_class(home.id)]
        with tempfile.TemporaryDirectory(dir=self._folder, prefix="copy-") as scratch:
            copy = Path(scratch) / "keshi.db"
            await asyncio.to_thread(_copy, Path(str(self._database.engine.url.database)), copy)
            if not await asyncio.to_thread(change_one, copy, lessons):
                raise DomainError("lesson_not_sealed")
            made = await self._package(copy, request)
        return Download(f"改一条试试-{made.filename}", made.content_type, made.content)

    def declarations(self) -> Declarations:
        """What the demo serves, where the store is one file."""
        if not self._database.embedded:
            return Declarations()
        codes = (*UNSEEN, "lesson_not_sealed")
        return Declarations(
            routes=[Route("POST", "/api/v1/demo/tamper.zip", DESK, LedgerRequest, Download, self.try_it, codes=codes)]
        )


def _copy(file: Path, to: Path) -> None:
    """Also while others write (SQLite's online backup)."""
    with closing(sqlite3.connect(file)) as old, closing(sqlite3.connect(to)) as new:
        old.backup(new)


def change_one(file: Path, lessons: list[str]) -> bool:
    """Give somebody a whole minute that was not; or take one away where all are whole. False: there is none."""
    with closing(sqlite3.connect(file)) as store, store:
        for table in TABLES:
            for verb in ("update", "delete", "replace"):
                store.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")
        marks = ",".join("?" * len(lessons))
        minutes = store.execute(
            f"SELECT lesson_id, slot, records FROM minute_journal WHERE lesson_id IN ({marks}) "  # noqa: S608  marks
            "AND n_records > 0 ORDER BY slot",
            lessons,
        ).fetchall()
        known = [(lesson, slot, unpack(raw)) for lesson, slot, raw in minutes]
        places = [(*one, at) for one in known for at, each in enumerate(one[2]) if each.delivered_ms == MINUTE_MS]
        places.sort(key=lambda place: place[2][place[3]].credit_ms == MINUTE_MS)
        return any(_change(store, *place) for place in places)


def _change(store: sqlite3.Connection, lesson: str, slot: int, records: tuple[MinuteRecord, ...], at: int) -> bool:
    old = records[at]
    whole = old.credit_ms < MINUTE_MS
    new = _spent(old, MINUTE_MS if whole else 1000)
    entries = store.execute(
        "SELECT id, records FROM ledger_entry JOIN ledger_sealed ON entry_id = id WHERE group_id = ? AND slot = ?",
        (lesson, slot),
    )
    for number, raw in entries.fetchall():
        packed = split(raw)
        for place, one in enumerate(packed):
            if one[0] == MINUTE and one[SUBJECT].hex() == old.person_id:
                packed[place] = _rewritten(one, new)
                store.execute("UPDATE ledger_entry SET records = ? WHERE id = ?", (b"".join(packed), number))
                changed = (*records[:at], new, *records[at + 1 :])
                store.execute(
                    "UPDATE minute_journal SET records = ?, credit_ms_total = ? WHERE lesson_id = ? AND slot = ?",
                    (pack(changed), sum(each.credit_ms for each in changed), lesson, slot),
                )
                return True
    return False


def _spent(old: MinuteRecord, credit_ms: int) -> MinuteRecord:
    """So much in front, then away; all else as it was."""
    if old.summary is None:
        return MinuteRecord(old.person_id, ((0, credit_ms),), ())
    spells = ((CREDITED, credit_ms), (Reason.HIDDEN, MINUTE_MS))[: 1 if credit_ms == MINUTE_MS else 2]
    return told(old.person_id, write(replace(old.summary, spells=spells)))


def _rewritten(record: bytes, new: MinuteRecord) -> bytes:
    raw = bytearray(record)
    raw[CREDIT] = new.credit_ms.to_bytes(4, "big")
    raw[EVIDENCE] = hashlib.sha256(text_of(new)).digest()
    return bytes(raw)
