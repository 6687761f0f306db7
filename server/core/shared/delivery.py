"""Decides how messages reach handlers: one queue each, so that order is kept and a slow one holds up nobody else."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

import structlog

from server.core.shared.port import Handler
from server.core.tasks import Tasks

#: messages that may wait for one handler; more are dropped, newest first, and counted
WAITING_MAXIMUM: Final = 10_000

log = structlog.get_logger("shared")


@dataclass(eq=False, slots=True)
class Subscription:
    """A handler and what waits for it."""

    channel: str
    handler: Handler
    waiting: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(WAITING_MAXIMUM))
    task: asyncio.Task[None] | None = None


class Delivery:
    """The subscriptions of this process."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._by_channel: dict[str, list[Subscription]] = {}
        self.dropped = 0

    @property
    def channels(self) -> list[str]:
        """Channels that anybody here listens to."""
        return list(self._by_channel)

    def add(self, channel: str, handler: Handler) -> Subscription:
        """Begin to deliver to a handler."""
        added = Subscription(channel, handler)
        added.task = self._tasks.spawn(f"shared {channel}", self._work(added))
        self._by_channel.setdefault(channel, []).append(added)
        return added

    def remove(self, subscription: Subscription) -> bool:
        """End it; what waits for it is forgotten. Whether nobody listens to its channel now."""
        here = self._by_channel.get(subscription.channel, [])
        if subscription in here:
            here.remove(subscription)
            if subscription.task:
                subscription.task.cancel()
        if here:
            return False
        return self._by_channel.pop(subscription.channel, None) is not None

    def deliver(self, channel: str, payload: bytes) -> None:
        """Hand a message to all handlers of its channel."""
        for subscription in self._by_channel.get(channel, ()):
            try:
                subscription.waiting.put_nowait(payload)
            except asyncio.QueueFull:
                self.dropped += 1
                if self.dropped % WAITING_MAXIMUM == 1:
                    log.error("handler_too_slow", channel=channel, dropped=self.dropped)

    async def _work(self, subscription: Subscription) -> None:
        while True:
            payload = await subscription.waiting.get()
            try:
                await subscription.handler(payload)
            except Exception as error:  # one bad message must not end the subscription
                log.error("handler_failed", channel=subscription.channel, error=type(error).__name__, exc_info=error)
