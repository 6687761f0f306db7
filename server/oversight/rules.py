"""Decides how long what is known of trainees is kept (R19: five years at least), and what goes then. Pure."""

from datetime import date, datetime, time, timedelta, timezone
from enum import StrEnum
from typing import Final

from server.verify.formats import Kind, Record

#: China Standard Time: a class's last day ends with it
LOCAL: Final = timezone(timedelta(hours=8))
#: after the class ended
KEPT_YEARS: Final = 5
#: what is about trainees; that a lesson or a class took place, and when, stays
PERSONAL: Final = frozenset(
    {
        *(Kind.MINUTE, Kind.LEASE, Kind.LEASE_END, Kind.PAGE_KEY, Kind.CHALLENGE_OUTCOME, Kind.CHALLENGE_ANSWER),
        *(Kind.APPEAL, Kind.CORRECTION, Kind.ENROLMENT, Kind.IDENTITY, Kind.SETTLEMENT),
        *(Kind.LESSON_ACT, Kind.LESSON_FILE, Kind.CHALLENGE_LOOK),
    }
)


class Outcome(StrEnum):
    """What became of a wish to delete a class's records."""

    ORDERED = "ordered"
    EARLY = "early"


def goes(record: Record) -> bool:
    """Whether a record is deleted once its time is over."""
    return record.kind in PERSONAL


def keep_until_ms(ends_on: str, newest_ms: int) -> int:
    """Until when a class's records are kept: five years after its last day, or that of the newest of them if later."""
    newest = datetime.fromtimestamp(newest_ms / 1000, LOCAL).date()
    last = max(date.fromisoformat(ends_on), newest) + timedelta(days=1)
    try:
        over = last.replace(year=last.year + KEPT_YEARS)
    except ValueError:  # the 29th of February
        over = date(last.year + KEPT_YEARS, 3, 1)
    return round(datetime.combine(over, time(), LOCAL).timestamp() * 1000)
