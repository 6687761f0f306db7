"""Several real servers over one PostgreSQL, one Redis and one media worker, and people who speak to one of them."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import socketio
import yaml
from yarl import URL

from server.app import build, open_store
from server.core.clock import ManualClock, SystemClock
from server.settings import Config
from tests.network.proxy import nginx
from tests.school import PASSWORD, School, fill, plan
from tests.servers import free_port

FRONT = """
upstream keshi {{ {upstream} }}
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass http://keshi;
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection "upgrade";
        proxy_read_timeout 60s;
    }}
}}
"""
ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0
STOP_S = 15.0
#: between two beats of a page here; a real page takes ten seconds
BEAT_S = 0.5
#: a page that loses its socket says again at once what was not acknowledged; this client only waits
ACK_S = 8.0
#: behind a proxy a frozen server takes connections and says nothing
CONNECT_S = 5.0
#: a server that is dead or frozen says no goodbye
CLOSE_S = 2.0
LOST_S = 0.5


def restart_s() -> float:
    """After how long the service manager starts the worker again, by the unit that we install."""
    unit = (ROOT / "deploy" / "systemd" / "keshi-media.service").read_text()
    assert "\nRestart=always\n" in unit
    found = re.search(r"^RestartSec=(\d+)ms$", unit, re.MULTILINE)
    assert found
    return int(found[1]) / 1000


@dataclass
class Server:
    """One server process."""

    settings: Path
    log: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def spawn(self, *command: str) -> "subprocess.Popen[bytes]":
        whole = [sys.executable, "-m", "server", *command, "--config", str(self.settings)]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(whole, cwd=ROOT, stdout=out, stderr=out, start_new_session=True)
        return self.process

    def start(self) -> None:
        """Start it and wait until it answers."""
        before = len(self.printed())
        self.wait_for(self.spawn("serve", "--port", str(self.port)), "ready ", before)

    def wait_for(self, process: "subprocess.Popen[bytes]", word: str, before: int) -> None:
        until = time.monotonic() + START_S
        while word not in self.printed()[before:]:
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"not started, {process.poll()}: {self.printed()[before:]}")
            time.sleep(0.05)

    def printed(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def files(self) -> set[str]:
        """What the process has open."""
        if self.process is None or self.process.poll() is not None:
            return set()
        links = Path(f"/proc/{self.process.pid}/fd").iterdir()
        return {str(link.readlink()) for link in links if link.is_symlink()}

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait(STOP_S)


class Town:
    """The servers and their one school."""

    def __init__(self, folder: Path, database: str, redis: str | None, media: str = "worker") -> None:
        self.folder = folder
        self.public = f"http://127.0.0.1:{free_port()}"
        self.settings = folder / "config.yaml"
        self.values: dict[str, dict[str, Any]] = {
            "server": {"data": str(folder / "d"), "public_url": self.public},
            "store": {"database": database, "redis": redis},
            "media": {"mode": media, "udp_port": 0},
        }
        self.settings.write_text(yaml.safe_dump(self.values))
        self.servers: dict[str, Server] = {}
        self.worker = Server(self.settings, folder / "media.log", 0)
        self.lesson_id = self.other_id = ""
        self.ids: dict[str, str] = {}
        self.pages = 0

    async def prepare(self, furnish: Callable[[School], Awaitable[None]] | None = None) -> School:
        """Make the tables and the school, and what else it is to have, with nobody serving."""
        clock = SystemClock()
        config = Config.model_validate(self.values)
        store = open_store(config, clock)
        try:
            await store.database.migrate()
            house = build(config, store, self.public, frozenset(), demo=False)
            school = await fill(house, self.public, ManualClock(clock.ms()))
            self.lesson_id, self.ids = school.lesson_id, school.ids
            self.other_id = await plan(house, school.class_id, school.ids["teacher"], 2, clock.ms())
            if furnish is not None:
                await furnish(school)
            house.accounts.close()
        finally:
            await store.tasks.close()
            await store.shared.close()
            await store.database.close()
        return school

    def add(self, name: str, settings: Path | None = None) -> Server:
        """A server, not started."""
        server = self.servers[name] = Server(settings or self.settings, self.folder / f"{name}.log", free_port())
        return server

    def variant(self, name: str, change: dict[str, dict[str, Any]]) -> Path:
        """The settings with something else in them."""
        values = {group: {**keys, **change.get(group, {})} for group, keys in self.values.items()}
        (self.folder / name).write_text(yaml.safe_dump(values))
        return self.folder / name

    def start(self, *names: str) -> None:
        """The worker if there is none yet, and servers, all at once."""
        started = [(self.worker, self.worker.spawn("media"), "media")] if self.worker.process is None else []
        for server in map(self.add, names):
            started.append((server, server.spawn("serve", "--port", str(server.port)), "ready "))
        for server, process, word in started:
            server.wait_for(process, word, 0)

    async def rows(self, query: str) -> list[Any]:
        """What the database says."""
        connection = await asyncpg.connect(self.values["store"]["database"])
        try:
            return list(await connection.fetch(query))
        finally:
            await connection.close()

    async def owner(self, lesson_id: str | None = None) -> str:
        """The name of the server that owns a lesson: the one that holds the lock of the owner's folder."""
        query = f"SELECT node_id FROM lesson_owner WHERE lesson_id = '{lesson_id or self.lesson_id}'"
        ((node,),) = await self.rows(query)
        lock = str(self.folder / "d" / "nodes" / node / "lock")
        return next(name for name, server in self.servers.items() if lock in server.files())

    def front(self, folder: str = "nginx") -> AbstractContextManager[None]:
        """nginx at the public address, in turns to each server."""
        upstream = "".join(f"server 127.0.0.1:{one.port} fail_timeout=1s;\n" for one in self.servers.values())
        port = self.public.rpartition(":")[2]
        return nginx(self.folder / folder, FRONT.format(upstream=upstream, port=port), "127.0.0.1", int(port))

    def close(self) -> None:
        for server in (*self.servers.values(), self.worker):
            server.signal(signal.SIGCONT)
            server.kill()

    @asynccontextmanager
    async def page(self, who: str, server: str = "") -> AsyncIterator["Page"]:
        """Somebody's page, signed in at one server, or through the front."""
        url = self.servers[server].url if server else self.public
        page = Page(self, who)
        async with aiohttp.ClientSession(
            headers={"Origin": self.public}, cookie_jar=aiohttp.CookieJar(unsafe=True)
        ) as page.session:
            await page.sign_in(url)
            self.pages += 1
            if self.pages % 2:  # so that pages behind the front do not all come to the same server
                await page.get("/healthz", url)
            await page.connect(url)
            try:
                yield page
            finally:
                await page.client.disconnect()
                await page.hang_up()


