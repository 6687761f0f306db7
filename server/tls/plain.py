"""Decides what is said over plain HTTP beside HTTPS: what must be said there, the way to HTTPS, and nothing else."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from server.core.errors import DomainError
from server.core.wire.door import Door, Patience
from server.core.wire.headers import guard
from server.core.wire.rest import errors_as_json

PATIENCE: Final = Patience(request_s=10.0, linger_s=1.0, connections=256)
SHUTDOWN_S: Final = 1.0

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def plain_door(listener: socket.socket, pages: Mapping[str, Answer]) -> AsyncIterator[None]:
    """Answer GET for these paths while the block runs; `*` stands for every other path."""
    app = web.Application(middlewares=[errors_as_json])
    guard(app, "", lasting=False)
    for path, answer in pages.items():
        app.router.add_get("/{path:.*}" if path == "*" else path, answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        await Door(runner, listener, None, PATIENCE).start()
        yield
    finally:
        await runner.cleanup()


def to_https(url: str) -> Answer:
    """Send a browser to the same page of `url`, which has no path."""

    async def redirect(request: web.Request) -> web.StreamResponse:
        return web.Response(status=308, headers={"Location": url + request.path_qs, "Cache-Control": "no-store"})

    return redirect


def challenge(answers: Mapping[str, str]) -> Answer:
    """What an ACME authority asks for (RFC 8555, section 8.3)."""

    async def tell(request: web.Request) -> web.StreamResponse:
        if (answer := answers.get(request.path)) is None:
            raise DomainError("not_found")
        return web.Response(text=answer, content_type="application/octet-stream")

    return tell
