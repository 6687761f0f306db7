"""Decides who may earn for an account: one lease, one page (单终端登录限制, R15). Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

#: a holder that is gone for longer than the longest credited hole holds nothing any more
SILENCE_MS: Final = 60_000
TAKE_OVERS_PER_HOUR: Final = 3
HOUR_MS: Final = 3_600_000


class How(StrEnum):
    """How a lease was obtained."""

    NEW = "new"
    RESUME = "resume"
    TAKE_OVER = "take_over"


class End(StrEnum):
    """Why a lease ended."""

    LEFT = "left"
    SILENT = "silent"
    RESUMED = "resumed"
    TAKEN_OVER = "taken_over"
    SIGNED_OUT = "signed_out"
    LESSON_OVER = "lesson_over"
    REMOVED = "removed"


class Decision(StrEnum):
    """What a page that asks for the lease gets."""

    GRANT = "grant"  # nobody holds it
    CONTINUE = "continue"  # the same page is back, with its key: same lease, same clock
    IF_SILENT = "if_silent"  # the same browser: only when the old page no longer answers
    PASSWORD = "password"  # another device: only by password  # noqa: S105


@dataclass(frozen=True, slots=True)
class Holding:
    """The lease as it stands."""

    lesson_id: str
    session_id: str
    page: str
    resume: str
    connected: bool
    seen_ms: int


@dataclass(frozen=True, slots=True)
class Ask:
    """A page that wants to join a lesson; `keyed`: it shows key and last nonce of the lease, if that has a key."""

    lesson_id: str
    session_id: str
    page: str
    resume: str | None
    keyed: bool


def decide(holding: Holding | None, ask: Ask, now_ms: int) -> Decision:
    """Who asks gets what; nothing here depends on what a client may choose except its own secrets."""
    if holding is None or (not holding.connected and now_ms - holding.seen_ms > SILENCE_MS):
        return Decision.GRANT
    proven = ask.resume == holding.resume
    if proven and ask.keyed and ask.page == holding.page and ask.lesson_id == holding.lesson_id:
        return Decision.CONTINUE
    if proven or ask.session_id == holding.session_id:
        return Decision.IF_SILENT
    return Decision.PASSWORD
