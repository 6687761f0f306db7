"""Decides what a command is: a typed dataclass in, a typed dataclass out, a function, and who may call it.

REST routes and Socket.IO commands are declared the same way; `rest` and `socket` serve them.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from server.core.actor import Actor, Role
from server.core.errors import DomainError

#: may be called without being signed in
PUBLIC: Final[frozenset[Role]] = frozenset()
JSON_LIMIT_BYTES: Final = 64 * 1024
#: ids as everything has them
ID_FORM: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(slots=True)
class Call:
    """The circumstances of one call.

    `connection` is the socket's id (empty for REST), `address` the client's. A REST handler may set `new_session`:
    a token to sign the browser in with, or "" to sign it out. `view_id` is set when the call was written down as a
    regulator's look (R13).
    """

    actor: Actor | None
    connection: str = ""
    address: str = ""
    new_session: str | None = None
    view_id: str | None = None

    @property
    def who(self) -> Actor:
        """The signed-in actor. Raises DomainError not_signed_in."""
        if self.actor is None:
            raise DomainError("not_signed_in")
        return self.actor


@dataclass(frozen=True, slots=True)
class Nothing:
    """An empty request or answer."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file as an answer."""

    filename: str
    content_type: str
    content: bytes


Handler = Callable[[Call, Any], Awaitable[Any]]
#: writes down what a regulator looks at (actor, route or event, object's id) and returns the look's id; None for others
Observe = Callable[[Actor, str, str], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class Route:
    """A REST route: path parameters, query and JSON body become the fields of `request` together.

    With `body_limit` the body is raw bytes of at most so many bytes in the request's field `content`. A regulator's
    call is written down before it is answered, unless it is not `observed` because it shows nobody else's data.
    """

    method: str
    path: str
    roles: frozenset[Role]
    request: type
    response: type
    handle: Handler
    body_limit: int | None = None
    observed: bool = True


@dataclass(frozen=True, slots=True)
class Command:
    """A Socket.IO event from a client, always acknowledged: `{ok: true, ...response}` or `{ok: false, code, data}`."""

    event: str
    roles: frozenset[Role]
    request: type
    response: type
    handle: Handler
    observed: bool = False


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

    def add(self, other: "Declarations") -> None:
        """Take another capability's declarations in."""
        self.routes += other.routes
        self.commands += other.commands
        self.pushes += other.pushes


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
