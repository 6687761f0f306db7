"""Limits that an operator may set, at their edges."""

import pytest
from pydantic import ValidationError

from server.accounts.limits import LimitSettings

EDGES: dict[str, tuple[float, float]] = {
    "address_per_minute": (10, 1_000_000),
    "attack_failures": (10, 1_000_000),
    "waiting_s": (1, 30),
    "proof_hashes": (100, 10_000_000),
}


@pytest.mark.parametrize("name", EDGES)
def test_what_may_be_set(name: str) -> None:
    least, most = EDGES[name]
    for value in (least, most):
        assert getattr(LimitSettings.model_validate({name: value}), name) == value
    for value in (least / 2, most + 1):
        with pytest.raises(ValidationError):
            LimitSettings.model_validate({name: value})


def test_a_school_behind_one_address_signs_in_without_work() -> None:
    assert LimitSettings().address_per_minute >= 1_000
