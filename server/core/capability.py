"""Decides what a capability hands to `app`: its service, what it serves, and what it does again and again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from server.core.wire.declaration import Declarations

Service = TypeVar("Service")


@dataclass(frozen=True, slots=True)
class Job:
    """Work that runs every `seconds`; a failing round is logged and the next one still comes."""

    name: str
    seconds: float
    work: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Capability(Generic[Service]):
    """One folder's worth of the house, built."""

    service: Service
    declarations: Declarations
    jobs: tuple[Job, ...] = ()
