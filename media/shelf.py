"""Decides how parts become the segments of a live HLS playlist (RFC 8216), and which of them are still there.

Pure. A segment begins at a keyframe where there is one in time; one is asked for when a segment is nearly long enough.
A hole, and a new init segment, is an EXT-X-DISCONTINUITY.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from media.clock import iso
from media.fmp4 import Init, Part

SEGMENT_SECONDS = 2.0
#: a keyframe is asked for so long before the end of a segment
ASK_SECONDS = 0.4
#: a segment whose keyframe did not come ends without one; it still counts as one of two seconds
MOST_SECONDS = 2.45
TARGET_SECONDS = 2
#: some players begin at the oldest
LISTED = 4
#: what has left the playlist can still be fetched for a while
KEPT = 8
#: players that find fewer give up (RFC 8216 section 6.2.2: three at least); the first ones are short, to be there soon
ENOUGH = 4
FIRST_SECONDS = 1.0


@dataclass(slots=True, eq=False)
class Segment:
    """Parts that follow each other behind one init segment. `fresh`: what came before it does not go on here."""

    number: int
    init: Init
    begins: float
    fresh: bool
    seconds: float = 0.0
    data: bytes = b""


class Shelf:
    """The newest segments of one rendition. `epoch`: when the time of its parts begins, in seconds since 1970."""

    def __init__(self, epoch: float, ask_keyframe: Callable[[], None]) -> None:
        self._epoch, self._ask_keyframe = epoch, ask_keyframe
        self._whole: deque[Segment] = deque()
        self._now: Segment | None = None
        self._held: list[bytes] = []
        self._count = 0
        self._breaks = 0
        """Discontinuities that have left the playlist."""

    @property
    def enough(self) -> bool:
        return len(self._whole) >= ENOUGH

    def add(self, part: Part, *, missed: bool) -> None:
        """`missed`: some before it were thrown away."""
        now = self._now
        fresh = now is None or missed or part.init is not now.init
        if now is None or fresh or _ends(now, part):
            self._close()
            now = self._now = Segment(self._count, part.init, part.begins, fresh=fresh)
            self._count += 1
        now.seconds += part.seconds
        self._held.append(part.data)
        if _long(now) and not part.key:
            self._ask_keyframe()

    def init(self, number: int) -> bytes:
        """Empty when it is not there any more."""
        return next((each.init.data for each in self._whole if each.init.number == number), b"")

    def segment(self, number: int) -> bytes:
        """Empty when it is not there, or not yet."""
        return next((each.data for each in self._whole if each.number == number), b"")

    def playlist(self, end: str) -> str:
        """What there is now; `end` is added to each address."""
        listed = list(self._whole)[-LISTED:]
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:7",
            f"#EXT-X-TARGETDURATION:{TARGET_SECONDS}",
            f"#EXT-X-MEDIA-SEQUENCE:{listed[0].number if listed else self._count}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{self._breaks}",
        ]
        init: Init | None = None
        for each in listed:
            lines += ["#EXT-X-DISCONTINUITY"] if each.fresh and each.number else []
            if each.init is not init or each.fresh:
                init = each.init
                lines.append(f'#EXT-X-MAP:URI="init{init.number}.mp4{end}"')
                lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{iso(self._epoch + each.begins)}")
            lines += [f"#EXTINF:{each.seconds:.3f},", f"{each.number}.mp4{end}"]
        return "\n".join([*lines, ""])

    def _close(self) -> None:
        if self._now is None:
            return
        self._now.data = b"".join(self._held)
        self._held.clear()
        self._whole.append(self._now)
        if len(self._whole) > LISTED and (left := self._whole[-LISTED - 1]).fresh and left.number:
            self._breaks += 1
        while len(self._whole) > KEPT:
            self._whole.popleft()


def _ends(now: Segment, part: Part) -> bool:
    return (_long(now) and part.key) or now.seconds + part.seconds > MOST_SECONDS


def _long(now: Segment) -> bool:
    wanted = SEGMENT_SECONDS if now.number >= ENOUGH else FIRST_SECONDS
    return now.seconds >= wanted - ASK_SECONDS
