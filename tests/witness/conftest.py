"""A real log to be witnessed."""

from tests.ledger.conftest import world

__all__ = ["world"]
