"""Decides what a failing store is called: a code of the catalogue, the same in both stores; no value stands in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import event
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from server.core.errors import DomainError

DISK_FULL: Final = "53100"
#: classes and codes of SQLSTATE: gone or going (08, 57P), out of something (53), lost against others (40, 55P03), too
#: long (57014), on a server that only reads (25006)
UNAVAILABLE: Final = ("08", "57P", "53", "40", "55P03", "57014", "25006")
#: wrong password, no such database, no right to: nothing that waiting would cure
REFUSED: Final = ("28", "3D", "42501")
#: what cannot be stored as it is: too long, out of range, a NUL
UNFIT: Final = ("22",)
GONE: Final = (OSError, TimeoutError)


def name_failures(engine: AsyncEngine) -> None:
    """Have statements, commits and rollbacks of an engine raise DomainError where a failure has a name."""

    @event.listens_for(engine.sync_engine, "handle_error")
    def on_error(context: ExceptionContext) -> None:
        if context.is_pre_ping:
            return  # the pool asks a connection whether it lives, and takes another when it does not
        _keep_quiet(context.original_exception)
        if context.sqlalchemy_exception is not None:
            _keep_quiet(context.sqlalchemy_exception)
        named = failure_of(context.sqlalchemy_exception or context.original_exception)
        if named is not None:
            raise named from None


@contextmanager
def connecting() -> Iterator[None]:
    """The same for the way to the store. Raises DomainError store_unavailable, store_refused."""
    try:
        yield
    except (DBAPIError, PoolTimeout, *GONE) as error:
        _keep_quiet(error)
        if named := failure_of(error):
            raise named from None
        raise


def failure_of(error: BaseException) -> DomainError | None:
    """The code of a failure, or None where it is a mistake of ours.

    disk_full (nothing of the write is kept), store_unavailable (try again), store_refused, bad_request (unfit values).
    """
    if isinstance(error, (PoolTimeout, *GONE)):
        return DomainError("store_unavailable", reason=type(error).__name__)
    state, text = sqlstate(error), str(getattr(error, "orig", error))
    if state == DISK_FULL or "disk is full" in text:
        return DomainError("disk_full", reason="database")
    if state.startswith(UNAVAILABLE) or "database is locked" in text or "connection is closed" in text:
        return DomainError("store_unavailable", reason=state or "busy")
    if state.startswith(REFUSED):
        return DomainError("store_refused", reason=state)
    if state.startswith(UNFIT):
        return DomainError("bad_request", reason=state)
    return None


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's five letters, or nothing."""
    return getattr(getattr(error, "orig", error), "sqlstate", None) or ""


def _keep_quiet(error: BaseException | None) -> None:
    """PostgreSQL's details and asyncpg's complaints repeat what was to be stored: only the first line's start stays."""
    while error is not None:
        if getattr(error, "detail", None):
            error.detail = None  # type: ignore[attr-defined]
        if error.args and isinstance(error.args[0], str):
            first = error.args[0].split("\n", 1)[0]
            head, found, _ = first.partition("invalid input for query argument")
            error.args = (head + found, *error.args[1:]) if found else (first, *error.args[1:])
        if (inner := getattr(error, "orig", None)) is not None and inner is not error:
            _keep_quiet(inner)
        error = error.__cause__
