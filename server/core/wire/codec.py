"""Decides how JSON becomes a request dataclass and an answer becomes JSON: pydantic checks, orjson writes."""

from functools import cache
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from server.core.errors import DomainError


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def decode(kind: type, values: Any) -> Any:
    """Build a request. Raises DomainError bad_request with the first wrong field and why."""
    if not isinstance(values, dict):
        raise DomainError("bad_request", field="", problem="an object is expected")
    try:
        known = getattr(kind, "__dataclass_fields__", {})
        if unknown := [name for name in values if name not in known]:
            raise DomainError("bad_request", field=str(unknown[0])[:64], problem="unknown field")
        return _adapter(kind).validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DomainError("bad_request", field=where, problem=first["msg"]) from error


def parse(body: bytes) -> Any:
    """JSON text as values; an empty body is an empty object. Raises DomainError bad_request."""
    try:
        return orjson.loads(body) if body else {}
    except orjson.JSONDecodeError as error:
        raise DomainError("bad_request", field="", problem="not JSON") from error


def encode(answer: Any) -> bytes:
    """An answer dataclass as JSON text."""
    return orjson.dumps(answer)


def plain(answer: Any) -> Any:
    """An answer dataclass as plain dicts and lists."""
    return orjson.loads(orjson.dumps(answer))


def told(request: Any) -> Any:
    """A request as plain dicts and lists, for another process. Raises DomainError bad_request: a number too large."""
    try:
        return plain(request)
    except orjson.JSONEncodeError as error:
        raise DomainError("bad_request", field="", problem="a number is too large") from error
