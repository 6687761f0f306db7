"""Refusals have stable codes."""

import pytest

from server.core.errors import CODES, DomainError


def test_an_unknown_code_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="unknown error code"):
        DomainError("no_such_code")


def test_code_data_and_status_travel_together() -> None:
    error = DomainError("too_many_tries", retry_after_s=30)
    assert (error.code, error.data, error.status) == ("too_many_tries", {"retry_after_s": 30}, 429)
    assert "retry_after_s" in str(error)


def test_every_status_is_a_refusal() -> None:
    assert all(400 <= status < 600 for status in CODES.values())
