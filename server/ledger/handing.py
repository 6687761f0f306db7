"""Use-cases of a log that changes its keys, was put back, or goes on as its own successor."""

import hashlib

from server.core.database import Database
from server.ledger import records
from server.ledger.keys import LogKeys
from server.ledger.rules import MINUTE_MS, split
from server.verify.formats import OPENED, REFILLED, Kind, Record, read_leaf, read_record
from server.verify.handover import GROUP
from server.verify.notes import Checkpoint, check_log, read_checkpoint, read_note
from server.verify.tiles import CHECKPOINT, WIDTH, Fetch, file_of, leaves_of
from server.verify.tree import Frontier, Refused, leaf_hash

HEAD = "ledger:head"


async def tell(connection: records.Connection, keys: LogKeys, slot: int) -> None:
    """Say each handover that the log does not know yet, in the first minute that is sealed by the key to which it
    leads, and go on under that key's name.
    """
    said = await records.said_of(connection, GROUP.hex())
    known = {read_record(raw).evidence for entry in said for raw in split(entry.records)}
    new = []
    for number, (note, one) in enumerate(zip(keys.notes, keys.handovers, strict=True)):
        kind, mode = (Kind.SUCCESSOR, OPENED) if one.succeeds else (Kind.KEY_ROTATION, 0)
        evidence = hashlib.sha256(note.encode()).digest()
        if evidence not in known:
            new.append(Record(kind, slot, seq=number, mode=mode, evidence=evidence))
    await records.append(connection, slot, GROUP.hex(), new)
    await records.rename(connection, keys.key.name)


async def refill(database: Database, keys: LogKeys, fetch: Fetch, now_ms: int) -> int:
    """Bring back the leaves that a copy of the log has and the store lacks, and say so; how many.

    What was in them is not in a copy and stays lost. Raises Refused when the copy is damaged, not signed by this log,
    or does not continue what is stored.
    """
    text = file_of(fetch, CHECKPOINT).decode("utf-8", "replace")
    note = read_note(text)
    found = read_checkpoint(note.text)
    if found.origin not in {key.name for key in check_log(note, keys.keys)}:
        raise Refused("the copy is not signed by this log")
    async with database.write(HEAD) as connection:
        head = await records.read_head(connection)
        if head is None:
            first = read_leaf(leaves_of(fetch, 0, min(found.size, WIDTH))[0]).slot
            await records.begin(connection, keys.key.name, first)
            head = await records.read_head(connection)
        assert head is not None  # noqa: S101  there, or written above
        if found.size <= head.size:
            return 0
        new = leaves_of(fetch, head.size, found.size)
        frontier = Frontier(head.size, head.frontier.hashes)
        for at, raw in enumerate(new, start=head.size):
            if read_leaf(raw).slot != head.genesis + at:
                raise Refused(f"leaf {at} of the copy is of another minute")
            frontier.add(leaf_hash(raw))
        if frontier.root() != found.root:
            raise Refused("the copy does not continue what is stored")
        await records.refill(connection, head, new, frontier)
        await records.add_checkpoint(connection, found.size, text, now_ms)
        said = Record(
            Kind.SUCCESSOR,
            now_ms // MINUTE_MS,
            seq=head.size,
            mode=REFILLED,
            credit_ms=len(new),
            evidence=hashlib.sha256(text.encode()).digest(),
        )
        await records.append(connection, now_ms // MINUTE_MS, GROUP.hex(), [said])
    return len(new)


async def refilled(connection: records.Connection) -> list[range]:
    """The leaves that were brought back without what was in them, as the log itself says."""
    said = await records.said_of(connection, GROUP.hex())
    found = [read_record(raw) for entry in said for raw in split(entry.records)]
    brought = [one for one in found if (one.kind, one.mode) == (Kind.SUCCESSOR, REFILLED)]
    return [range(one.seq, one.seq + one.credit_ms) for one in brought]


async def continues(database: Database, seen: Checkpoint) -> bool:
    """Whether the store holds all that was seen."""
    async with database.read() as connection:
        head = await records.read_head(connection)
        if head is None or seen.size > head.size:
            return False
        frontier = Frontier()
        for begin in range(0, seen.size, WIDTH):
            for raw in await records.leaves(connection, begin, min(begin + WIDTH, seen.size)):
                frontier.add(leaf_hash(raw))
    return (frontier.size, frontier.root()) == (seen.size, seen.root)
