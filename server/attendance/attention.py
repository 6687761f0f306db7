"""Decides what of a beat's time in front does not count where the scheme asks for attention: 窗口失焦, 空闲超时. Pure.

The page says in which parts of its time its window had the focus, and in which somebody had moved within the scheme's
time. Both are projected as its time in front is (credit.py), so a fast clock stretches neither, and they only ever take
from it. A page that was asked and says nothing had neither: what it does not say it cannot earn.
"""

from server.attendance.credit import Anchor, Attended, Beat, credit
from server.attendance.intervals import Intervals, clip, intersect, joined, subtract
from server.attendance.minutes import Lost, Reason
from server.training.rules import AttentionRule

_SILENT = Attended()


def attended(
    rule: AttentionRule, anchor: Anchor, beat: Beat, received_ms: int, ours_ms: int, front: Intervals
) -> tuple[Intervals, Lost]:
    """What counts of `front`, which `credit` made of this beat, and why the rest does not. Raises beat_refused."""
    said = beat.attended or _SILENT
    asked = [(Reason.BLURRED, said.focused)] if rule.focus else []
    if rule.idle_ms is not None:
        asked.append((Reason.IDLE, said.active))
    lost: Lost = ()
    for reason, spans in asked:
        if spans != beat.spans:
            there = credit(anchor, beat._replace(spans=spans), received_ms, "", ours_ms).front
            if missing := subtract(front, there):
                lost = (*lost, (reason, missing))
            front = intersect(front, there)
    return front, lost


def kept(lost: Lost, since_ms: int, until_ms: int) -> Lost:
    """As much of it as lies in that time."""
    clipped = ((reason, clip(spans, since_ms, until_ms)) for reason, spans in lost)
    return tuple((reason, spans) for reason, spans in clipped if spans)


def more(known: Lost, lost: Lost) -> Lost:
    """Both together."""
    found = dict(known)
    for reason, spans in lost:
        found[reason] = joined(found.get(reason, ()), spans)
    return tuple(found.items())
