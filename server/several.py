"""Decides how a house is one of several: what its parts are asked by other processes, and what they must hear of them.

`app` builds one `Several` when the store is PostgreSQL. With SQLite there is none, and nothing of this is there.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from server.accounts.service import Accounts
from server.attendance import Presence
from server.attendance.service import LEASE_YIELD, Entry
from server.attendance.views import FRESH
from server.core.clock import Clock
from server.core.cluster.folders import SOCKET, bury, make_folder
from server.core.cluster.member import Heirs, Member
from server.core.cluster.relay import Relay
from server.core.cluster.rules import RENEW_S, ROUND_S
from server.core.database import Database
from server.core.errors import DomainError
from server.core.shared import Shared
from server.core.tasks import Tasks
from server.core.vault import Vault
from server.core.wire.errands import TIDY_S, ClusterFanOut, Errands, actor_of
from server.core.wire.socket import Sockets
from server.live.service import Live

NODES: Final = "nodes"
RELAY_KEY: Final = "cluster.relay"
ANNOUNCE: Final = "live.announce"
#: how often we look whether the shared store was away
SHARED_S: Final = 2.0


def be_one_of_several(database: Database, clock: Clock, vault: Vault, data: Path, shares: bool) -> Member:
    """This process, with a folder of its own under `data`; nobody knows of it before `Several.start`."""
    return Member(database, clock, make_folder(data / NODES), Relay(vault.key(RELAY_KEY)), shares)


@asynccontextmanager
async def alone(database: Database, clock: Clock, vault: Vault, data: Path) -> AsyncIterator[None]:
    """No server of this PostgreSQL runs while the block does, and none starts. Raises DomainError servers_running.

    With SQLite the lock on the data folder says so already.
    """
    if database.embedded:
        yield
        return
    member, tasks = be_one_of_several(database, clock, vault, data, shares=False), Tasks()
    try:
        await _enter_alone(member)
        tasks.every("cluster.renew", RENEW_S, member.renew)
        yield
    finally:
        await tasks.close()
        await member.leave()
        member.folder.close()
        bury(member.folder.path)


async def _enter_alone(member: Member) -> None:
    try:
        await member.enter("")
    except DomainError as error:
        raise DomainError("servers_running") from error


@dataclass(slots=True)
class Several:
    """A house's parts and the other processes."""

    member: Member
    shared: Shared
    fan_out: ClusterFanOut
    internal: str | None
    presence: Presence
    lessons: Live
    gaps: int = 0

    def bind(self, sockets: Sockets, people: Accounts) -> None:
        """Tell each part what it must know of the others; once, before the start."""
        attendance, lessons, member = self.presence.attendance, self.lessons, self.member
        errands = Errands(
            sockets,
            member,
            gone=(attendance.gone, lessons.gone),
            signed_out=(attendance.session_ended, sockets.cut, lessons.signed_out),
        )
        lessons.attached = errands.attached
        sockets.when_gone(errands.tell_gone)
        people.on_session_end.append(errands.tell_signed_out)
        member.relay.serve(LEASE_YIELD, self._give_way)
        member.relay.serve(FRESH, self._fresh)
        member.relay.serve(ANNOUNCE, self._announce)
        member.heirs = Heirs(
            needs=lessons.needed,
            left_in=attendance.register.left_in,
            revive=lessons.running,
            lost=self._lost,
            nodes_gone=self._nodes_gone,
        )

    async def start(self, tasks: Tasks) -> None:
        """Be one of the processes, and take over what the dead have left. Raises second_server_refused, port_in_use."""
        member = self.member
        address = await member.relay.start(member.folder.path / SOCKET, self.internal)
        await member.enter(address)
        tasks.every("cluster.renew", RENEW_S, member.renew)
        await member.round()
        tasks.every("cluster.round", ROUND_S, member.round)
        tasks.every("cluster.shared", SHARED_S, self._again)
        tasks.every("cluster.channels", TIDY_S, self.fan_out.tidy)

    async def stop(self) -> None:
        """Let go: others take over what we had."""
        await self.member.leave()
        await self.member.relay.close()

    async def problem(self) -> str | None:
        """For /readyz: what keeps this process from acting for lessons."""
        return None if self.member.fit else "not_renewed"

    async def _give_way(self, body: dict[str, Any]) -> str:
        await self.member.mine(body["lesson_id"])
        told = body["entry"]
        entry = Entry(**{**told, "actor": actor_of(told["actor"])})
        return await self.presence.attendance.give_way(entry)

    async def _fresh(self, body: dict[str, Any]) -> dict[str, Any]:
        await self.member.mine(body["lesson_id"])
        return self.presence.views.fresh_here(body["lesson_id"]).told()

    async def _announce(self, _body: dict[str, Any]) -> None:
        await self.lessons.announce_all()

    def _lost(self, lesson_id: str) -> None:
        self.presence.attendance.register.lose(lesson_id)
        self.lessons.lose(lesson_id)

    async def _nodes_gone(self, nodes: frozenset[str]) -> None:
        await self.presence.attendance.nodes_gone(nodes)
        await self.lessons.nodes_gone(nodes)

    async def _again(self) -> None:
        """What was sent to groups while the shared store was away is lost: all phases are said again, and pages ask.

        Ours to the others once we can speak, theirs to us once we can hear: they do not know when that is.
        """
        gaps = self.shared.gaps
        if gaps != self.gaps:
            await self.lessons.announce_all()
            await self.member.tell_all(ANNOUNCE, {})
            self.fan_out.missed()
            self.gaps = gaps
