"""Decides how one process asks another: JSON over HTTP on a unix socket (or TCP), under a key that only we hold.

`POST /<verb>` with a bearer from the vault answers `{ok: true, answer}` or `{ok: false, code, data}`.
"""

import hmac
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson
import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, UnixConnector, web

from server.core.errors import DomainError

log = structlog.get_logger("cluster.relay")

#: longer than a password check and a probe of a page together
ANSWER_S: Final = 15.0
CONNECT_S: Final = 2.0
LIMIT_BYTES: Final = 16 * 1024 * 1024
#: what a unix socket's path may have at most (sun_path, unix(7))
LONGEST_PATH: Final = 107
UNIX: Final = "unix:"

Serve = Callable[[dict[str, Any]], Awaitable[Any]]


class Unreachable(Exception):
    """The other process did not answer; whether it has acted is not known."""


class Relay:
    """Both ends: verbs we serve to other processes, and what we ask of them."""

    def __init__(self, key: bytes) -> None:
        self._bearer = f"Bearer {key.hex()}"
        self._verbs: dict[str, Serve] = {}
        self._sessions: dict[str, ClientSession] = {}
        self._runner: web.AppRunner | None = None

    def serve(self, verb: str, serve: Serve) -> None:
        """Answer a verb. What `serve` raises as DomainError reaches who asked."""
        self._verbs[verb] = serve

    async def start(self, socket: Path, internal: str | None) -> str:
        """Listen on `internal` (host:port) or on a unix socket; returns the address for others.

        Raises DomainError port_in_use, address_refused.
        """
        app = web.Application(client_max_size=LIMIT_BYTES)
        app.router.add_post("/{verb}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        if internal is None and len(bytes(socket)) > LONGEST_PATH:
            raise DomainError("address_refused", host=socket.name, remedy="a shorter server.data, or server.internal")
        try:
            if internal is None:
                await web.UnixSite(self._runner, socket).start()
                os.chmod(socket, 0o600)  # noqa: PTH101  a moment
                return f"{UNIX}{socket}"
            host, _, port = internal.rpartition(":")
            await web.TCPSite(self._runner, host.strip("[]"), int(port)).start()
        except OSError as error:
            raise DomainError("port_in_use", port="server.internal", reason=error.strerror) from error
        bound = self._runner.addresses[0]
        return f"{host}:{bound[1]}"

    async def ask(self, address: str, verb: str, body: dict[str, Any], seconds: float = ANSWER_S) -> Any:
        """What the process at `address` answers. Raises Unreachable, and DomainError as it was raised there."""
        base = "http://keshi" if address.startswith(UNIX) else f"http://{address}"
        timeout = ClientTimeout(total=seconds, sock_connect=CONNECT_S)
        headers = {"Authorization": self._bearer}
        try:
            async with self._session(address).post(
                f"{base}/{verb}", data=orjson.dumps(body), headers=headers, timeout=timeout
            ) as response:
                answer = orjson.loads(await response.read()) if response.status == 200 else None
        except (ClientError, TimeoutError, OSError, orjson.JSONDecodeError) as error:
            raise Unreachable(type(error).__name__) from error
        if answer is None:
            raise Unreachable(f"status {response.status}")
        if not answer["ok"]:
            raise DomainError(answer["code"], **answer["data"])
        return answer["answer"]

    async def forget(self, address: str) -> None:
        """A process is dead: whoever still waits for it hears so now."""
        if session := self._sessions.pop(address, None):
            await session.close()

    async def close(self) -> None:
        """Serve and ask no more."""
        for address in list(self._sessions):
            await self.forget(address)
        if self._runner is not None:
            with suppress(OSError):
                await self._runner.cleanup()

    def _session(self, address: str) -> ClientSession:
        if address not in self._sessions:
            path = address.removeprefix(UNIX)
            connector = UnixConnector(path, limit=0) if path != address else TCPConnector(limit=0)
            self._sessions[address] = ClientSession(connector=connector)
        return self._sessions[address]

    async def _handle(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), self._bearer.encode()):
            return web.Response(status=401)
        serve = self._verbs.get(request.match_info["verb"])
        if serve is None:
            return web.Response(status=404)
        try:
            answer = {"ok": True, "answer": await serve(orjson.loads(await request.read()))}
        except DomainError as error:
            answer = {"ok": False, "code": error.code, "data": error.data}
        except Exception as error:
            log.exception("errand_failed", verb=request.match_info["verb"], error=type(error).__name__)
            answer = {"ok": False, "code": "internal_error", "data": {}}
        return web.Response(body=orjson.dumps(answer), content_type="application/json")
