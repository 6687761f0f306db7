"""Decides which lessons this process owns beside others: rows claimed by compare-and-swap, renewed, watched, inherited.

The adapter `Owners` of a house with several processes. Safety rests on three things only: a process acts for a lesson
while its renewal is fresh and its epoch is in `_owned`; a claim from a dead process waits for, and is undone by, its
renewal; and every write checks the epoch in its own transaction.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog

from server.core.clock import Clock, boot_ms
from server.core.cluster import records
from server.core.cluster.folders import Folder, bury, folders, lives
from server.core.cluster.owners import Claim, Connection, Errand
from server.core.cluster.records import NodeRow, OwnerRow
from server.core.cluster.relay import Relay, Unreachable
from server.core.cluster.rules import Watch, connection_name, fit
from server.core.database import Database
from server.core.errors import DomainError

log = structlog.get_logger("cluster")

#: who asks for a lesson whose owner is being replaced waits so long, and then hears owner_changing
PATIENCE_MS: Final = 6_000
AGAIN_S: Final = 0.1
#: in this time a living process's counter has moved
JUDGED_S: Final = 4.0


@dataclass(slots=True)
class Heirs:
    """What is above us and has to do with a change of owners; `app` binds it.

    `needs`: lessons that somebody must own. `left_in`: lessons named in a dead process's folder. `revive`: load a
    lesson, claiming it. `lost`: another owns it now. `nodes_gone`: these are dead with all their connections.
    """

    needs: Callable[[], Awaitable[Iterable[str]]]
    left_in: Callable[[Path], Awaitable[Iterable[str]]]
    revive: Callable[[str], Awaitable[Any]]
    lost: Callable[[str], None]
    nodes_gone: Callable[[frozenset[str]], Awaitable[None]]


@dataclass(slots=True)
class Member:
    """One process of several."""

    database: Database
    clock: Clock
    folder: Folder
    relay: Relay
    shares: bool
    boot: Callable[[], int] = boot_ms
    heirs: Heirs | None = None
    living: dict[str, NodeRow] = field(default_factory=dict)
    _owned: dict[str, int] = field(default_factory=dict)
    _unsettled: dict[str, Claim] = field(default_factory=dict)
    _elsewhere: dict[str, str] = field(default_factory=dict)
    _watch: Watch = field(default_factory=Watch)
    _renewed_ms: int | None = None
    _dead: dict[str, NodeRow] = field(default_factory=dict)
    _row: NodeRow | None = None
    _gone: frozenset[str] = frozenset()
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def node(self) -> str:
        """Our id."""
        return self.folder.node

    async def enter(self, internal: str) -> None:
        """Be one of the processes. Raises DomainError second_server_refused when another one and we cannot be two."""
        now = self.clock.ms()
        self._row = NodeRow(self.node, now, 0, now, internal, self.shares)
        await self.renew()
        await self._look()
        before = self._unshared()
        if before.keys() - folders(self._nodes).keys():  # on other hosts only the counter tells who lives
            await asyncio.sleep(JUDGED_S)
            await self._look()
        after, here = self._unshared(), folders(self._nodes)
        still = after.keys() & before.keys()
        if living := {node for node in still if node in here or after[node].renewals != before[node].renewals}:
            await self.leave()
            apart = all(after[node].shares and self.shares for node in living)
            remedy = "server.data: one folder for all" if apart else "store.redis and media.mode: worker"
            raise DomainError("second_server_refused", remedy=f"{remedy}, for every server")

    def _unshared(self) -> dict[str, NodeRow]:
        """The living processes beside which we cannot be: one of us two shares nothing, or not its data folder.

        Of two that start at once both refuse.
        """
        here = folders(self._nodes)
        others = {node: row for node, row in self.living.items() if node != self.node}
        return {node: row for node, row in others.items() if not (row.shares and self.shares and node in here)}

    async def leave(self) -> None:
        """Be none of them any more; what we owned is for others to take as if we had been killed."""
        self._renewed_ms = None
        if not self._owned:
            async with self.database.write(f"node:{self.node}") as connection:
                await records.remove_node(connection, self.node)

    async def renew(self) -> None:
        """Count once more that we live, and drop what others took while we could not."""
        began_ms, held, row = self.boot(), dict(self._owned), self._row
        if row is None:
            return
        async with self.database.write(f"node:{self.node}") as connection:
            if not await records.renew(connection, self.node, self.clock.ms()):
                await records.add_node(connection, row)
            known = await records.owners(connection, held) if held else {}
        for lesson_id, epoch in held.items():
            owner = known.get(lesson_id)
            if owner is None or (owner.node_id, owner.epoch) != (self.node, epoch):
                self._lose(lesson_id, epoch)
        self._renewed_ms = began_ms

    async def round(self) -> None:
        """Look at the others, take over what the dead owned, bury those who have nothing left."""
        async with self._looking:
            await self._look()
            if self.heirs is not None:
                await self._inherit(self.heirs)
                await self._bury(self.heirs)

    def connection(self, sid: str) -> str:
        return connection_name(self.node, sid)

    async def claim(self, lesson_id: str) -> Claim:
        if lesson_id in self._owned:
            return self._unsettled.get(lesson_id) or Claim(self.check(lesson_id))
        if not self.fit:
            raise DomainError("owner_changing")
        async with self.database.read() as connection:
            seen = (await records.owners(connection, [lesson_id])).get(lesson_id)
        if seen is not None and seen.node_id in self.living and seen.node_id != self.node:
            self._elsewhere[lesson_id] = seen.node_id
            raise DomainError("owner_changing")
        row = OwnerRow(lesson_id, seen.epoch + 1 if seen else 1, self.node, seen is None)
        before = seen.node_id if seen is not None and seen.settled else ""
        claim = Claim(row.epoch, seen is not None, await self._swap(seen, row), before)
        self._elsewhere.pop(lesson_id, None)
        self._owned[lesson_id] = row.epoch
        if claim.taken:
            self._unsettled[lesson_id] = claim
        if seen is not None:
            await self._say_what_is_lost(seen)
        return claim

    async def settled(self, lesson_id: str) -> None:
        epoch = self.check(lesson_id)
        async with self.database.write(f"owner:{lesson_id}") as connection:
            seen = OwnerRow(lesson_id, epoch, self.node, False)
            if not await records.swap_owner(connection, seen, OwnerRow(lesson_id, epoch, self.node, True)):
                raise DomainError("owner_changing")
        self._unsettled.pop(lesson_id, None)

    def left(self) -> list[Path]:
        return [path for node, path in folders(self._nodes).items() if node != self.node and node not in self.living]

    def check(self, lesson_id: str, epoch: int | None = None) -> int:
        owned = self._owned.get(lesson_id)
        if owned is None or (epoch is not None and epoch != owned) or not self.fit:
            raise DomainError("owner_changing")
        return owned

    async def fence(self, connection: Connection, lessons: Collection[str]) -> frozenset[str]:
        rows = await records.locked_owners(connection, lessons)
        return frozenset(
            row.lesson_id
            for row in rows.values()
            if row.node_id == self.node and self._owned.get(row.lesson_id) == row.epoch
        )

    async def require(self, connection: Connection, lesson_id: str) -> None:
        if lesson_id not in await self.fence(connection, [lesson_id]):
            raise DomainError("owner_changing")

    async def at_owner(
        self, lesson_id: str, here: Callable[[], Awaitable[Any]], errand: Errand, load: bool = True
    ) -> Any:
        until_ms, refusal = self.boot() + PATIENCE_MS, Exception()
        while True:
            try:
                other = await self._other(lesson_id, load)
                if other is None:
                    return await here()
                return await self.relay.ask(other.internal, errand.verb, errand.body())
            except Unreachable as error:
                refusal = error
            except DomainError as error:
                if error.code != "owner_changing":
                    raise
                refusal = error
            self._elsewhere.pop(lesson_id, None)
            if self.boot() >= until_ms:
                raise DomainError("owner_changing") from refusal
            await asyncio.sleep(AGAIN_S)

    async def mine(self, lesson_id: str) -> None:
        """For what others ask of us: the lesson is ours and loaded. Raises DomainError owner_changing."""
        self.check(lesson_id)
        if self.heirs is not None:
            await self.heirs.revive(lesson_id)

    async def process(self, node: str) -> NodeRow | None:
        """A process that lives, also one that has only just begun; None for a dead one."""
        if node not in self.living and node not in self._gone and node not in self._dead:
            async with self._looking:
                await self._look()
        return self.living.get(node)

    async def tell_all(self, verb: str, body: dict[str, Any]) -> list[Any]:
        """Ask all other living processes; returns the answers of those that answered."""
        others = [row.internal for node, row in self.living.items() if node != self.node]
        answers = await asyncio.gather(*(self.relay.ask(one, verb, body) for one in others), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                log.warning("not_told", verb=verb, error=type(answer).__name__)
        return [answer for answer in answers if not isinstance(answer, BaseException)]

    async def _other(self, lesson_id: str, load: bool) -> NodeRow | None:
        """The living process that owns the lesson; None when it is ours, a dead one's (now ours), or nobody's."""
        if lesson_id not in self._owned:
            node = self._elsewhere.get(lesson_id) or await self._read_owner(lesson_id)
            if node is not None and node != self.node and node in self.living:
                self._elsewhere[lesson_id] = node
                return self.living[node]
            if node is None or (node not in self._dead and not load):
                return None
            load = True
        if self.heirs is not None and (load or lesson_id in self._unsettled):
            await self.heirs.revive(lesson_id)
        return None

    async def _read_owner(self, lesson_id: str) -> str | None:
        async with self.database.read() as connection:
            seen = (await records.owners(connection, [lesson_id])).get(lesson_id)
        return seen.node_id if seen else None

    async def _swap(self, seen: OwnerRow | None, row: OwnerRow) -> int:
        """Write the claim; returns when the one before us was last alive (0: nobody knows). Raises owner_changing."""
        try:
            async with self.database.write(f"owner:{row.lesson_id}") as connection:
                if seen is None:
                    await records.add_owner(connection, row)
                    return 0
                before = await records.locked_node(connection, seen.node_id)
                watched = self._dead.get(seen.node_id)
                if (
                    before is not None
                    and before.id != self.node
                    and (watched is None or before.renewals != watched.renewals)
                ):
                    raise DomainError("owner_changing")
                if not await records.swap_owner(connection, seen, row):
                    raise DomainError("owner_changing")
                return before.alive_ms if before is not None and seen.settled else 0
        except records.Taken as error:
            raise DomainError("owner_changing") from error

    async def _look(self) -> None:
        """Who lives: on this host by the lock, elsewhere by the counter that moves."""
        async with self.database.read() as connection:
            rows = {row.id: row for row in await records.nodes(connection)}
        still = self._watch.look({row.id: row.renewals for row in rows.values()}, self.boot())
        here = folders(self._nodes)
        dead = {
            row.id: row
            for row in rows.values()
            if row.id != self.node and (row.id in still or (row.id in here and not lives(here[row.id])))
        }
        gone = self.living.keys() - (rows.keys() - dead.keys())
        addresses = [self.living[node].internal for node in gone]
        self._dead, self.living = dead, {node: row for node, row in rows.items() if node not in dead}
        for address in addresses:
            await self.relay.forget(address)
        if gone:
            log.info("nodes_gone", nodes=sorted(gone))
            self._elsewhere = {lesson: at for lesson, at in self._elsewhere.items() if at not in gone}
        self._gone = (self._gone | gone) - self.living.keys()
        if self.heirs is not None and self._gone:  # again each time: what they began may arrive late
            await self.heirs.nodes_gone(self._gone)

    async def _inherit(self, heirs: Heirs) -> None:
        """Load every lesson of the dead that somebody needs; who else tries the same hears owner_changing."""
        wanted = set(await heirs.needs())
        for path in self.left():
            wanted.update(await self._left_in(heirs, path) or ())
        async with self.database.read() as connection:
            rows = await records.owners(connection, wanted) if wanted else {}
        orphans = [one for one in wanted if one not in rows or self._for_us(rows[one])]
        for lesson_id in sorted(orphans, key=lambda one: zlib.crc32(f"{self.node}{one}".encode())):
            try:
                await heirs.revive(lesson_id)
            except DomainError as error:
                if error.code != "owner_changing":
                    log.warning("lesson_not_revived", lesson=lesson_id, code=error.code)
            except Exception as error:
                log.exception("lesson_not_revived", lesson=lesson_id, error=type(error).__name__)

    async def _left_in(self, heirs: Heirs, path: Path) -> set[str] | None:
        """The lessons in a dead process's folder; None when it cannot be read, which keeps nobody from the others."""
        try:
            return set(await heirs.left_in(path))
        except DomainError as error:
            log.error("folder_not_read", node=path.name, code=error.code, **error.data)
            return None

    async def _say_what_is_lost(self, seen: OwnerRow) -> None:
        """A lesson that runs was a process's whose folder is not here: its minutes that are not sealed are there."""
        if seen.node_id == self.node or seen.node_id in folders(self._nodes) or self.heirs is None:
            return
        if seen.lesson_id in set(await self.heirs.needs()):
            log.error("records_out_of_reach", lesson=seen.lesson_id, node=seen.node_id)

    def _for_us(self, row: OwnerRow) -> bool:
        """Ours (perhaps not loaded yet), or no living process's."""
        return row.node_id == self.node or row.node_id not in self.living

    async def _bury(self, heirs: Heirs) -> None:
        """Remove the rows and folders of the dead whose lessons stand safely in the spools of others."""
        here = folders(self._nodes)
        needed = set(await heirs.needs())
        for node in {*self._dead, *(here.keys() - self.living.keys())}:
            left = await self._left_in(heirs, here[node]) if node in here else set()
            if left is None:
                continue
            async with self.database.read() as connection:
                theirs = set(await records.owned_by(connection, node))
                rows = await records.owners(connection, left) if left else {}
            safe = all(row.settled and row.node_id != node for row in rows.values())
            if not safe or left - rows.keys() or theirs & needed or (node in here and not bury(here[node])):
                continue
            async with self.database.write(f"node:{node}") as connection:
                await records.remove_node(connection, node)

    def _lose(self, lesson_id: str, epoch: int) -> None:
        if self._owned.get(lesson_id) != epoch:
            return
        del self._owned[lesson_id]
        self._unsettled.pop(lesson_id, None)
        log.warning("lesson_lost", lesson=lesson_id, epoch=epoch)
        if self.heirs is not None:
            self.heirs.lost(lesson_id)

    @property
    def fit(self) -> bool:
        """Whether our renewal is fresh enough to act."""
        return fit(self._renewed_ms, self.boot())

    @property
    def _nodes(self) -> Path:
        return self.folder.path.parent
