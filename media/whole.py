"""Decides which offers are refused as a whole: those of which a part could not be seen or heard. Pure."""

from collections.abc import Mapping

from media.errors import MediaError
from media.offer import Offer
from media.packets import AUDIO, VIDEO
from media.room import Room
from media.tap import CAMERA

SENDING = ("sendonly", "sendrecv")
#: codecs that a refusal names
MOST_NAMED = 16


def check_whole(offer: Offer) -> None:
    """Refuse pictures or a voice of which none can be carried: better told than half seen (RFC 9725 section 4.4.3)."""
    for kind in (AUDIO, VIDEO):
        sent = [each for each in offer.sections if each.kind == kind and each.description.direction in SENDING]
        if sent and not any(each.codecs for each in sent):
            offered = sorted({codec.name for each in sent for codec in each.description.rtp.codecs})
            raise MediaError("no_common_codec", offered=offered[:MOST_NAMED])


def check_watchable(room: Room, offer: Offer, usable: Mapping[str, object]) -> None:
    """Refuse one who asks for pictures but cannot be sent the present ones: better told than left with a black page."""
    video = room.slots[CAMERA]
    asked = any(section.kind == VIDEO for section in offer.sections)
    if asked and video.live and video.codec not in usable:
        raise MediaError("no_common_codec", needed=video.codec)
