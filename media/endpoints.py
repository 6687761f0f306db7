"""Decides what a connected peer is in its room: the publisher, or one of the viewers."""

from collections.abc import Callable, Mapping

from media import clock
from media.forwarder import Viewer
from media.ingest import Ingest
from media.offer import Codec, Offer
from media.peer import Peer
from media.room import Room


class Publisher:
    """The endpoint of a WHIP session."""

    def __init__(
        self, room: Room, name: str, peer: Peer, chosen: Mapping[str, Codec], offer: Offer, max_kbps: int
    ) -> None:
        self._room, self._name = room, name
        extensions = [
            entry for each in offer.sections if each.codecs for entry in each.description.rtp.headerExtensions
        ]
        self.ingest = Ingest(chosen, extensions, peer.send_rtcp, room.push, room.synchronise, max_kbps)

    def connected(self) -> None:
        self._room.publish(self._name, self.ingest)

    def on_rtp(self, packet: bytes, now: float) -> int:
        return 0 if self.ingest.on_rtp(packet, now) else 1

    def on_rtcp(self, compound: bytes, now: float) -> int:
        return self.ingest.on_rtcp(compound, clock.ntp(), now)

    def disconnected(self) -> bool:
        """Leave the room. True if others had been told that this peer's media is there."""
        return self._room.unpublish(self.ingest)


class Watcher:
    """The endpoint of a WHEP session."""

    def __init__(
        self, room: Room, name: str, peer: Peer, usable: Mapping[str, Codec], on_live: Callable[[], None]
    ) -> None:
        self._room, self._on_live = room, on_live
        self._live = False
        self.viewer = Viewer(name, peer, usable, room.slots, room.ask_keyframe)

    def connected(self) -> None:
        self._live = True
        self._room.join(self.viewer)
        self._on_live()

    def on_rtp(self, packet: bytes, now: float) -> int:
        """A viewer sends no media; what it sends all the same is worth nothing but a count."""
        return 1

    def on_rtcp(self, compound: bytes, now: float) -> int:
        return self.viewer.on_rtcp(compound, now)

    def disconnected(self) -> bool:
        """Leave the room. True if others had been told that this viewer is there."""
        was_live, self._live = self._live, False
        self._room.leave(self.viewer)
        return was_live
