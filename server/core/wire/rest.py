"""Decides how REST routes are served: origin, session, roles, decoding, and one place that maps errors to answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Final
from urllib.parse import quote

import structlog
from aiohttp import ClientPayloadError, web

from server.core.actor import Actor
from server.core.errors import DomainError
from server.core.wire.codec import decode, encode, parse
from server.core.wire.cookie import cookie_name, device_text, session_token, set_device, set_session
from server.core.wire.declaration import (
    JSON_LIMIT_BYTES,
    SAFE_METHODS,
    Call,
    Download,
    Kept,
    Observe,
    Route,
    check_roles,
    look_of,
    object_of,
)
from server.core.wire.peer import client_address

log = structlog.get_logger("wire.rest")

Authenticate = Callable[[str], Awaitable[Actor | None]]
#: a body must have come whole by then; 5 MiB over a slow line take about so long
BODY_SECONDS: Final = 60.0
#: of what streams, each piece by then, and all of it: 50 MiB at 30 KiB a second
PIECE_SECONDS: Final = 30.0
STREAM_SECONDS: Final = 1_800.0
PIECE_BYTES: Final = 64 * 1024


class Rest:
    """Serves declared routes on an aiohttp application."""

    def __init__(
        self, authenticate: Authenticate, observe: Observe, origins: frozenset[str], session_seconds: int
    ) -> None:
        self._authenticate = authenticate
        self._observe = observe
        self._origins = origins
        self._session_seconds = session_seconds

    @property
    def cookie(self) -> str:
        """What the session's cookie is called."""
        return cookie_name(self._origins)

    def serve(self, app: web.Application, routes: Iterable[Route]) -> None:
        """Add the routes to `app`."""
        for route in routes:
            app.router.add_route(route.method, route.path, self._handler(route))

    def _handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            if route.method not in SAFE_METHODS:
                check_origin(request.headers.get("Origin"), self._origins)
            token = session_token(request, self._origins)
            actor = await self._authenticate(token) if token else None
            check_roles(actor, route.roles)
            view_id = look_of(actor, route.observed and bool(route.roles))
            device = device_text(request, self._origins)
            call = Call(actor=actor, address=client_address(request), view_id=view_id, device=device)
            call.body = _pieces(request) if route.streams else None
            asked = decode(route.request, await _values(request, route))
            answer = await route.handle(call, asked)
            if actor is not None and view_id is not None:
                await self._observe(actor, f"{route.method} {route.path}", object_of(asked), view_id)
            response = _respond(answer)
            if call.new_session is not None:
                set_session(response, self._origins, call.new_session, self._session_seconds)
            if call.new_device is not None:
                set_device(response, self._origins, call.new_device)
            return response

        return handle


def check_origin(origin: str | None, allowed: frozenset[str]) -> None:
    """Raises DomainError origin_refused unless `origin` is exactly one of ours: this is also what stops CSRF."""
    if origin not in allowed:
        raise DomainError("origin_refused")


@web.middleware
async def errors_as_json(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """The one place where a refusal or a fault becomes an HTTP answer."""
    try:
        response = await handler(request)
    except DomainError as error:
        response = refusal(error)
    except web.HTTPException as error:
        response = refusal(_from_http(error))
    except Exception as error:
        # the path may carry an id, never a name; the body is not logged
        log.exception("request_failed", method=request.method, route=_canonical(request), error=type(error).__name__)
        response = refusal(DomainError("internal_error"))
    return response


def refusal(error: DomainError) -> web.Response:
    """`{"code", "data"}` with the code's status; never cached."""
    return web.Response(
        body=encode({"code": error.code, "data": error.data}),
        status=error.status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def _from_http(error: web.HTTPException) -> DomainError:
    match error.status:
        case 404 | 405:
            return DomainError("not_found")
        case 413:
            return DomainError("too_large")
        case _:
            return DomainError("bad_request", problem=error.reason)


async def _values(request: web.Request, route: Route) -> dict[str, Any]:
    values: dict[str, Any] = _query(request) | dict(request.match_info)
    if route.method in SAFE_METHODS or route.streams:
        return values
    body = await _body(request, route.body_limit or JSON_LIMIT_BYTES)
    if route.body_limit is not None:
        return {**values, "content": body}
    if request.query:
        raise DomainError("bad_request", field=next(iter(request.query))[:64], problem="the body has all fields")
    if body and request.content_type != "application/json":
        raise DomainError("bad_request", field="", problem="Content-Type must be application/json")
    parsed = parse(body)
    if not isinstance(parsed, dict):
        raise DomainError("bad_request", field="", problem="an object is expected")
    return parsed | values


def _query(request: web.Request) -> dict[str, Any]:
    """The query; what is given twice is refused, because two readers of it could believe two things."""
    found: dict[str, Any] = {}
    for name, value in request.query.items():
        if name in found:
            raise DomainError("bad_request", field=name[:64], problem="given twice")
        found[name] = value
    return found


async def _body(request: web.Request, limit: int) -> bytes:
    """The body, read no further than its limit and waited for no longer than BODY_SECONDS."""
    if (request.content_length or 0) > limit:
        raise DomainError("too_large", limit_bytes=limit)
    _check_plain(request)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_chunked(64 * 1024):
                body += chunk
                if len(body) > limit:
                    raise DomainError("too_large", limit_bytes=limit)
    except TimeoutError as error:
        raise DomainError("bad_request", field="", problem="the body came too slowly") from error
    return bytes(body)


async def _pieces(request: web.Request) -> AsyncIterator[bytes]:
    """The body piece by piece. Raises DomainError bad_request when it comes too slowly, or not whole."""
    _check_plain(request)
    over = asyncio.get_running_loop().time() + STREAM_SECONDS
    while piece := await _piece(request, over):
        yield piece


async def _piece(request: web.Request, over: float) -> bytes:
    """The next one; none at the end."""
    try:
        async with asyncio.timeout_at(min(over, asyncio.get_running_loop().time() + PIECE_SECONDS)):
            return await request.content.read(PIECE_BYTES)
    except TimeoutError as error:
        raise DomainError("bad_request", field="", problem="the body came too slowly") from error
    except (web.RequestPayloadError, web.PayloadAccessError, ClientPayloadError, ConnectionError) as error:
        raise DomainError("bad_request", field="", problem="the body did not come whole") from error


def _check_plain(request: web.Request) -> None:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise DomainError("bad_request", field="", problem="the body must not be compressed")


def _kept(answer: Kept) -> web.FileResponse:
    """Read from the disk as it is sent, also in parts; kept by the browser, which asks each time whether it may."""
    way = "inline" if answer.inline else "attachment"
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Type": answer.content_type,
        "Content-Disposition": f"{way}; filename*=UTF-8''{quote(answer.filename)}",
    }
    return web.FileResponse(answer.path, headers=headers)


def _respond(answer: Any) -> web.StreamResponse:
    headers = {"Cache-Control": "no-store"}
    if isinstance(answer, Kept):
        return _kept(answer)
    if isinstance(answer, Download):
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(answer.filename)}"
        return web.Response(body=answer.content, content_type=answer.content_type, headers=headers)
    return web.Response(body=encode(answer), content_type="application/json", headers=headers)


def _canonical(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "?"
