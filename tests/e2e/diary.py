"""The test driver's own record of a lesson, and what follows from it by hand: milliseconds per minute and reason."""

import time
from dataclasses import dataclass, field

MINUTE_MS = 60_000
#: notes within each page when it entered the lesson, when it was shown or hidden, when the instructor's phase changed;
NOTES = """
window.notes = {entered: 0, shown: [], phases: {}, pictures: 0, moved: 0, still: 0}
document.addEventListener('visibilitychange', () => notes.shown.push([document.visibilityState, Date.now()]), true)
new MutationObserver(() => {
  if (!notes.entered && document.querySelector('[data-test=room][data-stage=in]')) notes.entered = Date.now()
  const host = document.querySelector('[data-test=host]')
  if (host) notes.phases[host.dataset.phase] ??= Date.now()
}).observe(document, {subtree: true, childList: true, attributes: true})
setInterval(() => {
  const pictures = document.querySelector('[data-test=video]')?.getVideoPlaybackQuality().totalVideoFrames ?? 0
  if (pictures === notes.pictures) return
  if (notes.moved) notes.still = Math.max(notes.still, Date.now() - notes.moved)
  Object.assign(notes, {pictures, moved: Date.now()})
}, 100)
"""
Span = tuple[float, float]


def now_ms() -> float:
    """Wall time of the driver; the service runs on the same machine and has the same."""
    return time.time() * 1000


@dataclass
class Diary:
    """One trainee: when the driver brought the page to the front, put it away, closed it. In order."""

    front: list[Span] = field(default_factory=list)
    hidden: list[Span] = field(default_factory=list)
    gone: list[Span] = field(default_factory=list)
    _since: tuple[str, float] | None = None

    def turn(self, state: str, at: float) -> None:
        """From `at` on the page is `front`, `hidden` or `gone`."""
        self.close(at)
        self._since = (state, at)

    def close(self, at: float) -> None:
        """Write down what lasted until `at`."""
        if self._since is not None:
            state, since = self._since
            getattr(self, state).append((since, at))


def within(spans: list[Span], start: float, end: float) -> float:
    """How many milliseconds of the spans lie in [start, end)."""
    return sum(max(0.0, min(b, end) - max(a, start)) for a, b in spans)


def minutes(spans: list[Span], start: float, end: float) -> dict[int, float]:
    """The same for each unix minute of the lesson."""
    slots = range(int(start // MINUTE_MS), int((end - 1) // MINUTE_MS) + 1)
    edges = {slot: (max(start, slot * MINUTE_MS), min(end, (slot + 1) * MINUTE_MS)) for slot in slots}
    return {slot: within(spans, *edge) for slot, edge in edges.items()}
