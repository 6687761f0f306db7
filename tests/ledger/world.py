"""A log with a clock that is moved by hand, over either store."""

from collections.abc import Iterable
from pathlib import Path

from server.core.clock import ManualClock
from server.core.database import Database
from server.core.signing import FileSigner
from server.ledger import records
from server.ledger.rules import MINUTE_MS
from server.ledger.service import Ledger
from server.ledger.tiles import TileFolder
from server.verify.formats import Kind, Leaf, Record, read_leaf
from server.verify.notes import Checkpoint, check_log, read_checkpoint, read_note

GENESIS = 29_800_000
LESSON, OTHER = "00000000000000aa", "00000000000000bb"


def minute(slot: int, number: int, credit_ms: int = 60_000) -> Record:
    """What attendance says of somebody's minute."""
    return Record(Kind.MINUTE, slot, subject=bytes([number]) * 8, resource=bytes.fromhex(LESSON), credit_ms=credit_ms)


class World:
    """One process's log; `again` is another process, or the same after a restart."""

    def __init__(self, database: Database, folder: Path, seed: bytes = bytes(32)) -> None:
        self.database = database
        self.clock = ManualClock(GENESIS * MINUTE_MS)
        self.folder = TileFolder(folder)
        self.signer = FileSigner(seed)
        self.ledger = self.again()

    def again(self) -> Ledger:
        return Ledger(self.database, self.clock, self.folder, self.signer)

    def to(self, slot: int, ms: int = 0) -> None:
        """So many ms after the end of a minute of the log, counted from its first."""
        self.clock.advance((GENESIS + slot + 1) * MINUTE_MS + ms - self.clock.ms())

    async def say(self, slot: int, said: Iterable[Record], group_id: str = LESSON) -> None:
        async with self.database.write() as connection:
            await records.append(connection, GENESIS + slot, group_id, said)

    async def leaves(self) -> list[Leaf]:
        async with self.database.read() as connection:
            return [read_leaf(raw) for raw in await records.leaves(connection, 0, 1 << 20)]

    def published(self) -> Checkpoint | None:
        """What anybody can read, once its signature was checked."""
        said = self.folder.said()
        if said is None:
            return None
        note = read_note(said)
        assert check_log(note, [self.ledger.key]) == [self.ledger.key]
        return read_checkpoint(note.text)
