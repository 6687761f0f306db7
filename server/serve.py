"""Decides how the service starts and stops: lock the folder, migrate, restore, listen, say ready; then the reverse."""

import asyncio
import errno
import fcntl
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from server.app import House, be_member, build, open_store
from server.core import garbage
from server.core.clock import Clock, SystemClock
from server.core.errors import DomainError
from server.core.wire.door import Door, Patience, most_connections
from server.core.wire.headers import guard
from server.core.wire.openapi import serve_openapi
from server.core.wire.peer import TRUSTED
from server.core.wire.rest import errors_as_json
from server.health import from_networks
from server.ledger.api import serve_log
from server.pages import serve_pages
from server.readings import observe
from server.settings import Config, origins
from server.tls.https import FOLDER, Https, open_https

SHUTDOWN_S: Final = 1.0


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the data folder. Raises DomainError data_folder_busy when another process does."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise DomainError("data_folder_busy", folder=folder.name) from error
    finally:
        os.close(handle)


def _unnamed(_node: str) -> None:
    pass


@asynccontextmanager
async def running(
    config: Config, demo: bool, clock: Clock | None = None, named: Callable[[str], None] = _unnamed
) -> AsyncIterator[tuple[House, str]]:
    """The whole service while the block runs; gives the house and the URL it answers at.

    `named` is told the node id of a process that may be one of several.
    Raises DomainError port_in_use, second_server_refused, is_a_demo, not_a_demo, database_damaged, spool_damaged and
    what settings and HTTPS refuse.
    """
    time = clock or SystemClock()
    alone = nullcontext() if config.store.database else only_one(config.server.data)
    with closing(_listen(config.server.host, config.server.port)) as listener, alone:
        port = listener.getsockname()[1]
        url, allowed = origins(config, port)
        async with _https(config, url, port, time) as https:
            store = open_store(config, time)
            member = be_member(config, store)
            if member is not None:
                named(member.node)
            try:
                await store.database.migrate()
                if store.time is not None:
                    await store.time.begin()
                house = build(config, store, url, allowed, demo, member)
                await house.training.check_kind(demo)
                await house.training.tell_what_stands()
                async with _doors(house, listener, config, url, https):
                    yield house, url
            finally:
                await store.tasks.close()
                await store.shared.close()
                await store.database.close()
                if member is not None:
                    member.folder.close()


def _https(config: Config, url: str, port: int, clock: Clock) -> AbstractAsyncContextManager[Https]:
    plain = config.tls.plain_port(port)
    listen = None if plain is None else partial(_listen, config.server.host, plain, "tls.http_port")
    return open_https(config.tls, url, config.server.data / FOLDER, clock, listen)


async def serve_until_stopped(
    config: Config, demo: bool, announce: Any, named: Callable[[str], None] = _unnamed
) -> None:
    """Serve until SIGINT or SIGTERM; `announce(house, url)` is awaited once it answers."""
    stopped = told_to_stop()
    async with running(config, demo, named=named) as (house, url):
        garbage.look_seldom()
        await announce(house, url)
        await stopped.wait()


def told_to_stop() -> asyncio.Event:
    """Set by SIGINT or SIGTERM from now on."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    return stopped


@asynccontextmanager
async def _doors(house: House, listener: socket.socket, config: Config, url: str, https: Https) -> AsyncIterator[None]:
    """Media first, then what was running before, then the door: nobody comes in before everything stands."""
    await _start_media(house)
    app = _application(house, config, url)
    try:
        await _go_on(house)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        await Door(runner, listener, https.context, Patience(connections=most_connections())).start()
        observe(house)
        timely = house.store.time.jobs if house.store.time is not None else ()
        for job in (*https.jobs, *timely, *(job for capability in house.capabilities for job in capability.jobs)):
            house.store.tasks.every(job.name, job.seconds, job.work)
        try:
            yield
        finally:
            await house.sockets.close()
            await runner.cleanup()
    finally:
        await house.media.stop()
        await house.store.tasks.close()
        house.register.spool.close()
        if house.several is not None:
            await house.several.stop()
        house.accounts.close()


async def _go_on(house: House) -> None:
    """With what was running before: our own restart, or what other processes left when they died."""
    unsealed = house.register.read_spool()
    if house.store.time is not None:
        house.store.time.clock.not_before(house.register.last_alive_ms)
    if house.several is None:
        await house.live.restore(unsealed)
        house.register.settle_spool()
    else:
        house.register.settle_spool()
        await house.several.start(house.store.tasks)


def _application(house: House, config: Config, url: str) -> web.Application:
    app = web.Application(middlewares=[house.trace.middleware(), errors_as_json])
    app[TRUSTED] = config.server.trusted_proxies
    guard(app, url, lasting=config.tls.mode != "local-ca")
    house.rest.serve(app, house.declarations.routes)
    serve_openapi(app, house.document)
    house.sockets.serve(app, house.declarations.commands)
    house.media.routes(app)
    house.health.serve(app, partial(_may_measure, config))
    serve_log(app, house.log.files, keys=house.log.keys)
    serve_pages(app)
    return app


def _may_measure(config: Config, request: web.Request) -> bool:
    """This machine and the networks of `server.metrics`; what comes through a proxy comes from neither."""
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"))
    return not forwarded and from_networks(request.remote or "", config.server.metrics)


async def _start_media(house: House) -> None:
    try:
        await house.media.start()
    except OSError as error:
        raise DomainError("port_in_use", port="media.udp_port", reason=error.strerror) from error


def _listen(host: str, port: int, setting: str = "server.port") -> socket.socket:
    """A TCP port. Raises DomainError port_in_use or address_refused."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        code = "port_in_use" if error.errno == errno.EADDRINUSE else "address_refused"
        raise DomainError(code, host=host, port=port, setting=setting, reason=error.strerror) from error
    listener.setblocking(False)
    return listener
