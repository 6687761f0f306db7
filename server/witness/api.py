"""Serves a witness: `POST /add-checkpoint` to logs, and to anybody what it saw."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from server.witness.rules import OTHER_SIZE, REQUEST_BYTES, Declined
from server.witness.service import Witness

SIZE_TYPE = "text/x.tlog.size"


def application(witness: Witness) -> web.Application:
    """The program's doors."""
    app = web.Application(client_max_size=REQUEST_BYTES)

    async def add(request: web.Request) -> web.Response:
        try:
            return web.Response(text=await witness.add(await request.read()))
        except Declined as declined:
            kind = SIZE_TYPE if declined.status == OTHER_SIZE else "text/plain"
            return web.Response(status=declined.status, text=declined.text, content_type=kind)

    async def show(_request: web.Request) -> web.Response:
        return web.Response(text="\n".join([f"{witness.key}\n", *witness.notes]))

    app.router.add_post("/add-checkpoint", add)
    app.router.add_get("/", show)
    return app


@asynccontextmanager
async def witnessing(
    witness: Witness, host: str, port: int, more: Callable[[web.Application], None] = lambda _app: None
) -> AsyncIterator[str]:
    """Serve while the block runs, with `more`; gives the URL. Raises OSError when the port is taken."""
    app = application(witness)
    more(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0][1]
        yield f"http://{f'[{host}]' if ':' in host else host}:{bound}"
    finally:
        await runner.cleanup()
