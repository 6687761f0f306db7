"""Decides how milliseconds become class hours: sum a course, divide once, floor once (R10). Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClassHours:
    """Computed class hours (折算课时) of one trainee in one class, and the milliseconds left over."""

    class_hours: int
    remainder_ms: int
    credit_ms: int


def class_hours(credit_ms: int, class_hour_ms: int) -> ClassHours:
    """`credit_ms` of valid time under a scheme's class hour: 2,699,999 ms → 0, 2,700,000 ms → 1 under the default.

    Raises ValueError for a negative sum or a class hour that is not positive.
    """
    if credit_ms < 0 or class_hour_ms <= 0:
        raise ValueError("a sum of time is never negative and a class hour never empty")
    whole, left = divmod(credit_ms, class_hour_ms)
    return ClassHours(whole, left, credit_ms)
