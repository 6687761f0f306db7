"""So many tries in a window, no matter how they come."""

import pytest

from server.accounts import throttle
from server.accounts.throttle import Throttle
from server.core.errors import DomainError


def refused(limit: Throttle, key: str, now_ms: int) -> int:
    with pytest.raises(DomainError, match="too_many_tries") as error:
        limit.take(key, now_ms)
    return int(error.value.data["retry_after_s"])


def test_the_window_slides() -> None:
    limit = Throttle(3, 10_000)
    for now_ms in (0, 1_000, 2_000):
        limit.take("a", now_ms)
    assert refused(limit, "a", 2_001) == 8
    assert refused(limit, "a", 9_999) == 1
    limit.take("a", 10_000)
    assert refused(limit, "a", 10_001) == 1
    limit.take("b", 10_001)


def test_a_refused_try_does_not_prolong_the_wait() -> None:
    limit = Throttle(1, 1_000)
    limit.take("a", 0)
    for now_ms in range(1, 1_000, 100):
        refused(limit, "a", now_ms)
    limit.take("a", 1_000)


def test_giving_back_and_clearing() -> None:
    limit = Throttle(2, 1_000)
    limit.take("a", 0)
    limit.take("a", 1)
    limit.give_back("a")
    limit.take("a", 2)
    assert refused(limit, "a", 3)
    limit.clear("a")
    limit.take("a", 4)
    limit.give_back("nobody")


def test_many_keys_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "KEYS_MAXIMUM", 3)
    limit = Throttle(1, 1_000)
    for key in "abcd":
        limit.take(key, 0)
    limit.take("a", 1)  # the oldest was forgotten
    assert refused(limit, "d", 1)
