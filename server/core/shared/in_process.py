"""Decides nothing of its own: the shared port for a house of one process."""

from server.core.clock import Clock
from server.core.shared.counting import Counting
from server.core.shared.delivery import Delivery
from server.core.shared.port import Handler, Unsubscribe
from server.core.tasks import Tasks


class InProcess:
    """Limits and messages within this process."""

    def __init__(self, clock: Clock, tasks: Tasks) -> None:
        self._clock = clock
        self._counting = Counting()
        self._delivery = Delivery(tasks)

    @property
    def dropped(self) -> int:
        return self._delivery.dropped

    @property
    def gaps(self) -> int:
        return 0

    async def take(self, key: str, limit: int, window_s: float) -> float:
        return self._counting.take(key, limit, round(window_s * 1000), self._clock.ms()) / 1000

    async def clear(self, key: str) -> None:
        self._counting.clear(key)

    async def publish(self, channel: str, payload: bytes) -> None:
        self._delivery.deliver(channel, payload)

    async def subscribe(self, channel: str, handler: Handler) -> Unsubscribe:
        subscription = self._delivery.add(channel, handler)

        async def end() -> None:
            self._delivery.remove(subscription)

        return end

    async def ping(self) -> str | None:
        return None

    async def close(self) -> None:
        pass
