"""Decides how publishing and watching are asked for over HTTP: WHIP (RFC 9725) and WHEP, one signed token per grant.

Every refusal is JSON `{"code": ..., "data": {...}}`. As ICE-lite with all candidates in the answer, the server needs
none of the client's: a PATCH that brings some is acknowledged. One with new credentials begins ICE anew; which ones are
the present ones, the entity tag says.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from media.errors import MediaError
from media.fragment import read_fragment, restarted
from media.grants import Grant, Kind, Tokens
from media.offer import MAX_OFFER_BYTES
from media.plane import Plane, Session
from media.turn import links

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
BODY_SECONDS = 10.0
RETRY_SECONDS = 2
STATUS = {
    "bad_fragment": 400,
    "token_missing": 401,
    "token_invalid": 401,
    "token_expired": 401,
    "token_revoked": 401,
    "grant_mismatch": 403,
    "room_closed": 404,
    "session_unknown": 404,
    "rendition_unknown": 404,
    "piece_gone": 404,
    "body_slow": 408,
    "publisher_taken": 409,
    "etag_old": 412,
    "offer_too_large": 413,
    "not_sdp": 415,
    "bad_offer": 422,
    "no_common_codec": 422,
    "etag_missing": 428,
    "too_fast": 429,
    "room_full": 503,
    "nothing_yet": 503,
    "uplink_spent": 503,
    "cpu_spent": 503,
}
Handler = Callable[[web.Request], Awaitable[web.Response]]
#: what a bearer token is worth in a room: another token for it, or itself; and whether it is shown to open a session
Bearer = Callable[[str, str, bool], Awaitable[str]]


async def as_it_is(_room: str, token: str, _opening: bool) -> str:
    """Tokens stand for themselves."""
    return token


class Whip:
    """The HTTP side of one plane."""

    def __init__(self, plane: Plane, tokens: Tokens) -> None:
        self._plane = plane
        self._tokens = tokens
        self._bearer: Bearer = as_it_is

    def add_to(self, app: web.Application, bearer: Bearer = as_it_is) -> None:
        """`bearer` is asked what a publisher's token is worth."""
        self._bearer = bearer
        for path, kind in (("whip", "publish"), ("whep", "watch")):
            offered, resource = f"/media/{path}/{{room}}", f"/media/{path}/{{room}}/{{session}}"
            app.router.add_post(offered, refusing(self._create(kind)))  # type: ignore[arg-type]
            app.router.add_delete(resource, refusing(self._delete(kind)))  # type: ignore[arg-type]
            app.router.add_patch(resource, refusing(self._patch(kind)))  # type: ignore[arg-type]

    def _create(self, kind: Kind) -> Handler:
        async def create(request: web.Request) -> web.Response:
            grant = await self._grant(request, kind, self._plane.now())
            if request.content_type != SDP:
                raise MediaError("not_sdp")
            offer = await _body(request)
            try:
                session, answer = self._plane.accept(grant, offer)
            except MediaError as error:
                self._plane.refused(grant, error.code)
                raise
            headers = {"Location": f"{request.path}/{session.id}", "ETag": _tag(session), "Accept-Patch": FRAGMENT}
            response = web.Response(status=201, text=answer, content_type=SDP, headers=headers)
            for link in links(self._plane.settings.ice_servers, self._plane.now()):
                response.headers.add("Link", link)
            return response

        return create

    def _delete(self, kind: Kind) -> Handler:
        async def delete(request: web.Request) -> web.Response:
            session = await self._session(request, kind)
            if session is not None:
                self._plane.end(session)
            return web.Response(status=200)  # also when it had ended: with its lesson, by silence, by an earlier DELETE

        return delete

    def _patch(self, kind: Kind) -> Handler:
        async def patch(request: web.Request) -> web.Response:
            session = await self._session(request, kind)
            if session is None:
                raise MediaError("session_unknown")
            if request.content_type != FRAGMENT:
                raise MediaError("not_sdp")
            fragment = read_fragment(await _body(request))
            if session.id not in self._plane.sessions:  # ended while the body was on its way
                raise MediaError("session_unknown")
            _check_tag(request, session)
            if fragment.ufrag in ("", session.peer.ice[0].remote_ufrag):
                return web.Response(status=204)
            answer = restarted(self._plane.restart(session, fragment.ufrag), fragment)
            return web.Response(text=answer, content_type=FRAGMENT, headers={"ETag": _tag(session)})

        return patch

    async def _session(self, request: web.Request, kind: Kind) -> Session | None:
        grant = await self._grant(request, kind, None)
        session = self._plane.session(kind, grant.room, request.match_info["session"])
        if session is not None and session.grant.peer != grant.peer:
            raise MediaError("grant_mismatch")
        return session

    async def _grant(self, request: web.Request, kind: Kind, now: float | None) -> Grant:
        token = shown_token(request)
        if token and kind == "publish":
            token = await self._bearer(request.match_info["room"], token, now is not None)
        return granted(request, self._tokens, kind, now, token)


def granted(request: web.Request, tokens: Tokens, kind: Kind, now: float | None, token: str | None = None) -> Grant:
    """What a bearer token, its own unless told, grants in the room of its address. Raises MediaError.

    `now` as for Tokens.verify.
    """
    token = shown_token(request) if token is None else token
    if not token:
        raise MediaError("token_missing")
    grant = tokens.verify(token, now)
    if grant.kind != kind or grant.room != request.match_info["room"]:
        raise MediaError("grant_mismatch")
    return grant


def shown_token(request: web.Request) -> str:
    """The bearer token of a request, "" without one: only ever in its header (RFC 6750 section 2.1)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _tag(session: Session) -> str:
    """The entity tag of its present ICE credentials: never that of others before."""
    return f'"{session.peer.ice[0].ufrag}"'


def _check_tag(request: web.Request, session: Session) -> None:
    """Raises MediaError etag_missing or etag_old (RFC 9110 section 13.1.1, RFC 6585 section 3)."""
    said = request.headers.get("If-Match")
    if said is None:
        raise MediaError("etag_missing")
    if said.strip() != "*" and _tag(session) not in (each.strip() for each in said.split(",")):
        raise MediaError("etag_old")


async def _body(request: web.Request) -> str:
    """The body as text. Raises MediaError offer_too_large, body_slow or bad_offer."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise MediaError("bad_offer", reason="encoding")
    data = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.content.iter_any():
                data += part
                if len(data) > MAX_OFFER_BYTES:
                    raise MediaError("offer_too_large", limit=MAX_OFFER_BYTES)
    except TimeoutError as error:
        raise MediaError("body_slow") from error
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MediaError("bad_offer", reason="encoding") from error


def refusing(handler: Handler) -> Handler:
    """A handler that answers a MediaError with its status and code."""

    async def refused(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except MediaError as error:
            status = STATUS[error.code]
            headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
            if status == 503:
                headers["Retry-After"] = str(RETRY_SECONDS)
            body = {"code": error.code, "data": error.data}
            return web.json_response(body, status=status, headers=headers)

    return refused
