"""Decides what the web client knows of the declarations: an interface per dataclass, one map per transport, codes."""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from server.core.wire.declaration import Declarations, Download, Kept

_HEAD: Final = "// Generated from the server's declarations by `python -m server types`. Do not edit.\n"
_PLAIN: Final = {str: "string", int: "number", float: "number", bool: "boolean", NoneType: "null", bytes: "Blob"}


def typescript(declarations: Declarations) -> str:
    """The whole file. Raises ValueError when two different dataclasses share a name."""
    writer = _Writer()
    routes = [
        f"  '{one.method} {one.path}': {{ request: {writer.name(one.request)}; response: {writer.name(one.response)} }}"
        for one in declarations.routes
    ]
    commands = [
        f"  '{one.event}': {{ request: {writer.name(one.request)}; response: {writer.name(one.response)} }}"
        for one in declarations.commands
    ]
    pushes = [f"  '{one.event}': {writer.name(one.payload)}" for one in declarations.pushes]
    codes = sorted(declarations.refusals)
    writer.interfaces["Code"] = "export type Code = " + " | ".join(f"'{code}'" for code in codes) + "\n"
    maps = (_block("Routes", routes), _block("Commands", commands), _block("Pushes", pushes))
    return "\n".join((_HEAD, *writer.interfaces.values(), *maps))


def _block(name: str, lines: Iterable[str]) -> str:
    return f"export interface {name} {{\n" + "\n".join(sorted(lines)) + "\n}\n"


class _Writer:
    """Collects interfaces while types are named."""

    def __init__(self) -> None:
        self.interfaces: dict[str, str] = {}
        self._owners: dict[str, type] = {}

    def name(self, kind: Any) -> str:
        """The TypeScript for a Python type."""
        if kind in _PLAIN:
            return _PLAIN[kind]
        if kind in (Download, Kept):
            return "Blob"
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return self._union(kind)
        if isinstance(kind, type) and is_dataclass(kind):
            return self._interface(kind)
        return self._generic(kind)

    def _generic(self, kind: Any) -> str:
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self.name(arguments[0])
        if origin in (Union, UnionType):
            return " | ".join(self.name(one) for one in arguments)
        if origin is Literal:
            return " | ".join(f"'{one}'" for one in arguments)
        if origin is list:
            inner = self.name(arguments[0])
            return f"({inner})[]" if " | " in inner else f"{inner}[]"
        if origin is tuple:
            return "[" + ", ".join(self.name(one) for one in arguments) + "]"
        if origin is dict:
            return f"Record<{self.name(arguments[0])}, {self.name(arguments[1])}>"
        return "string" if getattr(kind, "__name__", "").endswith("datetime") else "unknown"

    def _union(self, kind: type[StrEnum]) -> str:
        members = " | ".join(f"'{member.value}'" for member in kind)
        self.interfaces.setdefault(kind.__name__, f"export type {kind.__name__} = {members}\n")
        return kind.__name__

    def _interface(self, kind: type) -> str:
        name = kind.__name__
        if self._owners.setdefault(name, kind) is not kind:
            raise ValueError(f"two dataclasses are called {name}: {kind.__module__}, {self._owners[name].__module__}")
        if name not in self.interfaces:
            self.interfaces[name] = ""
            hints = get_type_hints(kind, include_extras=True)
            lines = [f"  {field.name}: {self.name(hints[field.name])}" for field in fields(kind)]
            body = "\n".join(lines)
            self.interfaces[name] = f"export interface {name} {{\n{body}\n}}\n" if lines else _empty(name)
        return name


def _empty(name: str) -> str:
    return f"export type {name} = Record<string, never>\n"
