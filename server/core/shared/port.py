"""Decides what processes ask of each other's memory: a handful of operations, none of which may lose evidence."""

from collections.abc import Awaitable, Callable
from typing import Protocol

Handler = Callable[[bytes], Awaitable[None]]
Unsubscribe = Callable[[], Awaitable[None]]


class Shared(Protocol):
    """Limits and messages. `dropped` counts messages that could not be sent or that a slow handler could not take.

    `gaps` counts how often we could send or hear again after we could not: what was said between is to be said anew.
    """

    @property
    def dropped(self) -> int: ...

    @property
    def gaps(self) -> int: ...

    async def take(self, key: str, limit: int, window_s: float) -> float:
        """Count a try: 0.0 when it is one of at most `limit` (≥ 1) in any `window_s`, else seconds until one is.

        A refused try is not counted. Without the shared store each process counts for itself.
        """
        ...

    async def clear(self, key: str) -> None:
        """Forget all tries of a key."""
        ...

    async def publish(self, channel: str, payload: bytes) -> None:
        """Tell all subscribers of all processes, this one included, at most once; raises nothing.

        Without the shared store nobody is told: `dropped` counts it and the log says so.
        """
        ...

    async def subscribe(self, channel: str, handler: Handler) -> Unsubscribe:
        """Have `handler` called with each payload, one after the other in the order sent; returns how to end it.

        What was published while the shared store was away never comes: what must not be missed stands in the database.
        """
        ...

    async def ping(self) -> str | None:
        """None when all processes are reached, else why not: for /readyz."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
