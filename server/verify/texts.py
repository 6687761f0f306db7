"""Reads JSON in which no object says a name twice: of two some programs take the first, and others the last. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from server.verify.tree import Refused


def parsed(text: str | bytes) -> Any:
    """The value of a JSON text in UTF-8. Raises Refused."""
    try:
        said = text if isinstance(text, str) else text.decode()
        return json.loads(said, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refused("not JSON") from error


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("a name stands twice in an object")
    return found


def _no_number(_text: str) -> None:
    raise Refused("not a number")
