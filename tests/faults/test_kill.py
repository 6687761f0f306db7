"""The server is killed at random moments; in the end every acknowledged millisecond is sealed exactly once (I12)."""

import asyncio
import random
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from server.attendance import records
from server.attendance.intervals import Intervals, subtract, total, union
from server.attendance.minutes import MINUTE_MS
from server.core.database import Database, sqlite_url
from tests.attendance.world import make_template, person_id
from tests.faults.driver import LESSON
from tests.house.repo import ROOT

T0 = 29_900_000 * MINUTE_MS
PEOPLE = 6
MOMENT_MS = 5_000
MOMENTS_A_LIFE = 60
FINISH_TRIES = 3_000


@dataclass
class Client:
    """A trainee's page that logs what it was promised: `acked` are ledger milliseconds."""

    person: str
    page: str
    epoch: int = 0
    resume: str | None = None
    seq: int = 0
    nonce: str = ""
    told_ms: int = 0
    sent_ms: int | None = None
    acked: Intervals = ()
    claimed: Intervals = ()

    def join(self, now: int) -> dict[str, Any]:
        return {"person": self.person, "page": self.page, "resume": self.resume, "mono": now - T0}

    def joined(self, now: int, epoch: int, resume: str, seq: int, nonce: str) -> None:
        if epoch != self.epoch:
            self.told_ms = now  # a new lease counts from now
        elif seq > self.seq and self.sent_ms is not None:
            self.told_ms = self.sent_ms  # it was heard, only the answer was lost in the kill
        self.epoch, self.resume, self.seq, self.nonce, self.sent_ms = epoch, resume, seq, nonce, None

    def beat(self, now: int) -> dict[str, Any]:
        self.sent_ms = self.sent_ms or now
        self.claimed = union(self.claimed, ((self.told_ms, now),))
        spans = [(self.told_ms - T0, now - T0)]
        return {
            "person": self.person, "epoch": self.epoch, "seq": self.seq + 1, "nonce": self.nonce,
            "mono": now - T0, "spans": spans,
        }  # fmt: skip

    def heard(self, now: int, seq: int, nonce: str) -> None:
        self.acked = union(self.acked, ((self.told_ms, now),))
        self.seq, self.nonce, self.told_ms, self.sent_ms = seq, nonce, now, None


@dataclass
class Classroom:
    """The clients, the clock they share, and the server that is killed."""

    folder: Path
    chance: random.Random
    now: int = T0
    kills: int = 0
    acks: int = 0
    finished: bool = False
    refusals: list[Any] = field(default_factory=list)
    clients: dict[str, Client] = field(default_factory=dict)

    def live(self, kill_after_s: float | None, moments: int) -> None:
        """One life of the server; a timer kills it in the middle of whatever it does."""
        command = [sys.executable, "-m", "tests.faults.driver", str(self.folder)]
        server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with suppress(BrokenPipeError), server:  # closing its input fails as well
            timer: threading.Timer | None = None
            try:
                self.tell(server, {"now": self.now, "open": T0, "join": [one.join(self.now) for one in self.all()]})
                if kill_after_s is not None:
                    timer = threading.Timer(kill_after_s, server.kill)
                    timer.start()
                for _ in range(moments):
                    self.now += self.chance.randint(1, 2 * MOMENT_MS)
                    self.tell(server, {"now": self.now, "beats": [one.beat(self.now) for one in self.all()]})
                if kill_after_s is None:
                    self.finish(server)
            except (BrokenPipeError, EOFError):
                self.kills += 1
            finally:
                if timer is not None:
                    timer.cancel()
                server.kill()

    def all(self) -> list[Client]:
        for number in range(1, PEOPLE + 1):
            self.clients.setdefault(person_id(number), Client(person_id(number), f"page-{number:04}"))
        return list(self.clients.values())

    def tell(self, server: "subprocess.Popen[bytes]", told: dict[str, Any]) -> None:
        """One moment; every answer that arrives is a promise. Raises EOFError when the server is gone."""
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(orjson.dumps(told) + b"\n")
        server.stdin.flush()
        while True:
            line = server.stdout.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            answer = orjson.loads(line)
            if "done" in answer:
                self.finished = answer["finished"]
                return
            self.hear(answer)

    def hear(self, answer: dict[str, Any]) -> None:
        if joined := answer.get("joined"):
            self.clients[joined[0]].joined(self.now, *joined[1:])
        elif acked := answer.get("acked"):
            self.clients[acked[0]].heard(self.now, *acked[1:])
            self.acks += 1
        else:
            self.refusals.append(answer)

    def finish(self, server: "subprocess.Popen[bytes]") -> None:
        self.tell(server, {"now": self.now, "end": True})
        for _ in range(FINISH_TRIES):
            self.now += MOMENT_MS
            self.tell(server, {"now": self.now})
            if self.finished:
                return
            time.sleep(0.01)  # the sealer needs real time, the ledger's clock does not
        raise AssertionError("the lesson was not sealed to its end")


async def sealed(url: str) -> tuple[list[int], dict[str, Intervals]]:
    """The slots in the journal, and what everybody has."""
    database = Database(url)
    async with database.read() as connection:
        minutes = await records.sealed_minutes(connection, LESSON)
    await database.close()
    found: dict[str, Intervals] = {}
    for minute in minutes:
        for record in minute.records:
            spans = [(minute.slot * MINUTE_MS + a, minute.slot * MINUTE_MS + b) for a, b in record.credited]
            assert total(found.get(record.person_id, ())) + total(spans) == total(
                union(found.get(record.person_id, ()), spans)
            ), "a millisecond was sealed twice"
            found[record.person_id] = union(found.get(record.person_id, ()), spans)
    return [minute.slot for minute in minutes], found


def play(folder: Path, kills: int, seed: int) -> None:
    """Kill so often, then let the lesson end, and compare."""
    make_template(folder).rename(folder / "keshi.db")
    room = Classroom(folder, random.Random(seed))
    while room.kills < kills:
        room.live(room.chance.uniform(0.0, 0.4), MOMENTS_A_LIFE)
    room.live(None, 5)
    slots, found = asyncio.run(sealed(sqlite_url(folder / "keshi.db")))
    promised = sum(total(client.acked) for client in room.clients.values())
    credited = sum(map(total, found.values()))
    print(
        f"kills: {room.kills}, acknowledged beats: {room.acks}, acknowledged: {promised} ms, sealed: {credited} ms, "
        f"minutes: {len(slots)}, refused: {len(room.refusals)}"
    )
    assert room.refusals == []
    assert slots == list(range(slots[0], slots[0] + len(slots))), "a minute is missing or sealed twice"
    for client in room.clients.values():
        got = found.get(client.person, ())
        assert subtract(client.acked, got) == (), "acknowledged, but not sealed"
        assert subtract(got, client.claimed) == (), "sealed, but never said"
    assert room.acks > kills * PEOPLE


@pytest.mark.timeout(180)
def test_what_was_acknowledged_is_sealed_once_after_10_kills(tmp_path: Path) -> None:
    play(tmp_path, kills=10, seed=10)


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("seed", range(10))
def test_what_was_acknowledged_is_sealed_once_after_300_kills(tmp_path: Path, seed: int) -> None:
    play(tmp_path, kills=30, seed=seed)
