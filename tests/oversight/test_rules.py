"""How long records are kept: five years after the class's last day, and never less."""

from datetime import UTC, datetime

import pytest

from server.oversight.rules import goes, keep_until_ms
from server.verify.formats import KEPT_MINUTES, Kind, Record

MINUTE_MS = 60_000


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("ends_on", "newest", "until"),
    [
        ("2026-12-31", "2026-11-01T00:00", "2031-12-31T16:00"),  # midnight in Shanghai
        ("2026-11-30", "2026-12-31T09:00", "2031-12-31T16:00"),  # the newest record came later
        ("2026-11-30", "2026-12-31T16:00", "2032-01-01T16:00"),  # on the next day there
        ("2028-02-28", "2028-02-28T00:00", "2033-02-28T16:00"),  # the 29th, of which there is none
        ("2028-02-29", "2028-02-29T00:00", "2033-02-28T16:00"),
    ],
)
def test_until_when(ends_on: str, newest: str, until: str) -> None:
    assert keep_until_ms(ends_on, ms(newest)) == ms(until)


@pytest.mark.parametrize("day", range(0, 1461, 7))
def test_no_verifier_calls_it_early(day: int) -> None:
    newest = ms("2026-01-01T15:59") + day * 86_400_000
    assert keep_until_ms("2026-01-01", newest) // MINUTE_MS - newest // MINUTE_MS >= KEPT_MINUTES


def test_what_is_about_trainees_goes_and_that_there_was_a_lesson_stays() -> None:
    stays = {Kind.LESSON_MINUTE, Kind.LESSON_EVENT, Kind.CHALLENGE_SEED, Kind.TRAINING_CLASS, Kind.DELETION}
    assert [kind for kind in stays if goes(Record(kind, 1))] == []
    assert goes(Record(Kind.MINUTE, 1))
    assert goes(Record(Kind.ENROLMENT, 1))
    assert goes(Record(Kind.LESSON_ACT, 1))
