"""Decides how processes share limits and messages over Redis, and what each does alone while Redis is away.

Limits are counted by Redis' own clock, in one step. Keys are stored as keyed digests: what somebody typed to sign in
stands in no other store. Channels carry the number of the Redis database, which Redis itself does not keep apart.
"""

import asyncio
import hashlib
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from server.core.clock import Clock, elapsed_ms
from server.core.shared.counting import Counting
from server.core.shared.delivery import Delivery
from server.core.shared.port import Handler, Unsubscribe
from server.core.tasks import Tasks

#: nobody waits longer than this for Redis
TIMEOUT_S: Final = 1.0
#: after a failure nobody waits for Redis at all for so long
RETRY_S: Final = 1.0
#: a connection that was silent for so long is asked whether it lives, and given up when it stays silent as long again
SILENCE_S: Final = 5.0
CONNECTIONS: Final = 16
AWAY: Final = (RedisError, OSError, TimeoutError)

#: KEYS[1] the key; ARGV: limit, window in ms → 0, or ms to wait
TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local oldest = redis.call('LINDEX', KEYS[1], limit - 1)
if oldest then
  local wait = oldest + window - now
  if wait > 0 then return wait end
end
redis.call('LPUSH', KEYS[1], now)
redis.call('LTRIM', KEYS[1], 0, limit - 1)
redis.call('PEXPIRE', KEYS[1], window)
return 0
"""

log = structlog.get_logger("shared")


class OverRedis:
    """Limits and messages between all processes of one Redis. `secret` keys the digests of keys."""

    def __init__(self, url: str, secret: bytes, clock: Clock, tasks: Tasks) -> None:
        self._client: Redis = Redis.from_url(
            url,
            protocol=2,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            max_connections=CONNECTIONS,
            retry=Retry(NoBackoff(), 0),
        )
        kwargs: dict[str, Any] = self._client.get_connection_kwargs()  # type: ignore[no-untyped-call]
        self._prefix = f"keshi:{kwargs.get('db', 0)}:"
        self._take: Any = self._client.register_script(TAKE)
        self._secret, self._clock, self._tasks = secret, clock, tasks
        self._alone = Counting()
        self._delivery = Delivery(tasks)
        self._unsent = self._gaps = 0
        self._away_until_ms: float | None = None
        self._pubsub: PubSub | None = None
        self._confirmed: dict[str, asyncio.Event] = {}
        self._broken: set[str] = set()
        self._reader: asyncio.Task[None] | None = None

    @property
    def dropped(self) -> int:
        return self._unsent + self._delivery.dropped

    @property
    def gaps(self) -> int:
        return self._gaps

    async def take(self, key: str, limit: int, window_s: float) -> float:
        window_ms, stored = round(window_s * 1000), self._key(key)
        if limit < 1:
            raise ValueError("a limit lets at least one through")
        if not self._away():
            try:
                wait_ms = int(await self._take(keys=[stored], args=[limit, window_ms]))
            except AWAY as error:
                self._lost(error)
            else:
                self._found()
                return wait_ms / 1000
        return self._alone.take(stored, limit, window_ms, self._clock.ms()) / 1000

    async def clear(self, key: str) -> None:
        stored = self._key(key)
        self._alone.clear(stored)
        if self._away():
            return
        try:
            await self._client.delete(stored)
        except AWAY as error:
            self._lost(error)

    async def publish(self, channel: str, payload: bytes) -> None:
        if not self._away():
            try:
                await self._client.publish(self._prefix + channel, payload)
            except AWAY as error:
                self._lost(error)
            else:
                self._found()
                return
        self._unsent += 1

    async def subscribe(self, channel: str, handler: Handler) -> Unsubscribe:
        subscription = self._delivery.add(self._prefix + channel, handler)
        if self._reader is None:
            self._reader = self._tasks.spawn("shared.redis", self._read())
        confirmed = self._confirmed.setdefault(subscription.channel, asyncio.Event())
        try:
            async with asyncio.timeout(TIMEOUT_S):
                if self._pubsub is not None:
                    await self._pubsub.subscribe(subscription.channel)
                await confirmed.wait()
        except AWAY:  # the reader subscribes to all channels as soon as Redis is back
            log.warning("subscribed_later", channel=channel)

        async def end() -> None:
            if self._delivery.remove(subscription):
                self._confirmed.pop(subscription.channel, None)
                if self._pubsub is not None:
                    try:
                        await self._pubsub.unsubscribe(subscription.channel)
                    except AWAY as error:
                        self._lost(error)

        return end

    async def ping(self) -> str | None:
        try:
            await self._client.ping()
        except AWAY:
            return "redis_unreachable"
        self._found()
        return None

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait({self._reader})
        await self._client.aclose()

    async def _read(self) -> None:
        """Listen for ever; whatever breaks, begin anew with all channels."""
        this = asyncio.current_task()
        while this is None or not this.cancelling():  # a cancellation may be lost in a connection that breaks just then
            pubsub = self._client.pubsub()
            try:
                await pubsub.subscribe(f"{self._prefix}anybody")
                self._pubsub = pubsub  # from here on subscribe() sends for itself
                if channels := self._delivery.channels:
                    await pubsub.subscribe(*channels)
                await self._hear(pubsub)
            except AWAY as error:
                self._lost(error)
            finally:
                self._pubsub = None
                self._forget_confirmations()
                await pubsub.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(RETRY_S)

    async def _hear(self, pubsub: PubSub) -> None:
        silent = False
        while True:
            message = await pubsub.get_message(timeout=SILENCE_S)
            if message is None:
                if silent:
                    raise TimeoutError("Redis says nothing")
                silent = True
                await pubsub.ping()
                continue
            silent = False
            name = message["channel"].decode() if message["channel"] else ""
            if message["type"] == "message":
                self._delivery.deliver(name, message["data"])
            elif message["type"] == "subscribe":
                self._found()
                self._heard_again(name)

    def _heard_again(self, channel: str) -> None:
        """A channel is subscribed; not for the first time when its confirmation had been forgotten."""
        confirmed = self._confirmed.get(channel)
        if confirmed is None:
            confirmed = self._confirmed[channel] = asyncio.Event()
        elif channel in self._broken:
            self._broken.discard(channel)
            self._gaps += 1
        confirmed.set()

    def _forget_confirmations(self) -> None:
        for channel, confirmed in self._confirmed.items():
            if confirmed.is_set():
                self._broken.add(channel)
            confirmed.clear()

    def _key(self, key: str) -> str:
        return f"{self._prefix}take:{hashlib.blake2b(key.encode(), key=self._secret, digest_size=16).hexdigest()}"

    def _away(self) -> bool:
        return self._away_until_ms is not None and elapsed_ms() < self._away_until_ms

    def _lost(self, error: BaseException) -> None:
        if self._away_until_ms is None:
            log.error("redis_away", error=type(error).__name__)
        self._away_until_ms = elapsed_ms() + RETRY_S * 1000

    def _found(self) -> None:
        if self._away_until_ms is not None:
            self._away_until_ms = None
            self._gaps += 1
            log.warning("redis_back", messages_dropped=self._unsent)
