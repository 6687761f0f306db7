"""Decides how VP8 from RTP becomes a picture. Pure (RFC 7741 section 4.2, RFC 6386 section 9.1)."""

from collections.abc import Sequence

from media.h264 import Sets
from media.packets import starts_keyframe, vp8_body, vp8_size

VP8 = "VP8"
#: a payload descriptor says: here begins the first partition
BEGINS, PARTITION = 0x10, 0x07


def picture(payloads: Sequence[bytes]) -> tuple[bool, Sets | None, bytes] | None:
    """(whether a keyframe, what it says, data) of the RTP payloads of one picture; None: they do not fit together."""
    bodies = [vp8_body(payload) for payload in payloads]
    if not all(bodies) or payloads[0][0] & (BEGINS | PARTITION) != BEGINS:
        return None
    data = b"".join(payload[at:] for payload, at in zip(payloads, bodies, strict=True))
    if not starts_keyframe(VP8, payloads[0]):
        return False, None, data
    size = vp8_size(payloads[0])
    return None if size is None else (True, Sets(b"", b"", "vp8", *size), data)