@dataclass
class Page:
    """A trainee's or an instructor's page: it beats, comes back, and keeps a diary of what was acknowledged."""

    town: Town
    who: str
    client: socketio.AsyncClient = field(default_factory=lambda: socketio.AsyncClient(reconnection=False))
    session: aiohttp.ClientSession = field(init=False)
    told: list[tuple[str, Any]] = field(default_factory=list)
    lease: dict[str, Any] = field(default_factory=dict)
    sockets: list[aiohttp.ClientWebSocketResponse] = field(default_factory=list)
    name: str = "page-one"
    lesson_id: str = ""
    url: str = ""
    joined_mono: float = 0.0
    acked_mono: float = 0.0
    acked_at: list[float] = field(default_factory=list)
    first_said: dict[tuple[int, int], float] = field(default_factory=dict)
    credit_ms: int = 0
    codes: list[str] = field(default_factory=list)

    async def sign_in(self, url: str) -> None:
        async with self.session.post(f"{url}/api/v1/login", json={"login": self.who, "password": PASSWORD}) as answer:
            assert answer.status == 200, await answer.text()

    async def connect(self, url: str) -> None:
        """A new socket, to this or to another server."""
        self.url = url
        cookies = self.session.cookie_jar.filter_cookies(URL(url))
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
        self.client = socketio.AsyncClient(reconnection=False, http_session=self.session)
        self.client.on("*", self._hear)
        self.client.on("lease:probe", lambda _payload: True)
        headers = {"Cookie": cookie, "Origin": self.town.public}
        try:
            async with asyncio.timeout(CONNECT_S):
                await self.client.connect(url, headers=headers, transports=["websocket"])
        except BaseException:
            if self.client.eio.ws is not None:  # the library forgets a socket that was given up half open
                await self.client.eio.ws.close()
            raise
        self.sockets.append(self.client.eio.ws)

    async def hang_up(self) -> None:
        """Close every socket that there ever was: the library forgets those whose server was killed."""
        for one in self.sockets:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await one.close()

    async def call(self, event: str, **arguments: Any) -> dict[str, Any]:
        lesson_id = self.lesson_id or self.town.lesson_id
        answer: dict[str, Any] = await self.client.call(event, {"lesson_id": lesson_id, **arguments}, timeout=ACK_S)
        return answer

    async def join(self, **arguments: Any) -> dict[str, Any]:
        values: dict[str, Any] = {
            "device": "desktop",
            "page": self.name,
            "resume": self.lease.get("resume"),
            "password": None,
        }
        asked = mono()
        answer = await self.call("lesson:join", mono=asked, **(values | arguments))
        if answer["ok"]:
            self.told.append(("lesson:phase", answer["phase"]))
        if answer["ok"] and answer["lease"]:
            again = answer["lease"]["epoch"] == self.lease.get("epoch")
            self.lease = answer["lease"]
            if not again:
                self.joined_mono = self.acked_mono = asked
        return answer

    async def beat(self) -> dict[str, Any]:
        """One beat: the whole time since the last acknowledged one was spent in front.

        What an acknowledgement covers ends where the beat was first said; a repetition may only repeat the answer.
        """
        now = mono()
        self.first_said.setdefault((self.lease["epoch"], self.lease["seq"] + 1), now)
        answer = await self.call(
            "beat",
            epoch=self.lease["epoch"],
            seq=self.lease["seq"] + 1,
            nonce=self.lease["nonce"],
            mono=now,
            spans=[[self.acked_mono, now]],
        )
        if answer["ok"]:
            self.lease.update(seq=answer["seq"], nonce=answer["nonce"])
            self.acked_mono = self.first_said[self.lease["epoch"], answer["seq"]]
            assert answer["credit_ms"] >= self.credit_ms, "what was acknowledged is gone"
            self.credit_ms = answer["credit_ms"]
            self.acked_at.append(time.monotonic())
        else:
            self.codes.append(answer["code"])
        return answer

    async def live_on(self, stop: asyncio.Event, elsewhere: str | None = None) -> None:
        """Beat until told to stop; whatever happens, come back as a page does; `elsewhere` when the socket is gone."""
        while not stop.is_set():
            try:
                if not self.client.connected:
                    await self.connect(self.town.servers[elsewhere].url if elsewhere else self.url)
                    await self.join()
                answer = await self.or_lost(self.beat())
                if not answer["ok"] and answer["code"] in ("beat_refused", "not_signed_in"):
                    await self.join()
            except (socketio.exceptions.SocketIOError, aiohttp.ClientError, OSError):
                await asyncio.sleep(0.2)
            await asyncio.sleep(BEAT_S)

    async def or_lost(self, asked: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        """What was asked, given up when its socket is gone."""
        answer = asyncio.ensure_future(asked)
        while not (await asyncio.wait([answer], timeout=LOST_S))[0]:
            if not self.client.connected:
                answer.cancel()
                raise ConnectionResetError
        return answer.result()

    async def get(self, path: str, url: str | None = None) -> Any:
        async with self.session.get(f"{url or self.url}{path}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    def heard(self, event: str) -> list[Any]:
        return [payload for name, payload in self.told if name == event]

    async def _hear(self, event: str, payload: Any) -> None:
        self.told.append((event, payload))


def mono() -> float:
    """A page's clock: milliseconds since some moment."""
    return float(time.monotonic_ns() // 1_000_000 % 10**9)
