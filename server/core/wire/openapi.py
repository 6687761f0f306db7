"""Decides how the REST routes are described as OpenAPI 3.1: from the declarations alone, so that it cannot be stale."""

import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Final

import orjson
from aiohttp import web
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from server.core.errors import CODES
from server.core.version import VERSION
from server.core.wire.declaration import SAFE_METHODS, Download, Kept, Route

Json = dict[str, Any]
PATH: Final = "/api/v1/openapi.json"
JSON: Final = "application/json"
REF: Final = "#/components/schemas/{model}"
#: what a Download is, by the end of its path; one that does not say may be any file
FILES: Final[Mapping[str, str]] = {
    ".zip": "application/zip",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mp4": "video/mp4",
    ".webp": "image/webp",
    ".json": "application/json",
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
ORIGIN: Final[Json] = {
    "name": "Origin",
    "in": "header",
    "required": True,
    "description": "Exactly one of the server's own origins, on every method that changes something.",
    "schema": {"type": "string"},
}
ABOUT: Final = (
    "Everything but the lesson itself, which is on Socket.IO: see docs/protocol.md. Times are ISO 8601 in UTC. "
    "A refusal is `{code, data}`; codes never change their meaning."
)


def openapi(routes: Iterable[Route], cookie: str, beside: Mapping[str, Json]) -> Json:
    """The whole document. `cookie` names the session's; `beside` are path items of doors that are not declared here."""
    shapes, paths = _Shapes(), dict[str, Json]()
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, shapes)
    return {
        "openapi": "3.1.0",
        "info": {"title": "课时 Keshi", "version": VERSION, "description": ABOUT},
        "paths": paths | dict(beside),
        "components": {
            "schemas": shapes.known,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": cookie},
                "media": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def serve_openapi(app: web.Application, document: Json) -> None:
    """Answer GET PATH with the document, also to who is not signed in."""
    body = orjson.dumps(document)

    async def show(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=JSON)

    app.router.add_get(PATH, show)


def _refusals(codes: Iterable[str]) -> Json:
    """Responses by status: `{code, data}` with exactly the codes that may come."""
    grouped: dict[str, list[str]] = {}
    for code in sorted(codes):
        grouped.setdefault(str(CODES[code]), []).append(code)
    return {status: _refusal(found) for status, found in sorted(grouped.items())}


def _refusal(codes: list[str]) -> Json:
    schema = {
        "type": "object",
        "required": ["code", "data"],
        "properties": {"code": {"enum": codes}, "data": {"type": "object"}},
        "additionalProperties": False,
    }
    return {"description": ", ".join(codes), "content": {JSON: {"schema": schema}}}


def _operation(route: Route, shapes: "_Shapes") -> Json:
    words = inspect.getdoc(route.handle) or route.path
    made: Json = {
        "operationId": "_".join(re.findall(r"[a-z0-9]+", f"{route.method.lower()} {_without_version(route.path)}")),
        "summary": words.split("\n")[0],
        "parameters": _parameters(route, shapes),
        "responses": {"200": _answer(route, shapes)} | _refusals(route.refusals),
        "security": [{"session": []}] if route.roles else [],
    }
    if route.roles:
        made["description"] = "For " + ", ".join(sorted(route.roles)) + "."
    if route.method not in SAFE_METHODS:
        made["requestBody"] = _body(route, shapes)
    return made


def _without_version(path: str) -> str:
    return path.removeprefix("/api/v1")


def _in_path(route: Route) -> set[str]:
    return set(re.findall(r"{(\w+)}", route.path))


def _in_query(route: Route) -> set[str]:
    """A safe method has no body, and a raw body no fields: what is not in the path is in the query."""
    named = {field.name for field in fields(route.request)} - _in_path(route)
    if route.streams:
        return named
    if route.body_limit is not None:
        return named - {"content"}
    return named if route.method in SAFE_METHODS else set()


def _parameters(route: Route, shapes: "_Shapes") -> list[Json]:
    whole = shapes.of(route.request, "validation")
    required = set(whole.get("required", ()))
    found = [
        {
            "name": name,
            "in": place,
            "required": place == "path" or name in required,
            "schema": whole["properties"][name],
        }
        for place, names in (("path", _in_path(route)), ("query", _in_query(route)))
        for name in sorted(names)
    ]
    return found if route.method in SAFE_METHODS else [ORIGIN, *found]


def _body(route: Route, shapes: "_Shapes") -> Json:
    if route.streams:
        raw: Json = {"application/octet-stream": {"schema": {}}}
        return {"description": "The file itself.", "required": True, "content": raw}
    if route.body_limit is not None:
        size = f"The file itself, at most {route.body_limit} bytes."
        return {"description": size, "required": True, "content": {"application/octet-stream": {"schema": {}}}}
    whole, elsewhere = shapes.of(route.request, "validation"), _in_path(route)
    rest = {name: schema for name, schema in whole.get("properties", {}).items() if name not in elsewhere}
    required = [name for name in whole.get("required", ()) if name not in elsewhere]
    schema = whole | {"properties": rest, "required": required, "additionalProperties": False}
    return {"required": bool(required), "content": {JSON: {"schema": schema}}}


def _answer(route: Route, shapes: "_Shapes") -> Json:
    if route.response in (Download, Kept):
        kind = next((kind for end, kind in FILES.items() if route.path.endswith(end)), "*/*")
        return {"description": "The file.", "content": {kind: {"schema": {"type": "string"}}}}
    return {"description": "Done.", "content": {JSON: {"schema": shapes.of(route.response, "serialization")}}}


class _Shapes:
    """Collects the schemas that others point at."""

    def __init__(self) -> None:
        self.known: Json = {}

    def of(self, kind: type, mode: JsonSchemaMode) -> Json:
        """The schema of a dataclass; what it holds is kept in `known`. Unknown fields are refused, and never sent."""
        schema = TypeAdapter(kind).json_schema(mode=mode, ref_template=REF)
        for name, inner in schema.pop("$defs", {}).items():
            self.known[name] = _closed(inner)
        return _closed(schema)


def _closed(schema: Json) -> Json:
    return schema | {"additionalProperties": False} if schema.get("type") == "object" else schema
