"""Decides who waits when more people sign in than passwords can be checked: one line, first come, first served.

A ticket is signed, says when its holder came, and is good for one check at one door. It was paid for (see `gate`), so
places cannot be hoarded; it carries everything, so that any process and a restarted one can take it. Whoever does not
ask again in time loses the place in front, not the ticket: asking again brings it back.
"""

import hmac
from bisect import bisect_left, insort
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import ceil
from typing import Final, Protocol

from server.accounts.codes import new_id
from server.accounts.ports import Counters
from server.core.clock import Clock
from server.core.errors import DomainError
from server.core.vault import Vault

PURPOSE: Final = "ticket"
TICKET_MS: Final = 10 * 60_000
TEXT_MAXIMUM: Final = 128
#: holders remembered; whoever comes behind them is told this place and remembered once the line is shorter
LINE_MAXIMUM: Final = 20_000
#: seconds until a page asks again: half of what it will probably take, so that the place it shows is lively
SOONEST_S: Final = 1
LATEST_S: Final = 10
GRACE_MS: Final = 3_000
SWEEP_MS: Final = 250


class Pace(Protocol):
    """How long one check takes, as measured lately."""

    @property
    def mean_ms(self) -> float: ...


@dataclass(frozen=True, slots=True, order=True)
class Ticket:
    """A place: whoever came earlier is in front. `fresh`: made for this very request, and shown to nobody yet."""

    issued_ms: int
    nonce: str
    door: str
    fresh: bool = False


class Line:
    """One process's line. `waiting_s`: who would be checked within this time does not wait in it."""

    def __init__(self, counters: Counters, clock: Clock, vault: Vault, pace: Pace, waiting_s: float) -> None:
        self._counters, self._clock, self._vault, self._pace = counters, clock, vault, pace
        self._waiting_ms = waiting_s * 1_000
        self._places: list[tuple[int, str]] = []
        self._due_ms: dict[tuple[int, str], int] = {}
        self._checking = 0
        self._swept_ms = 0

    def read(self, text: str, door: str) -> Ticket | None:
        """A ticket for this door that we gave out and that has not expired; None for anything else."""
        issued, _, rest = text.partition(".")
        nonce, _, signature = rest.partition(".")
        expected = self._signature(f"{issued}.{nonce}", door)
        if len(text) > TEXT_MAXIMUM or not hmac.compare_digest(expected.encode(), signature.encode()):
            return None
        ticket = Ticket(int(issued), nonce, door)
        return ticket if self._clock.ms() < ticket.issued_ms + TICKET_MS else None

    def new(self, door: str) -> Ticket:
        """A place behind everybody."""
        return Ticket(self._clock.ms(), new_id(), door, fresh=True)

    @asynccontextmanager
    async def turn(self, ticket: Ticket) -> AsyncIterator[None]:
        """It is this ticket's turn while the block runs, once.

        Raises DomainError waiting (data: place, ticket, retry_after_s), too_many_tries for a ticket used before.
        """
        self._wait_or_go(ticket)
        try:
            # a fresh ticket was shown to nobody: it cannot come twice
            if not ticket.fresh and await self._counters.take(f"ticket:{ticket.nonce}", 1, TICKET_MS / 1_000) > 0:
                raise DomainError("too_many_tries", retry_after_s=SOONEST_S)
            yield
        finally:
            self._checking -= 1

    def _wait_or_go(self, ticket: Ticket) -> None:
        self._sweep()
        place = (ticket.issued_ms, ticket.nonce)
        ahead = bisect_left(self._places, place) + self._checking
        if ahead < max(1, int(self._waiting_ms / self._pace.mean_ms)):
            self._leave(place)
            self._checking += 1
            return
        retry_s = min(LATEST_S, max(SOONEST_S, ceil(ahead * self._pace.mean_ms / 2_000)))
        if place not in self._due_ms and len(self._places) < LINE_MAXIMUM:
            insort(self._places, place)
        if place in self._due_ms or len(self._due_ms) < LINE_MAXIMUM:
            self._due_ms[place] = self._clock.ms() + retry_s * 1_000 + GRACE_MS
        text = f"{ticket.issued_ms}.{ticket.nonce}"
        signed = f"{text}.{self._signature(text, ticket.door)}"
        raise DomainError("waiting", place=ahead, ticket=signed, retry_after_s=retry_s)

    def _leave(self, place: tuple[int, str]) -> None:
        if self._due_ms.pop(place, None) is not None:
            del self._places[bisect_left(self._places, place)]

    def _sweep(self) -> None:
        """Nobody stands behind those who went away."""
        now_ms = self._clock.ms()
        if now_ms < self._swept_ms + SWEEP_MS:
            return
        self._swept_ms = now_ms
        self._due_ms = {place: due_ms for place, due_ms in self._due_ms.items() if now_ms <= due_ms}
        self._places = sorted(self._due_ms)

    def _signature(self, text: str, door: str) -> str:
        return self._vault.digest(PURPOSE, f"{text} {door}")
