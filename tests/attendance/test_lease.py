"""Who may earn for an account."""

from dataclasses import replace

import pytest

from server.attendance.lease import HOUR_MS, SILENCE_MS, TAKE_OVERS_PER_HOUR, Ask, Decision, Holding, decide

SEEN = 1_000_000
HELD = Holding("lesson", "session", "page", "resume", connected=True, seen_ms=SEEN)
GONE = replace(HELD, connected=False)
SAME = Ask("lesson", "session", "page", "resume", keyed=True)


@pytest.mark.parametrize(
    ("ask", "decision"),
    [
        (SAME, Decision.CONTINUE),
        (replace(SAME, session_id="new login"), Decision.CONTINUE),
        (replace(SAME, keyed=False), Decision.IF_SILENT),
        (replace(SAME, keyed=False, session_id="new login"), Decision.IF_SILENT),
        (replace(SAME, keyed=False, resume="guess", session_id="other"), Decision.PASSWORD),
        (replace(SAME, page="after a reload"), Decision.IF_SILENT),
        (replace(SAME, page="after a reload", session_id="new login"), Decision.IF_SILENT),
        (replace(SAME, lesson_id="another"), Decision.IF_SILENT),
        (replace(SAME, page="second tab", resume=None), Decision.IF_SILENT),
        (replace(SAME, resume=None), Decision.IF_SILENT),
        (replace(SAME, resume="guess", session_id="other"), Decision.PASSWORD),
        (replace(SAME, resume=None, session_id="other"), Decision.PASSWORD),
        (replace(SAME, resume="", session_id="other"), Decision.PASSWORD),
    ],
)
@pytest.mark.parametrize("holding", [HELD, GONE])
def test_who_gets_what(holding: Holding, ask: Ask, decision: Decision) -> None:
    assert decide(holding, ask, SEEN + SILENCE_MS) is decision


def test_nobody_holds_it() -> None:
    assert decide(None, SAME, SEEN) is Decision.GRANT


def test_silence_ends_a_lease_only_without_a_connection() -> None:
    stranger = Ask("lesson", "other", "other", None, keyed=True)
    assert SILENCE_MS == 60_000
    assert decide(GONE, stranger, SEEN + SILENCE_MS) is Decision.PASSWORD
    assert decide(GONE, stranger, SEEN + SILENCE_MS + 1) is Decision.GRANT
    assert decide(HELD, stranger, SEEN + SILENCE_MS + 1) is Decision.PASSWORD


def test_the_limits_are_those_of_the_notice() -> None:
    """A silence of a minute, three take-overs an hour."""
    assert (SILENCE_MS, TAKE_OVERS_PER_HOUR, HOUR_MS) == (60_000, 3, 3_600_000)
