"""Decides how a WebSocket for media passes between a browser and the worker: both see each other's pace and end."""

from contextlib import suppress
from typing import Final

import aiohttp
from aiohttp import WSMsgType, web

from server.core.tasks import Tasks

#: a browser says one token; parts come the other way
MOST_SAID_BYTES: Final = 2_048
HEARTBEAT_S: Final = 10.0


async def piped(http: aiohttp.ClientSession, request: web.Request, tasks: Tasks) -> web.StreamResponse:
    """Carry it until either side ends. Raises aiohttp.ClientError or OSError when the worker does not answer."""
    headers = {name: request.headers[name] for name in ("Host", "Origin") if name in request.headers}
    try:
        worker = await http.ws_connect(request.path, headers=headers, max_msg_size=0)
    except aiohttp.WSServerHandshakeError as refused:
        return web.json_response({"code": "origin_refused", "data": {}}, status=refused.status)
    browser = web.WebSocketResponse(max_msg_size=MOST_SAID_BYTES, compress=False, heartbeat=HEARTBEAT_S)
    try:
        await browser.prepare(request)
        said = tasks.spawn("media.pipe", _carry(browser, worker))
        await _carry(worker, browser)
        said.cancel()
    finally:
        await worker.close()
    return browser


async def _carry(
    source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    target: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
) -> None:
    with suppress(ConnectionError):
        async for message in source:
            if message.type is WSMsgType.TEXT:
                await target.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await target.send_bytes(message.data)
    with suppress(ConnectionError):
        await target.close()
