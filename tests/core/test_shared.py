"""Counting tries at their edges; both adapters of the whole port are tested by tests/contracts/test_shared.py."""

import pytest

from server.core.shared import counting
from server.core.shared.counting import Counting


def test_the_window_slides_and_its_edge_is_free_again() -> None:
    tries = Counting()
    assert [tries.take("a", 2, 1_000, at) for at in (0, 400)] == [0, 0]
    assert [tries.take("a", 2, 1_000, at) for at in (400, 999)] == [600, 1]
    assert tries.take("a", 2, 1_000, 1_000) == 0
    assert tries.take("a", 2, 1_000, 1_000) == 400


def test_a_limit_that_was_lowered_counts_the_newest_tries() -> None:
    tries = Counting()
    for at in range(5):
        tries.take("a", 5, 1_000, at)
    assert tries.take("a", 2, 1_000, 10) == 993


def test_an_attacker_with_many_keys_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "KEYS_MAXIMUM", 2)
    tries = Counting()
    for key in ("old", "used", "old", "new"):
        tries.take(key, 9, 1_000, 0)
    assert list(tries._tries) == ["old", "new"]


def test_a_refused_try_is_not_counted() -> None:
    tries = Counting()
    assert tries.take("a", 1, 1_000, 0) == 0
    assert tries.take("a", 1, 1_000, 999) == 1
    assert tries.take("a", 1, 1_000, 1_000) == 0
