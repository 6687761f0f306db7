"""Several processes over one store: who owns what, when one dies, freezes, comes back, or races with another."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from server.core.clock import ManualClock
from server.core.cluster.folders import folders, make_folder
from server.core.cluster.member import Heirs, Member
from server.core.cluster.owners import Errand
from server.core.cluster.records import OwnerRow, swap_owner
from server.core.cluster.relay import Relay
from server.core.cluster.rules import DEAD_MS, FIT_MS
from server.core.database import Database, sqlite_url
from server.core.errors import DomainError

LESSON, OTHER = "1e55000000000001", "1e55000000000002"
START_MS = 1_700_000_000_000


class Cluster:
    """Members over one store, their time moved by hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = Database(sqlite_url(path / "keshi.db"))
        self.clock = ManualClock(START_MS)
        self.members: list[Member] = []
        self.relays: list[Relay] = []
        self.revived: list[tuple[str, str]] = []
        self.lost: list[tuple[str, str]] = []
        self.gone: list[tuple[str, frozenset[str]]] = []
        self.needed: set[str] = set()
        self.left: dict[str, set[str]] = {}
        self.damaged: set[str] = set()

    async def member(self, shares: bool = True, nodes: str = "nodes") -> Member:
        relay = Relay(b"k" * 32)
        self.relays.append(relay)
        one = Member(self.database, self.clock, make_folder(self.path / nodes), relay, shares, boot=self.clock.ms)

        async def whose(_body: dict[str, Any]) -> str:
            return one.node

        relay.serve("whose", whose)
        one.heirs = Heirs(self._needs, self._left_in, self._reviver(one), self._loser(one), self._parter(one))
        address = await relay.start(one.folder.path / "sock", None)
        self.members.append(one)
        await one.enter(address)
        await asyncio.gather(*(each.round() for each in self.members if each is not one))
        return one

    async def pass_by(self, ms: int, *renewing: Member, watching: tuple[Member, ...] = ()) -> None:
        """Time goes on in seconds; who renews does so, who watches does so."""
        for _ in range(ms // 1_000):
            self.clock.advance(1_000)
            for one in renewing:
                await one.renew()
            for one in watching:
                await one.round()

    async def close(self) -> None:
        for relay in self.relays:
            await relay.close()
        await self.database.close()

    async def _needs(self) -> set[str]:
        return set(self.needed)

    async def _left_in(self, folder: Path) -> set[str]:
        if folder.name in self.damaged:
            raise DomainError("spool_damaged", file="1", line=1)
        return self.left.get(folder.name, set())

    def _reviver(self, one: Member) -> Callable[[str], Awaitable[None]]:
        async def revive(lesson_id: str) -> None:
            claim = await one.claim(lesson_id)
            if claim.taken:
                self.revived.append((one.node, lesson_id))
                await one.settled(lesson_id)

        return revive

    def _loser(self, one: Member) -> Callable[[str], None]:
        return lambda lesson_id: self.lost.append((one.node, lesson_id))

    def _parter(self, one: Member) -> Callable[[frozenset[str]], Awaitable[None]]:
        async def part(nodes: frozenset[str]) -> None:
            self.gone.append((one.node, nodes))

        return part


def run(path: Path, story: Callable[[Cluster], Awaitable[None]]) -> None:
    async def whole() -> None:
        cluster = Cluster(path)
        await cluster.database.migrate()
        try:
            await story(cluster)
        finally:
            await cluster.close()

    asyncio.run(whole())


async def refused(work: Awaitable[Any]) -> str:
    with pytest.raises(DomainError) as error:
        await work
    return error.value.code


async def whose(member: Member, lesson_id: str = LESSON) -> str:
    async def here() -> str:
        return member.node

    answer: str = await member.at_owner(lesson_id, here, Errand("whose", dict))
    return answer


async def fenced(member: Member, *lessons: str) -> frozenset[str]:
    async with member.database.write() as connection:
        return await member.fence(connection, lessons)


def kill(member: Member) -> None:
    """As the kernel does."""
    member.folder.close()


def test_a_lesson_belongs_to_the_first_who_claims_it_and_others_ask_there(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        a, b = await cluster.member(), await cluster.member()
        assert await whose(b) == b.node  # nobody's: who is asked may claim it
        claim = await a.claim(LESSON)
        assert (claim.epoch, claim.taken) == (1, False)
        assert await refused(b.claim(LESSON)) == "owner_changing"
        assert await whose(b) == await whose(a) == a.node
        assert await fenced(a, LESSON, OTHER) == {LESSON}
        assert await fenced(b, LESSON) == frozenset()
        assert a.check(LESSON) == 1
        with pytest.raises(DomainError):
            b.check(LESSON)

    run(tmp_path, story)


def test_of_two_who_claim_at_once_one_has_it(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        a, b = await cluster.member(), await cluster.member()
        claims = await asyncio.gather(a.claim(LESSON), b.claim(LESSON), return_exceptions=True)
        assert sorted(type(one).__name__ for one in claims) == ["Claim", "DomainError"]

    run(tmp_path, story)


def test_a_killed_process_is_inherited_from_in_the_next_round_and_then_buried(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        a, b = await cluster.member(), await cluster.member()
        await a.claim(LESSON)
        await a.claim(OTHER)
        cluster.needed, cluster.left[a.node] = {LESSON}, {OTHER}
        kill(a)
        await b.round()
        assert sorted(cluster.revived) == [(b.node, LESSON), (b.node, OTHER)]
        assert cluster.gone[-1] == (b.node, frozenset({a.node}))
        assert await whose(b) == b.node
        assert list(folders(tmp_path / "nodes")) == [b.node]
        await b.round()
        assert len(cluster.revived) == 2

    run(tmp_path, story)


def test_a_dead_process_s_folder_stays_until_its_lessons_are_safe_elsewhere(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        a, b = await cluster.member(), await cluster.member()
        await a.claim(LESSON)
        cluster.left[a.node] = {LESSON}
        assert b.heirs is not None

        async def half(lesson_id: str) -> None:
            await b.claim(lesson_id)  # and then the disk is full

        whole, b.heirs.revive = b.heirs.revive, half
        kill(a)
        await b.round()
        assert a.node in folders(tmp_path / "nodes")
        assert b.left() == [a.folder.path]
        again = await b.claim(LESSON)
        assert (again.taken, again.before) == (True, a.node)  # it is still to be inherited
        b.heirs.revive = whole
        await b.round()
        assert list(folders(tmp_path / "nodes")) == [b.node]

    run(tmp_path, story)


def test_who_inherits_and_dies_leaves_both_folders_to_the_third(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        a, b, c = await cluster.member(), await cluster.member(), await cluster.member()
        await a.claim(LESSON)
        cluster.left[a.node] = {LESSON}
        kill(a)
        await b.round()  # b looked and took it; then it dies before anything is settled
        async with cluster.database.write() as connection:
            taken = OwnerRow(LESSON, 2, b.node, True)
            assert await swap_owner(connection, taken, OwnerRow(LESSON, 2, b.node, False))
        cluster.left[b.node] = {LESSON}
        kill(b)
        assert c.heirs is not None
        whole, seen = c.heirs.revive, list[str]()

        async def and_see(lesson_id: str) -> None:
            seen.append((await c.claim(lesson_id)).before)
            await whole(lesson_id)

        c.heirs.revive = and_see
        await c.round()
        assert seen == [""]  # b had not settled: a's folder is needed as well
        assert cluster.revived[-1] == (c.node, LESSON)
        assert list(folders(tmp_path / "nodes")) == [c.node]

    run(tmp_path, story)


def test_a_frozen_process_no_longer_acts_then_is_inherited_from_and_changes_nothing_when_it_wakes(
    tmp_path: Path,
) -> None:
    async def story(cluster: Cluster) -> None:
        a, b = await cluster.member(), await cluster.member()
        await a.claim(LESSON)
        cluster.needed = {LESSON}
        await cluster.pass_by(FIT_MS - 1_000, b, watching=(b,))
        assert a.check(LESSON) == 1
        await cluster.pass_by(1_000, b, watching=(b,))
        with pytest.raises(DomainError, match="owner_changing"):
            a.check(LESSON)
        assert await refused(a.claim(OTHER)) == "owner_changing"
        assert cluster.revived == []
        await cluster.pass_by(DEAD_MS - FIT_MS, b, watching=(b,))
        assert cluster.revived == [(b.node, LESSON)]
        assert a.node in folders(tmp_path / "nodes")  # its lock is held: it may only be frozen
        assert await fenced(a, LESSON) == frozenset()
        await a.renew()
        assert cluster.lost == [(a.node, LESSON)]
        with pytest.raises(DomainError, match="owner_changing"):
            a.check(LESSON, 1)
        await a.round()
        await b.round()
        assert await whose(a) == await whose(b) == b.node

    run(tmp_path, story)


def test_a_process_that_wakes_just_before_the_claim_keeps_its_lesson(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        a, b = await cluster.member(), await cluster.member()
        await a.claim(LESSON)
        await cluster.pass_by(DEAD_MS + 1_000, b, watching=(b,))
        assert a.node not in b.living
        await a.renew()
        assert await refused(b.claim(LESSON)) == "owner_changing"
        assert a.check(LESSON) == 1
        await b.round()
        assert await whose(b) == a.node

    run(tmp_path, story)


def test_nobody_is_taken_for_dead_by_who_was_frozen_itself(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        a, b = await cluster.member(), await cluster.member()
        await a.claim(LESSON)
        cluster.needed = {LESSON}
        cluster.clock.advance(DEAD_MS * 2)  # the store was away, or the whole host was suspended
        await b.renew()
        await b.round()
        assert cluster.revived == []
        await a.renew()
        assert a.check(LESSON) == 1

    run(tmp_path, story)


def test_after_a_restart_of_all_what_was_running_is_inherited(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        a, b = await cluster.member(), await cluster.member()
        await a.claim(LESSON)
        await b.claim(OTHER)
        cluster.needed, cluster.left = {LESSON}, {b.node: {OTHER}}
        kill(a)
        kill(b)
        cluster.members = []
        c = await cluster.member()
        await c.round()
        assert sorted(cluster.revived) == [(c.node, LESSON), (c.node, OTHER)]

    run(tmp_path, story)


def test_who_asks_for_a_dead_process_s_lesson_need_not_wait_for_the_round(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        a, b = await cluster.member(), await cluster.member()
        await a.claim(LESSON)
        assert await whose(b) == a.node
        await a.relay.close()
        kill(a)
        asked = asyncio.ensure_future(whose(b))
        await asyncio.sleep(0.3)
        await b.round()
        assert await asked == b.node

    run(tmp_path, story)


@pytest.mark.parametrize(("first", "second"), [(False, False), (True, False), (False, True)])
def test_a_second_server_that_shares_nothing_refuses_to_start(tmp_path: Path, first: bool, second: bool) -> None:
    async def story(cluster: Cluster) -> None:
        a = await cluster.member(shares=first)
        assert await refused(cluster.member(shares=second)) == "second_server_refused"
        cluster.members[-1].folder.close()
        await a.claim(LESSON)
        assert await whose(a) == a.node
        kill(a)
        await (await cluster.member(shares=second)).round()

    run(tmp_path, story)


def test_a_second_server_with_another_data_folder_refuses_to_start(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        a = await cluster.member()
        starting = asyncio.ensure_future(refused(cluster.member(nodes="elsewhere")))
        while not starting.done():
            await a.renew()
            await asyncio.sleep(0.1)
        assert await starting == "second_server_refused"

    run(tmp_path, story)


def test_what_a_dead_process_kept_in_a_folder_that_is_not_here_is_named(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        a = await cluster.member(nodes="elsewhere")
        await a.claim(LESSON)
        await a.claim(OTHER)
        cluster.needed = {LESSON}
        b = await cluster.member()  # a's counter does not move
        with capture_logs() as logs:
            await cluster.pass_by(DEAD_MS + 1_000, b, watching=(b,))
        assert cluster.revived == [(b.node, LESSON)]
        said = [(one["lesson"], one["node"]) for one in logs if one["event"] == "records_out_of_reach"]
        assert said == [(LESSON, a.node)]

    run(tmp_path, story)


def test_a_damaged_folder_stays_and_keeps_nobody_from_the_others(tmp_path: Path) -> None:
    async def story(cluster: Cluster) -> None:
        a, b, c = await cluster.member(), await cluster.member(), await cluster.member()
        await a.claim(LESSON)
        await b.claim(OTHER)
        cluster.left = {a.node: {LESSON}, b.node: {OTHER}}
        cluster.damaged = {a.node}
        kill(a)
        kill(b)
        with capture_logs() as logs:
            await c.round()
        assert cluster.revived == [(c.node, OTHER)]
        assert "folder_not_read" in [one["event"] for one in logs]
        assert set(folders(tmp_path / "nodes")) == {a.node, c.node}

    run(tmp_path, story)
