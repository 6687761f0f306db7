"""Decides how a page attends a lesson, without a browser: signs in over HTTP, joins and beats over Socket.IO.

It keeps what it has not been acknowledged and comes back with it, as the pages in `web` do. The demo's actors use it,
and so do the tests.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import socketio

from server.demo.talk import Talk

BEAT_S: Final = 10.0
ANSWER_S: Final = 10.0

Mono = Callable[[], float]
Answer = dict[str, Any]


class Refused(Exception):
    """The server's refusal: its stable code and data."""

    def __init__(self, code: str, data: dict[str, Any]) -> None:
        super().__init__(code, data)
        self.code, self.data = code, data


@dataclass
class Login:
    """A signed-in browser. Close it with `close`."""

    url: str
    http: aiohttp.ClientSession
    me: Answer = field(default_factory=dict)

    async def post(self, path: str, body: Answer | None = None) -> Answer:
        """POST JSON. Raises Refused."""
        async with self.http.post(f"{self.url}{path}", json=body or {}) as response:
            return await answered(response)

    async def get(self, path: str) -> Answer:
        """GET JSON. Raises Refused."""
        async with self.http.get(f"{self.url}{path}") as response:
            return await answered(response)

    async def close(self) -> None:
        """Forget the cookies and close the connections; the login itself goes on until it expires."""
        await self.http.close()


async def answered(response: aiohttp.ClientResponse) -> Answer:
    """What was said. Raises Refused."""
    body: Answer = await response.json()
    if response.status >= 400:
        raise Refused(body["code"], body["data"])
    return body


def browser(url: str) -> Login:
    """A browser that nobody has signed in with yet; `url` without a slash at its end."""
    jar = aiohttp.CookieJar(unsafe=True)  # cookies also for an address without a name
    return Login(url, aiohttp.ClientSession(cookie_jar=jar, headers={"Origin": url}))


async def sign_in(url: str, login: str, password: str) -> Login:
    """Sign in; in a crowd, wait in line as the pages do. Raises Refused."""
    opened = browser(url)
    said = {"login": login, "password": password}
    try:
        while not opened.me:
            try:
                opened.me = await opened.post("/api/v1/login", said)
            except Refused as refused:
                if refused.code != "waiting":
                    raise
                said["ticket"] = refused.data["ticket"]
                await asyncio.sleep(refused.data["retry_after_s"])
    except BaseException:
        await opened.close()
        raise
    return opened


class Socket:
    """One Socket.IO connection of a signed-in browser. `pushed` holds what the server sent by itself, in order."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self._client = socketio.AsyncClient(reconnection=False, http_session=login.http, handle_sigint=False)
        self.pushed: list[tuple[str, Answer]] = []
        self.lost = asyncio.Event()
        self._client.on("*", self._push)
        self._client.on("lease:probe", _alive)
        self._client.on("disconnect", self._gone)

    async def open(self) -> None:
        """Connect. Raises socketio's ConnectionError when refused."""
        await self._client.connect(self.login.url, headers={"Origin": self.login.url}, transports=["websocket"])

    async def call(self, event: str, **fields: Any) -> Answer:
        """Send an event and wait for its answer. Raises Refused, and socketio's errors without an answer."""
        answer: Answer = await self._client.call(event, fields, timeout=ANSWER_S)
        if not answer["ok"]:
            raise Refused(answer["code"], answer["data"])
        return answer

    async def close(self) -> None:
        """Disconnect."""
        await self._client.disconnect()
        await self._client.eio.wait()

    async def _push(self, event: str, payload: Answer | None = None) -> None:
        self.pushed.append((event, payload or {}))

    async def _gone(self, *_reason: object) -> None:
        self.lost.set()


async def _alive(*_nothing: object) -> bool:
    return True


class Page:
    """One load of a trainee's page. `mono` is its own clock in milliseconds, which starts anywhere."""

    def __init__(self, login: Login, lesson_id: str, device: str, mono: Mono) -> None:
        self.login, self.lesson_id, self._device, self._mono = login, lesson_id, device, mono
        self._page = secrets.token_hex(8)
        self._resume: str | None = None
        self._epoch = 0
        self._seq = 0
        self._nonce = ""
        self._flight: tuple[int, float] | None = None
        self._since: float | None = None
        self._spans: list[tuple[float, float]] = []
        self._beating = asyncio.Lock()
        self.socket: Socket | None = None
        #: what its lesson's activities are, as this connection was told
        self.talk: Talk | None = None
        #: the last beat that was sent, as it was sent
        self.sent: Answer = {}
        self.credit_ms = 0

    async def join(self, password: str | None = None) -> Answer:
        """Connect and enter the lesson, in front; the same page may come back so. Raises Refused."""
        self.socket = Socket(self.login)
        await self.socket.open()
        if not self._resume:
            self.show()  # before the server grants anything: no millisecond is lost while it answers
        fields = {"device": self._device, "page": self._page, "resume": self._resume, "password": password}
        joined = await self.socket.call("lesson:join", lesson_id=self.lesson_id, mono=self._mono(), **fields)
        lease = joined["lease"]
        if self._flight and lease["seq"] >= self._flight[0]:
            self._forget(self._flight[1])
        self._flight = None
        self._epoch, self._seq, self._nonce = lease["epoch"], lease["seq"], lease["nonce"]
        self._resume = lease["resume"]
        self.talk = Talk(self.socket, self.lesson_id, self.login.me)
        return joined

    def show(self) -> None:
        """The page comes to the front."""
        self._since = self._mono() if self._since is None else self._since

    def hide(self) -> None:
        """The page goes to the background."""
        if self._since is not None:
            self._spans.append((self._since, self._mono()))
            self._since = None

    async def beat(self) -> Answer:
        """Tell where the page was since the last acknowledged beat. Raises Refused."""
        async with self._beating:
            now = self._mono()
            spans = [*self._spans, *([(self._since, now)] if self._since is not None else [])]
            self.sent = {
                "lesson_id": self.lesson_id,
                "epoch": self._epoch,
                "seq": self._seq + 1,
                "nonce": self._nonce,
                "mono": now,
                "spans": spans,
            }
            self._flight = (self._seq + 1, now)
            answer = await self._open_socket().call("beat", **self.sent)
            self._flight = None
            self._seq, self._nonce, self.credit_ms = answer["seq"], answer["nonce"], answer["credit_ms"]
            self._forget(now)
            return answer

    async def say(self, beat: Answer) -> Answer:
        """Send a beat as it is given: an old one again, or a forged one. Raises Refused."""
        return await self._open_socket().call("beat", **beat)

    async def drop(self) -> None:
        """The connection is gone; the page is still there."""
        if self.socket is not None:
            await self.socket.close()
            self.socket = None

    async def leave(self) -> None:
        """The page is closed on purpose."""
        if self.socket is not None:
            await self.socket.call("lesson:leave", lesson_id=self.lesson_id, epoch=self._epoch)
            await self.drop()

    def _open_socket(self) -> Socket:
        if self.socket is None:
            raise RuntimeError("the page is not connected")
        return self.socket

    def _forget(self, until: float) -> None:
        """Everything up to `until` is acknowledged."""
        self._spans = [(max(start, until), end) for start, end in self._spans if end > until]
        if self._since is not None:
            self._since = max(self._since, until)
