"""I1 to I6, I8, I10 to I15 of crediting, for any schedule and any attack, beside a twin without the attack."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from server.live.lesson import Kind
from tests.attendance.dodge import WAYS
from tests.attendance.machine import ATTENTION, CHATTER, LessonMachine
from tests.attendance.side import ANN, MAL

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
    print(f"challenges: {beats['asked']}, passed by the honest: {beats['passes']}, dodged: {beats['voids']}")
    print(f"lessons in which looking away cost something: {beats['away']}")
    assert beats["earned"] >= LEAST_SHARE_EARNING * (beats["earned"] + beats["nothing"])


def play(template: Path, seed: int, moves: int) -> Counter[str]:
    """One busy lesson by the machine's rules, but with time between any two moves: most of its beats earn."""
    chance, beats = random.Random(seed), Counter[str]()
    machine = type("Machine", (LessonMachine,), {"template": template, "beats": beats})()
    machine.begin(chance.randrange(10**9), chance.choice(ATTENTION))
    attack = chance.choice(["hurry", "delay", "lose", "dodge", "honest"])
    for _ in range(moves):
        move(machine, attack, chance)
        machine.time_passes(chance.randint(1, 25_000))
        machine.sealed_minutes_stay_and_add_up()
    machine.teardown()
    return beats


def move(machine: LessonMachine, attack: str, chance: random.Random) -> None:
    """The next move: often a page turns or an attack comes, sometimes the lesson changes."""
    who = chance.choice([ANN, MAL, MAL])
    attacks: dict[str, Callable[[], None]] = {
        "hurry": lambda: machine.speed_up(chance.choice([1.0, 1.5, 2.0, 4.0])),
        "delay": lambda: machine.delay(chance.randint(0, 4_000)),
        "dodge": lambda: machine.face_challenges(chance.choice(WAYS)),
        "lose": lambda: machine.lose(chance.randint(1, 8)),
        "honest": lambda: None,
    }
    moves: list[tuple[int, Callable[[], None]]] = [
        (5, lambda: machine.turn_the_page(who)),
        (1, lambda: machine.a_good_while(chance.randint(20_000, 60_000))),
        (1, lambda: machine.the_instructor(chance.choice([Kind.BREAK_BEGAN, Kind.INSTRUCTOR_LEFT]))),
        (1, lambda: chance.choice([machine.reload, machine.take_over, machine.leave_or_come])(who)),
        (1, lambda: machine.reconnect(who, chance.randint(0, 20_000))),
        (1, lambda: chance.choice([machine.crash, machine.both_restart])()),
        (2, lambda: machine.chatter(chance.choice(CHATTER), chance.randrange(10**6)) if machine.mal.inside else None),
        (3, lambda: machine.look_away(chance.choice(["focus", "active"]), chance.random() < 0.4)),
        (4, attacks[attack]),
    ]
    chance.choices([one for _, one in moves], [weight for weight, _ in moves])[0]()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("first", [0, 100, 200])
def test_busy_lessons(template: Path, first: int) -> None:
    beats: Counter[str] = Counter()
    for seed in range(first, first + 10):
        beats += play(template, seed, moves=30)
    check(beats)


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_busy_lessons_at_length(template: Path) -> None:
    beats: Counter[str] = Counter()
    for seed in range(1_000, 1_200):
        beats += play(template, seed, moves=80)
    check(beats)


@pytest.mark.timeout(300)
def test_no_attack_gains_and_nobody_honest_loses(template: Path) -> None:
    check(run(template, examples=25, steps=30))


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_no_attack_gains_and_nobody_honest_loses_at_length(template: Path) -> None:
    check(run(template, examples=300, steps=50))
