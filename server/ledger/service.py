"""Use-cases of the log: begin it, seal the minutes that are due, sign and publish what was sealed."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

import structlog

from server.core.clock import Clock
from server.core.database import Database
from server.core.errors import DomainError
from server.ledger import handing, records
from server.ledger.keys import LogKeys
from server.ledger.proofs import Proofs, prove
from server.ledger.records import Head, Overtaken
from server.ledger.rules import MINUTE_MS, Entry, Keys, Minute, by_slot, make_minute, newest_due, split, subject_of
from server.ledger.tiles import TileFolder
from server.ledger.witnesses import Contradicted, Witnesses
from server.verify.handover import GROUP
from server.verify.notes import Checkpoint, Key, Note, Signer, read_checkpoint, read_note, sign
from server.verify.tree import (
    Frontier,
    Refused,
    check_consistency,
    leaf_hash,
    prove_consistency,
    range_hash,
)

log = structlog.get_logger("ledger")

ROUND_S: Final = 1.0
#: so many minutes in one transaction
BATCH: Final = 256
#: of so many groups the keys are kept at hand, from one round to the next alone: some may have been destroyed since
GROUPS_KEPT: Final = 64
HEAD: Final = "ledger:head"
DAMAGED: Final = "ledger_damaged"
KEY_CHANGED: Final = "ledger_key_changed"


class Ledger:
    """The log of one house; with several processes each tries, and one of them succeeds."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        folder: TileFolder,
        signer: Signer,
        witnesses: Witnesses | None = None,
        handovers: Iterable[str] = (),
    ) -> None:
        self._database = database
        self._clock = clock
        self.files = folder
        self._signer = signer
        self.witnesses = witnesses or Witnesses((), clock)
        self.handed = LogKeys(signer, tuple(handovers))
        self.keys = self.handed.keys
        self._origin = self.key.name
        self._stands = False
        self._keys: dict[str, dict[str, bytes]] = {}
        self._keys_before: dict[str, dict[str, bytes]] = {}
        self._one_at_a_time = asyncio.Lock()
        self._trouble: str | None = None
        self._settled_slot = -1

    @property
    def key(self) -> Key:
        """By what its signatures are known."""
        return self.keys[-1]

    async def genesis(self) -> int:
        """The unix minute of leaf 0; 0 before the log began."""
        async with self._database.read() as connection:
            head = await records.read_head(connection)
        return head.genesis if head else 0

    async def problem(self) -> str | None:
        """None, or a stable word for what keeps the log from being published."""
        return self._trouble

    async def proofs(
        self, group_ids: Iterable[str], evidence: Mapping[bytes, bytes], partly: Iterable[str] = ()
    ) -> Proofs:
        """All of these groups, and of those named `partly` what is published, with what leads up to the signed root;
        `evidence` by its digest.

        Raises DomainError lesson_not_sealed before anything was published, and while something of the former is not.
        """
        behind = {hashlib.sha256(note.encode()).digest(): note.encode() for note in self.handed.notes}
        partial = [*partly, GROUP.hex()]  # a change of keys is shown once it is published, and needed only then
        return await prove(self._database, self.files, group_ids, {**evidence, **behind}, partial)

    async def vouch(self, group_id: str, text: str) -> str:
        """Sign a text about a group, once all that was said of it is published; it must be no checkpoint.

        Raises DomainError lesson_not_sealed while it is not, ValueError for a text that begins as a checkpoint does.
        """
        published = _read(self.files.said())
        if published is None:
            raise DomainError("lesson_not_sealed")
        async with self._database.read() as connection:
            if await records.is_waiting(connection, group_id, published.size):
                raise DomainError("lesson_not_sealed")
        return self.attest(text)

    @property
    def origin(self) -> str:
        """The log's name."""
        return self._origin

    def attest(self, text: str) -> str:
        """Sign a text at once. Raises ValueError for one that begins as a checkpoint does."""
        if text.startswith(f"{self._origin}\n"):
            raise ValueError("a text that could be taken for a checkpoint")
        return str(Note(text, (sign(text, self._origin, self._signer),)))

    async def round(self) -> None:
        """Seal what is due and publish what is sealed; a round that fails is tried again, nothing is dropped."""
        async with self._one_at_a_time:
            due = newest_due(self._clock.ms())
            if due <= self._settled_slot or not await self._is_newest():
                return
            self._keys_before, self._keys = self._keys, {}
            while await self._seal():
                pass
            self._keys_before.clear()
            if await self._publish():
                self._settled_slot = due

    async def _seal(self) -> bool:
        """Seal up to BATCH minutes; whether there may be more."""
        now = self._clock.ms()
        last = newest_due(now)
        async with self._database.read() as connection:
            known = await records.read_head(connection)
        if known is not None and known.genesis + known.size > last:
            return False
        try:
            async with self._database.write(HEAD) as connection:
                head = await self._standing(connection, await records.read_head(connection), now)
                first = head.genesis + head.size
                last = min(last, first + BATCH - 1)
                if last < first:
                    return False
                entries = await records.waiting(connection, last)
                minutes = await self._minutes(connection, head, by_slot(entries, first, last), now)
                frontier = Frontier(head.size, head.frontier.hashes)
                for minute in minutes:
                    frontier.add(leaf_hash(minute.leaf.pack()))
                await records.seal(connection, head, minutes, frontier)
        except BaseException as error:
            self._stands = False
            self._keys.clear()  # some may have been made in a transaction that is gone
            self._keys_before.clear()
            if isinstance(error, Overtaken):
                return True
            if isinstance(error, Refused):
                self._trouble = DAMAGED
            raise
        return True

    async def _standing(self, connection: records.Connection, head: Head | None, now_ms: int) -> Head:
        """The head, begun or under its present name, once the log was told of every handover of its keys.

        Raises DomainError ledger_key_changed: a key to which nobody handed this log does not continue it.
        """
        if head is None:
            await records.begin(connection, self._origin, now_ms // MINUTE_MS)
        elif head.origin not in {key.name for key in self.keys}:
            self._trouble = KEY_CHANGED
            raise DomainError(KEY_CHANGED, origin=head.origin)
        if not self._stands:
            first = head.genesis + head.size if head else now_ms // MINUTE_MS
            await handing.tell(connection, self.handed, first)
            self._stands = True
        found = await records.read_head(connection)
        assert found is not None  # noqa: S101  there, or written above
        return found

    async def _is_newest(self) -> bool:
        """Whether a store that was put back is the newest there is, as far as witnesses can tell; until then it seals
        nothing, so that the minutes that it lacks can still be brought back.
        """
        if not self.files.put_back:
            return True
        async with self._database.read() as connection:
            newest = await records.newest_checkpoint(connection)
        if newest is not None:
            note = read_note(newest)
            checkpoint = read_checkpoint(note.text)
            await self._lay_out(0, checkpoint.size)
            try:
                await self.witnesses.cosign(note, checkpoint, self.files.tree(checkpoint.size).node)
            except Contradicted as error:
                self._trouble = error.code
                raise DomainError(error.code, witness=error.witness) from error
            if self.witnesses.awaited:
                return False
        self.files.found_newest()
        return True

    async def _minutes(
        self, connection: records.Connection, head: Head, said: dict[int, list[Entry]], now_ms: int
    ) -> list[Minute]:
        minutes, schemes, offset = [], head.schemes, self._clock.offset_ms
        for slot, entries in said.items():
            keys = {one: await self._keys_for(connection, one, entries) for one in {each.group_id for each in entries}}
            minute = make_minute(slot, entries, keys, schemes, now_ms, offset)
            minutes.append(minute)
            schemes = minute.schemes
        return minutes

    async def _keys_for(self, connection: records.Connection, group_id: str, entries: Iterable[Entry]) -> Keys:
        if group_id not in self._keys:
            while len(self._keys) >= GROUPS_KEPT:
                del self._keys[next(iter(self._keys))]
            before = self._keys_before.get(group_id)
            self._keys[group_id] = await records.keys_of(connection, group_id) if before is None else before
        known = self._keys[group_id]
        subjects = {
            subject_of(record) for entry in entries if entry.group_id == group_id for record in split(entry.records)
        }
        if subjects - known.keys():  # another process may have made some
            known |= await records.keys_of(connection, group_id)
            known |= await records.make_keys(connection, group_id, subjects - known.keys())
        return known

    async def _publish(self) -> bool:
        """Tiles, the root a second way, consistency with what was signed before, then the signatures; whether it is
        done, and nobody is waited for.
        """
        async with self._database.read() as connection:
            head = await records.read_head(connection)
            newest = await records.newest_checkpoint(connection)
        if head is None or head.size == 0:
            return True
        signed = _read(newest)
        if signed is not None and signed.size == head.size and self.files.said() == newest:
            return True
        try:
            note = await self._sign(head, signed, newest)
        except Refused as error:
            self._trouble = DAMAGED
            raise DomainError(DAMAGED, reason=str(error)) from error
        except Contradicted as error:
            self._trouble = error.code
            raise DomainError(error.code, witness=error.witness) from error
        if note is not None:
            await asyncio.to_thread(self.files.say, note, self.handed.notes)
            self._trouble = None
        return note is not None

    async def _sign(self, head: Head, signed: Checkpoint | None, newest: str | None) -> str | None:
        """The note of the head, signed by us and by the witnesses; None while one of them is waited for.

        What we sign is shown to the witnesses before it is kept or published: what contradicts them stays unsaid.
        """
        published = _read(self.files.said())
        if published is not None and published.size > head.size:
            raise Refused(f"{published.size} leaves were published, the store has {head.size}")
        await self._lay_out(published.size if published else 0, head.size)
        node = self.files.tree(head.size).node
        root = await asyncio.to_thread(range_hash, node, 0, head.size)
        if root != head.frontier.root():
            raise Refused("the leaves do not lead to the root of the head")
        for before in (signed, published):
            if before is not None and before.size:
                proof = prove_consistency(node, before.size, head.size)
                check_consistency(before.size, head.size, proof, before.root, root)
        if signed is not None and signed.size == head.size and newest is not None:
            return newest
        said = Checkpoint(head.origin, head.size, root)
        own = Note(str(said), (sign(str(said), head.origin, self._signer),))
        seen = await self.witnesses.cosign(own, said, node)
        if self.witnesses.awaited:
            return None
        note = str(Note(own.text, (*own.signatures, *seen)))
        async with self._database.write(HEAD) as connection:
            latest = await records.newest_checkpoint(connection)
            other = _read(latest)
            if other is not None and other.size >= head.size and latest is not None:
                return latest
            await records.add_checkpoint(connection, head.size, note, self._clock.ms())
        return note

    async def _lay_out(self, old: int, size: int) -> None:
        """Write the tiles of the leaves old..size-1 out of the store; all of them when the earlier ones are lost."""
        while old < size:
            upto = min(size, old - old % BATCH + BATCH)
            async with self._database.read() as connection:
                raw = await records.leaves(connection, old, upto)
            if len(raw) != upto - old:
                raise Refused(f"leaves are missing between {old} and {upto}")
            await asyncio.to_thread(self.files.grow, old, raw)
            old = upto


def _read(note: str | None) -> Checkpoint | None:
    return read_checkpoint(read_note(note).text) if note is not None else None
