"""Decides what a command is: a typed dataclass in, a typed dataclass out, a function, and who may call it.

REST routes and Socket.IO commands are declared the same way; `rest` and `socket` serve them.
"""

import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from server.core.actor import Actor, Role
from server.core.errors import DomainError

#: may be called without being signed in
PUBLIC: Final[frozenset[Role]] = frozenset()
JSON_LIMIT_BYTES: Final = 64 * 1024
#: change nothing, so that no Origin is asked of them
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
#: ids as everything has them
ID_FORM: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(slots=True)
class Call:
    """The circumstances of one call.

    `connection` is the socket's id (empty for REST), `address` the client's. A REST handler may set `new_session`:
    a token to sign the browser in with, or "" to sign it out. `device` is what the browser keeps beyond its logins; a
    REST handler may set `new_device` to replace it. `view_id` is set when a regulator looks (R13):
    it is written down once it was not refused, before it is answered. `body` is what comes, where a route `streams`.
    """

    actor: Actor | None
    connection: str = ""
    address: str = ""
    new_session: str | None = None
    device: str = ""
    new_device: str | None = None
    view_id: str | None = None
    body: AsyncIterator[bytes] | None = None

    @property
    def who(self) -> Actor:
        """The signed-in actor. Raises DomainError not_signed_in."""
        if self.actor is None:
            raise DomainError("not_signed_in")
        return self.actor

    @property
    def coming(self) -> AsyncIterator[bytes]:
        """The body of a route that streams. Raises ValueError elsewhere."""
        if self.body is None:
            raise ValueError("this route does not stream")
        return self.body


@dataclass(frozen=True, slots=True)
class Nothing:
    """An empty request or answer."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file as an answer."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of the data folder as an answer: `inline` on a page, else to be saved under its name.

    A browser may keep it, and asks each time whether it still may show it.
    """

    path: Path
    filename: str
    content_type: str
    inline: bool = False


Handler = Callable[[Call, Any], Awaitable[Any]]
#: writes down a regulator's look before it is answered: actor, route or event, object's id, the look's id
Observe = Callable[[Actor, str, str, str], Awaitable[None]]

#: the refusal of what is out of the caller's scope: it does not exist
UNSEEN: Final = ("not_found",)
#: what any door may answer, whatever is asked
ANY_DOOR: Final[tuple[str, ...]] = ("bad_request", "internal_error", "disk_full", "store_unavailable", "store_refused")


@dataclass(frozen=True, slots=True)
class Route:
    """A REST route: path parameters, query and JSON body become the fields of `request` together.

    With `body_limit` the body is raw bytes of at most so many bytes in the request's field `content`. A regulator's
    call is written down before it is answered, unless it is not `observed` because it shows nobody else's data.
    `codes` are its own refusals (keys of CODES), beside those of its door (`refusals`). One that `streams` gets its
    body piece by piece (`Call.coming`), all other fields from path and query, and sets limits itself.
    """

    method: str
    path: str
    roles: frozenset[Role]
    request: type
    response: type
    handle: Handler
    body_limit: int | None = None
    observed: bool = True
    codes: tuple[str, ...] = ()
    streams: bool = False

    @property
    def refusals(self) -> frozenset[str]:
        """Every code that a caller may get."""
        writing = () if self.method in SAFE_METHODS else ("origin_refused", "too_large")
        return frozenset((*ANY_DOOR, *_signed_in(self.roles), *writing, *self.codes))


@dataclass(frozen=True, slots=True)
class Command:
    """A Socket.IO event from a client, always acknowledged: `{ok: true, ...response}` or `{ok: false, code, data}`.

    `at_owner`: it is about a lesson (`lesson_id`) and runs in the process that owns it, wherever the client came in.
    `codes` are its own refusals, beside those of the socket (`refusals`).
    """

    event: str
    roles: frozenset[Role]
    request: type
    response: type
    handle: Handler
    observed: bool = False
    codes: tuple[str, ...] = ()
    at_owner: bool = False

    @property
    def refusals(self) -> frozenset[str]:
        """Every code that a caller may get."""
        moving = ("owner_changing",) if self.at_owner else ()
        door = (*ANY_DOOR, "not_signed_in", "forbidden", "too_many_tries")
        return frozenset((*door, *moving, *self.codes))


@dataclass(frozen=True, slots=True)
class Push:
    """A Socket.IO event to clients."""

    event: str
    payload: type


@dataclass(slots=True)
class Declarations:
    """What one capability serves; `app` joins them."""

    routes: list[Route] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)

    @property
    def refusals(self) -> frozenset[str]:
        """Every code that some route or command may give."""
        found = [*(route.refusals for route in self.routes), *(command.refusals for command in self.commands)]
        return frozenset().union(*found)

    def add(self, other: "Declarations") -> None:
        """Take another capability's declarations in."""
        self.routes += other.routes
        self.commands += other.commands
        self.pushes += other.pushes


def _signed_in(roles: frozenset[Role]) -> tuple[str, ...]:
    return ("not_signed_in", "forbidden") if roles else ()


def look_of(actor: Actor | None, observed: bool) -> str | None:
    """The id that the caller's look will have, when it is one that must be written down: a regulator's (R13)."""
    return secrets.token_hex(8) if observed and actor is not None and actor.role is Role.REGULATOR else None


def check_roles(actor: Actor | None, roles: frozenset[Role]) -> None:
    """Raises DomainError not_signed_in or forbidden unless `roles` is PUBLIC or contains the actor's role."""
    if roles is PUBLIC or not roles:
        return
    if actor is None:
        raise DomainError("not_signed_in")
    if actor.role not in roles:
        raise DomainError("forbidden")


def object_of(request: Any) -> str:
    """The id of what a request is about; empty when it is about no single object, or names what can be no id.

    What is returned is kept for ever: a text of somebody's choice must not be.
    """
    for name in ("lesson_id", "class_id", "person_id"):
        if isinstance(value := getattr(request, name, None), str):
            return value if ID_FORM.fullmatch(value) else ""
    return ""
