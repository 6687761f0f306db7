"""Decides what a connected peer is in its room: the publisher, or one of the viewers."""

from collections.abc import Callable

from media import clock
from media.forwarder import Viewer
from media.ingest import Ingest
from media.room import Room


class Publisher:
    """The endpoint of a WHIP session."""

    def __init__(self, room: Room, name: str, ingest: Ingest) -> None:
        self._room, self._name, self.ingest = room, name, ingest

    def connected(self) -> None:
        self._room.publish(self._name, self.ingest)

    def on_rtp(self, packet: bytes, now: float) -> int:
        return 0 if self.ingest.on_rtp(packet, now) else 1

    def on_rtcp(self, compound: bytes, now: float) -> int:
        return self.ingest.on_rtcp(compound, clock.ntp(), now)

    def disconnected(self) -> None:
        self._room.unpublish(self.ingest)


class Watcher:
    """The endpoint of a WHEP session. `on_live` hears when the viewer has come and when it has left."""

    def __init__(self, room: Room, viewer: Viewer, on_live: Callable[[bool], None]) -> None:
        self._room, self.viewer, self._on_live = room, viewer, on_live
        self._live = False

    def connected(self) -> None:
        self._live = True
        self._room.join(self.viewer)
        self._on_live(True)

    def on_rtp(self, _packet: bytes, _now: float) -> int:
        """A viewer sends no media; what it sends all the same is worth nothing but a count."""
        return 1

    def on_rtcp(self, compound: bytes, now: float) -> int:
        return self.viewer.on_rtcp(compound, now)

    def disconnected(self) -> None:
        self._room.leave(self.viewer)
        if self._live:
            self._live = False
            self._on_live(False)
