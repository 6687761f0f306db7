"""Decides which datagrams are ICE checks, and which session they are for: hostile bytes are counted, never raised."""

import struct
from collections import Counter

from aioice import stun

_ERRORS = (ValueError, IndexError, KeyError, OverflowError, TypeError, struct.error)


def read_check(datagram: bytes, counts: Counter[str]) -> stun.Message | None:
    """The check, not authenticated yet; None, and counted, when it is none (RFC 8489)."""
    try:
        message = stun.parse_message(datagram)
    except _ERRORS:
        counts["stun_malformed"] += 1
        return None
    if message.message_method != stun.Method.BINDING or message.message_class != stun.Class.REQUEST:
        counts["stun_not_a_check"] += 1
        return None
    return message


def ufrag_of(message: stun.Message) -> str:
    """Our part of the name that a check is made with."""
    return str(message.attributes.get("USERNAME", "")).partition(":")[0]
