"""A lesson whose server is killed, stopped and starved again and again; the diary of what its pages were promised."""

import multiprocessing
import os
import random
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from server.attendance import records
from server.attendance.credit import LONGEST_GAP_MS
from server.attendance.intervals import Intervals, total, union
from server.attendance.minutes import MINUTE_MS
from server.core.database import Database
from tests.attendance.world import person_id
from tests.faults import driver

T0: Final = 29_900_000 * MINUTE_MS
PEOPLE: Final = 6
MOMENT_MS: Final = 5_000
FINISH_TRIES: Final = 3_000
#: a process that has loaded the program waits here to be forked: a life costs no start of Python
LIVES: Final = multiprocessing.get_context("forkserver")
LIVES.set_forkserver_preload(["pytest", "tests.faults.driver"])


class Life:
    """One process, from its start to its end; `at` says where it works and with what."""

    def __init__(self, at: dict[str, Any]) -> None:
        self.pipe: Connection
        self.pipe, theirs = LIVES.Pipe()
        self.process: BaseProcess = LIVES.Process(target=driver.run, args=(theirs,))
        self.process.start()
        self.pid = self.process.pid or 0
        theirs.close()
        self.pipe.send(at)

    def signal(self, number: signal.Signals) -> None:
        """To the process, if it still is."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def end(self) -> None:
        """Whatever became of it, it is gone."""
        self.signal(signal.SIGKILL)
        self.process.join()
        self.process.close()
        self.pipe.close()


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
    here: bool = False
    acked: Intervals = ()
    claimed: Intervals = ()

    def join(self, now: int) -> dict[str, Any]:
        return {"person": self.person, "page": self.page, "resume": self.resume, "mono": now - T0}

    def joined(self, now: int, epoch: int, resume: str, seq: int, nonce: str) -> None:
        if epoch != self.epoch:
            self.told_ms = now  # a new lease counts from now
        elif seq > self.seq and self.sent_ms is not None:
            self.told_ms = self.sent_ms  # it was heard, only the answer was lost
        self.epoch, self.resume, self.seq, self.nonce, self.sent_ms = epoch, resume, seq, nonce, None
        self.here = True

    def beat(self, now: int) -> dict[str, Any]:
        self.sent_ms = self.sent_ms or now
        self.claimed = union(self.claimed, ((self.told_ms, now),))
        spans = [(self.told_ms - T0, now - T0)]
        return {
            "person": self.person, "epoch": self.epoch, "seq": self.seq + 1, "nonce": self.nonce,
            "mono": now - T0, "spans": spans,
        }  # fmt: skip

    def heard(self, now: int, seq: int, nonce: str) -> None:
        if now - self.told_ms <= LONGEST_GAP_MS:
            self.acked = union(self.acked, ((self.told_ms, now),))
        self.seq, self.nonce, self.told_ms, self.sent_ms = seq, nonce, now, None


@dataclass
class Classroom:
    """The clients, the clock they share, and what the server said beside what it promised."""

    at: dict[str, Any]
    chance: random.Random
    now: int = T0
    acks: int = 0
    told: dict[str, Any] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    clients: dict[str, Client] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return Path(self.at["folder"])

    def begin(self, die_at: int | None = None) -> Life:
        """A new process, once it is ready. Raises EOFError when it died before."""
        seed = self.chance.randrange(1 << 30)
        life = Life({**self.at, "now": self.now, "open": T0, "seed": seed, "die_at": die_at})
        for one in self.all():
            one.here = False
        try:
            self.listen(life, "started")
        except BaseException:
            life.end()
            raise
        return life

    def all(self) -> list[Client]:
        for number in range(1, PEOPLE + 1):
            self.clients.setdefault(person_id(number), Client(person_id(number), f"page-{number:04}"))
        return list(self.clients.values())

    def moment(self, life: Life, ms: int | None = None, **more: Any) -> None:
        """Time goes on, and everybody says what they have to say. Raises EOFError when the process is gone."""
        self.now += self.chance.randint(1, 2 * MOMENT_MS) if ms is None else ms
        join = [one.join(self.now) for one in self.all() if not one.here]
        beats = [one.beat(self.now) for one in self.all() if one.here]
        self.tell(life, {"now": self.now, "join": join, "beats": beats, **more})

    def tell(self, life: Life, told: dict[str, Any]) -> None:
        """One moment; every answer that arrives is a promise. Raises EOFError when the process is gone."""
        try:
            life.pipe.send(told)
        except OSError as error:
            raise EOFError from error
        self.listen(life, "done")

    def listen(self, life: Life, last: str) -> None:
        while True:
            try:
                answer = life.pipe.recv()
            except OSError as error:
                raise EOFError from error
            if last in answer:
                self.told = answer
                return
            self.hear(answer)

    def hear(self, answer: dict[str, Any]) -> None:
        if joined := answer.get("joined"):
            self.clients[joined[0]].joined(self.now, *joined[1:])
        elif acked := answer.get("acked"):
            self.clients[acked[0]].heard(self.now, *acked[1:])
            self.acks += 1
        elif refused := answer.get("refused"):
            self.refusals[refused[1]] += 1
        else:
            self.failures[answer["failed"]] += 1

    def finish(self, life: Life) -> None:
        """The lesson ends; until all is sealed, and the log has all of it where a witness is to see it."""
        self.tell(life, {"now": self.now, "end": True})
        for _ in range(FINISH_TRIES):
            self.now += MOMENT_MS
            self.tell(life, {"now": self.now, "ask": True})
            if self.told["finished"] and (not self.at["witnesses"] or self.told["waiting"] == 0):
                return
            time.sleep(0.01)  # sealing needs real time, the ledger's clock does not
        raise AssertionError(f"the lesson was not sealed to its end: {self.told} {self.failures}")


def later(after_s: float, *steps: tuple[Any, float]) -> threading.Thread:
    """Calls with pauses behind them, beside whatever goes on here."""

    def work() -> None:
        time.sleep(after_s)
        for call, pause_s in steps:
            call()
            time.sleep(pause_s)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


async def sealed(url: str) -> tuple[list[int], dict[str, Intervals]]:
    """The slots in the journal, and what everybody has."""
    database = Database(url)
    async with database.read() as connection:
        minutes = await records.sealed_minutes(connection, driver.LESSON)
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
