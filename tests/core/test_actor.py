"""Scope: institution and area."""

import pytest

from server.core.actor import Actor, Role, covers, sees


@pytest.mark.parametrize(
    ("area", "other", "inside"),
    [
        ("370000", "371525", True),
        ("371500", "371525", True),
        ("371500", "371500", True),
        ("371525", "371525", True),
        ("371525", "371500", False),
        ("371525", "371526", False),
        ("371500", "371600", False),
        ("100000", "110000", False),
        ("", "371500", False),
        (None, "371500", False),
    ],
)
def test_an_area_covers_what_lies_below_it(area: str | None, other: str, inside: bool) -> None:
    assert covers(area, other) is inside


@pytest.mark.parametrize(
    ("role", "institution", "area", "seen"),
    [
        (Role.ADMINISTRATOR, None, None, True),
        (Role.REGULATOR, None, "371500", True),
        (Role.REGULATOR, None, "371600", False),
        (Role.REGULATOR, "i1", None, False),
        (Role.STAFF, "i1", None, True),
        (Role.STAFF, "i2", "371500", False),
        (Role.INSTRUCTOR, "i1", None, True),
        (Role.TRAINEE, None, None, False),
    ],
)
def test_scope_is_institution_or_area(role: Role, institution: str | None, area: str | None, seen: bool) -> None:
    assert sees(Actor("p", role, "s", institution, area), "i1", "371525") is seen
