"""Decides what is told of each request and event: a short id, which door, how it went, how long it took.

Never what was said in it: no name, no number, no address. The id is in every log line that belongs to the request, and
in its answer (X-Request-Id), so that a person can be helped who reads it out.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog
from aiohttp import web

from server.core.clock import elapsed_ms

log = structlog.get_logger("wire")

ID_BYTES: Final = 6
ID_HEADER: Final = "X-Request-Id"
SWITCHED: Final = 101
#: the door that nothing was behind: a name of somebody's choice is no label and is not logged
UNKNOWN: Final = "?"

#: told once for each: "request" or "event", its route or name, its status or code, seconds (None: it held a line open)
Told = Callable[[str, str, str, float | None], None]


@dataclass(slots=True)
class Passage:
    """One request or event on its way; whoever handles it says how it went."""

    code: str = "ok"
    lasting: bool = False
    id: str = field(default_factory=lambda: secrets.token_hex(ID_BYTES))


class Trace:
    """Follows requests and events. Those named in `quiet` are logged at debug while they go well."""

    def __init__(self, told: Told, quiet: frozenset[str] = frozenset()) -> None:
        self._told = told
        self._quiet = quiet

    @contextmanager
    def follow(self, kind: str, name: str) -> Iterator[Passage]:
        """While the block runs, all log lines carry its id; afterwards it is told."""
        passage, began = Passage(), elapsed_ms()
        with structlog.contextvars.bound_contextvars(request=passage.id):
            try:
                yield passage
            finally:
                ms = elapsed_ms() - began
                write = log.debug if name in self._quiet and passage.code in ("ok", "200") else log.info
                write(kind, door=name, code=passage.code, ms=round(ms, 1))
                self._told(kind, name, passage.code, None if passage.lasting else ms / 1000)

    def middleware(self) -> Callable[..., Awaitable[web.StreamResponse]]:
        """For an application: every request is followed and answered with its id."""

        @web.middleware
        async def followed(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            with self.follow("request", route_of(request)) as passage:
                passage.code = "gone"  # unless it is answered
                response = await handler(request)
                passage.code, passage.lasting = str(response.status), response.status == SWITCHED
                if not response.prepared:
                    response.headers[ID_HEADER] = passage.id
                return response

        return followed


def route_of(request: web.Request) -> str:
    """`GET /api/v1/classes/{class_id}`: the door, never what was asked at it."""
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical}" if resource else UNKNOWN


def untold(_kind: str, _name: str, _code: str, _seconds: float | None) -> None:
    """For a house that measures nothing."""
