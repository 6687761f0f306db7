"""Whatever comes in whatever order: a lesson ends in the state that its ordered log gives, for everybody."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from server.live.acts import api
from tests.live.acts.machine import ACTIVITIES, Anything
from tests.stores import sqlite_template

EXAMPLES, STEPS = 50, 40


@pytest.mark.timeout(600)
def test_any_interleaving_ends_in_what_the_log_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "PUSH_S", 0.0)
    template, seen = sqlite_template(tmp_path), Counter[str]()

    class Machine(Anything):
        pass

    Machine.template, Machine.seen = template, seen
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, derandomize=True, phases=[Phase.generate]
        ),
    )
    assert seen["acts"] > 8 * EXAMPLES, f"too little happens to prove anything: {seen}"
    assert seen["missed"] >= EXAMPLES // 10, seen
    for one in ACTIVITIES:
        assert any(seen[says.event] for says in one.commands), f"nothing of {one.name} ever happened: {seen}"
