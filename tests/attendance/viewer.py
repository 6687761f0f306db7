"""A page with a player, for tests of recorded lessons: its clock, its place, and its beats, there and back."""

from dataclasses import dataclass, field

from server.attendance.credit import Anchor, Attended, Beat
from server.attendance.intervals import Interval, Intervals, total, union
from server.attendance.recorded import FASTEST, Played, Progress, Watched, watch
from server.training.rules import AttentionRule

T = 1_000_000  # when the lease was granted, and the page's clock showed MONO
MONO = 7_000
ALL: Intervals = ((0, 3_600_000),)


@dataclass
class Viewer:
    """A page with a player. Beats are built from what happened since the last one that was acknowledged."""

    served: Intervals = ALL
    anchor: Anchor = field(default_factory=lambda: Anchor(0, "n0", T, T - MONO, MONO))
    progress: Progress = field(default_factory=Progress)
    now: int = 0
    place: int = 0
    front: list[Interval] = field(default_factory=list)
    playing: list[Interval] = field(default_factory=list)
    credited: list[Interval] = field(default_factory=list)
    rule: AttentionRule | None = None
    focused: list[Interval] = field(default_factory=list)
    active: list[Interval] = field(default_factory=list)
    said: list[tuple[Beat, Played]] = field(default_factory=list)

    def pass_(
        self, ms: int, *, front: bool = True, speed: float = FASTEST, focus: bool = True, moves: bool = True
    ) -> None:
        """Time goes by; `speed` 0: the player is paused."""
        span = (MONO + self.now, MONO + self.now + ms)
        if front:
            self.front.append(span)
        if speed:
            self.playing.append(span)
        if focus:
            self.focused.append(span)
        if moves:
            self.active.append(span)
        self.now += ms
        self.place += int(ms * speed)

    def take(self, pos0: int | None = None, rate: float = FASTEST) -> tuple[Beat, Played]:
        attended = Attended(union(self.focused), union(self.active)) if self.rule else None
        front = union(self.front)
        beat = Beat(self.anchor.seq + 1, self.anchor.nonce, MONO + self.now, front, attended=attended)
        return beat, Played(self.progress.position if pos0 is None else pos0, self.place, rate, union(self.playing))

    def say(self, pos0: int | None = None, rate: float = FASTEST, late_ms: int = 0) -> Watched:
        """A beat, there and back."""
        beat, played = self.take(pos0, rate)
        received, nonce = T + self.now + late_ms, f"n{beat.seq}"
        worth = watch(self.anchor, beat, played, self.progress, self.served, received, nonce, self.rule)
        self.said.append((beat, played))
        self.anchor, self.progress = worth.anchor, worth.progress
        self.credited += worth.credited
        self.front, self.playing, self.focused, self.active = [], [], [], []
        return worth

    def seek(self, place: int) -> None:
        """The page drags: it says so at once."""
        self.place = place
        self.say()

    def covered(self) -> Intervals:
        return self.progress.covered

    def saw(self, place: int, ms: int) -> int:
        """Go there and play so long; returns what it earned."""
        self.seek(place)
        self.pass_(ms)
        return total(self.say().credited)
