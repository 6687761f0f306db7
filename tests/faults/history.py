"""All that anybody ever saw of a log, held against what it is at the end: one history, and that of the journal."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from server.attendance.audit import differences
from server.core.clock import ManualClock
from server.core.database import Database
from server.core.signing import FileSigner
from server.ledger import records
from server.ledger.audit import audit
from server.ledger.service import Ledger
from server.ledger.tiles import TileFolder
from server.verify.notes import Key, check_witnesses, read_checkpoint, read_note
from server.verify.tree import range_hash
from server.witness.api import witnessing
from server.witness.memory import Memory
from server.witness.service import Witness
from tests.faults.classroom import Classroom
from tests.faults.driver import SEED


@dataclass
class Seen:
    """The notes that were published while it went on; `witness` is the key of who cosigned them."""

    files: TileFolder
    witness: Key
    notes: set[str] = field(default_factory=set)

    def look(self) -> None:
        """As anybody who reads the log now and then."""
        if note := self.files.said():
            self.notes.add(note)


def own_key(url: str, room: Classroom) -> Key:
    """By what the log's signatures are known."""
    return Ledger(Database(url), ManualClock(room.now), TileFolder(room.folder), FileSigner(SEED)).key


@contextmanager
def witnessed(room: Classroom, folder: Path) -> Iterator[Seen]:
    """A witness of its own in a thread of its own, which outlives every server; the room's servers know it."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    key = own_key(room.at["store"], room)
    own = Witness("county", FileSigner(b"county".ljust(32, b".")), [key], Memory(folder), lambda: room.now // 1000)
    serving = witnessing(own, "127.0.0.1", 0)
    url = asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result()
    room.at["witnesses"] = [(url, str(own.key))]
    try:
        yield Seen(TileFolder(room.folder / "log"), own.key)
    finally:
        asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def check_history(room: Classroom, seen: Seen) -> tuple[int, int]:
    """All of it is one history; returns how many checkpoints there were, and how many leaves."""
    key, database = own_key(room.at["store"], room), Database(room.at["store"])
    try:
        async with database.read() as connection:
            kept = {note async for _, note in records.checkpoints(connection)}
            head = await records.read_head(connection)
        assert head is not None
        assert [fault async for fault in audit(database, seen.files, [key])] == []
        assert [one async for one in differences(database)] == []
    finally:
        await database.close()
    node, roots = seen.files.tree(head.size).node, dict[int, bytes]()
    for text in seen.notes | kept:
        note = read_note(text)
        checkpoint = read_checkpoint(note.text)
        assert roots.setdefault(checkpoint.size, checkpoint.root) == checkpoint.root, "two roots of one size"
        assert range_hash(node, 0, checkpoint.size) == checkpoint.root, "a checkpoint of another history"
        assert check_witnesses(note, [seen.witness]), "published, and not shown to the witness before"
    return len(roots), head.size
