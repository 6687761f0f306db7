"""Decides how many connections there may be, and how long one may take to say what it wants."""

import asyncio
import logging
import resource
import socket
import ssl
from dataclasses import dataclass
from typing import Any, Final

import structlog
from aiohttp import web

from server.core.errors import DomainError
from server.core.wire.codec import encode

log = structlog.get_logger("wire.door")

#: paths carry ids: aiohttp is to write none of them down
SILENT: Final = logging.Logger("wire.silent", logging.CRITICAL + 1)

#: a whole request must have come so long after the connection or the last answer: idle and dawdling (slowloris) alike
REQUEST_S: Final = 30.0
#: TLS must be agreed on by then
HANDSHAKE_S: Final = 15.0
#: a body that is still coming when its answer is ready is waited for so long
LINGER_S: Final = 5.0
#: connections at once: 600 trainees have two each, 64 lessons are not full at once
MOST_CONNECTIONS: Final = 20_000
#: files that everything but connections needs: database, spool, logs, media
RESERVED_FILES: Final = 256


def most_connections() -> int:
    """How many this process may hold, after taking all the files the system lets it have."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + RESERVED_FILES
    files = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(1, files - RESERVED_FILES)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds and counts of one door."""

    request_s: float = REQUEST_S
    handshake_s: float = HANDSHAKE_S
    linger_s: float = LINGER_S
    connections: int = MOST_CONNECTIONS


class Door(web.BaseSite):
    """A listening socket of a runner that is set up. Beyond the most connections new ones are closed at once."""

    def __init__(
        self, runner: web.AppRunner, listener: socket.socket, context: ssl.SSLContext | None, patience: Patience
    ) -> None:
        super().__init__(runner, ssl_context=context)
        self._listener, self._context, self._patience = listener, context, patience
        self.refused = 0

    @property
    def name(self) -> str:
        host, port, *_ = self._listener.getsockname()
        return f"{'https' if self._context else 'http'}://{host}:{port}"

    async def start(self) -> None:
        """Begin to accept."""
        await super().start()
        self._server = await asyncio.get_running_loop().create_server(
            self._admit,
            sock=self._listener,
            ssl=self._context,
            ssl_handshake_timeout=self._patience.handshake_s if self._context else None,
        )

    def _admit(self) -> asyncio.Protocol:
        server: Any = self._runner.server
        if len(server.connections) < self._patience.connections:
            return _Handler(
                server,
                loop=asyncio.get_running_loop(),
                keepalive_timeout=self._patience.request_s,
                lingering_time=self._patience.linger_s,
                access_log=SILENT,
            )
        self.refused += 1
        if self.refused & (self.refused - 1) == 0:  # the first, second, fourth, eighth: a flood must not fill the log
            log.warning("connections_full", most=self._patience.connections, refused=self.refused)
        return _Full()


class _Handler(web.RequestHandler):
    """aiohttp's handler of one connection; what is no HTTP gets a plain refusal that does not repeat it."""

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        del request, exc, message
        error = DomainError("bad_request" if status < 500 else "internal_error")
        body = encode({"code": error.code, "data": error.data})
        answer = web.Response(status=status, body=body, content_type="application/json", headers={"Server": "-"})
        answer.force_close()
        return answer


class _Full(asyncio.Protocol):
    """Nobody can be served: the connection is closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
