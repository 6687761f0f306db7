"""Decides what a consumer that is no WebRTC viewer gets of a room: its rewritten stream, packet by packet, as it is."""

from typing import Protocol

from media.packets import AUDIO, VIDEO

#: names of slots that consumers may see: the big picture, the small one of the same camera, the screen, the voice
CAMERA, CAMERA_LOW, SCREEN, VOICE = "camera", "camera_low", "screen", "voice"
NAMES = {VIDEO: CAMERA, AUDIO: VOICE}
#: in the order of an offer's sections of their kind: what a publisher sends, and what a viewer is sent
PUBLISHED = {AUDIO: (VOICE,), VIDEO: (CAMERA, CAMERA_LOW, SCREEN)}
WATCHED = {AUDIO: (VOICE,), VIDEO: (CAMERA, SCREEN)}


class Tap(Protocol):
    """A subscriber. Called in the reader of packets: it must neither wait nor raise."""

    def packet(
        self, slot: str, codec: str, sequence: int, timestamp: int, payload: bytes, moment: float, *, marker: bool
    ) -> None:
        """One packet in order of arrival: a retransmission comes late, its `sequence` (16 bits) says where it belongs.

        `sequence` and `timestamp` (32 bits, 90 kHz or 48 kHz) go on unbroken when the source changes; `codec` is
        "H264", "VP8" or "OPUS". `moment`: seconds since 1970, one clock for all slots of a room: when it was captured
        as far as the publisher's reports tell, until they do when it arrived. `marker`: the last packet of a picture.
        """

    def gone(self, slot: str) -> None:
        """Nothing more comes from this source; another may take its place."""
