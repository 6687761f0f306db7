"""I1 to I6, I8, I10 to I13 of crediting, for any schedule and any attack, beside a twin without the attack."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.attendance.machine import LessonMachine

#: a suite in which hardly a beat earns anything proves little
LEAST_SHARE_EARNING = 0.20


def run(template: Path, examples: int, steps: int) -> Counter[str]:
    """Play many lessons; returns how many beats earned and how many attacks there were."""

    beats: Counter[str] = Counter()
    machine = type("Machine", (LessonMachine,), {"template": template, "beats": beats})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    return beats


def check(beats: Counter[str]) -> None:
    print(f"beats that earned: {beats['earned']}, that did not: {beats['nothing']}, attacks: {beats['attacks']}")
    assert beats["earned"] >= LEAST_SHARE_EARNING * (beats["earned"] + beats["nothing"])
    assert beats["attacks"] > 0


@pytest.mark.timeout(300)
def test_no_attack_gains_and_nobody_honest_loses(template: Path) -> None:
    check(run(template, examples=70, steps=40))


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_no_attack_gains_and_nobody_honest_loses_at_length(template: Path) -> None:
    check(run(template, examples=600, steps=50))
