"""Decides what a media token says and when it is believed (RFC 7519, HS256).

Times are seconds since 1970 on the clock of those who sign; whoever verifies is given the same clock.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jwt

from media.errors import MediaError

Kind = Literal["publish", "watch"]
KINDS: tuple[Kind, ...] = ("publish", "watch")
AUDIENCE = "keshi-media"
MAX_TOKEN_CHARS = 1_024
MIN_KEY_BYTES = 16
#: no token lives longer, so that a cut need not be remembered for longer
MAX_TOKEN_SECONDS = 600
#: old cuts are looked for when there are so many
TIDY_CUTS = 1_000
#: rooms in which lines are tried before a lesson begin so; no lesson's id does
CHECK = "check"
REQUIRED = ("aud", "room", "sub", "kind", "iat", "exp")


def is_check(room: str) -> bool:
    """Whether nothing is taught in this room: it is never recorded, nor counted among the rooms of lessons."""
    return room.startswith(CHECK)


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave for `peer` to publish into or watch `room`, from `issued` until `expires`."""

    room: str
    peer: str
    kind: Kind
    issued: float
    expires: float


class Tokens:
    """Signs and verifies grants with a key derived from `key` (at least 16 bytes)."""

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise ValueError(f"the media token key has {len(key)} bytes, needs {MIN_KEY_BYTES}")
        self._key = hashlib.sha256(b"keshi media token\0" + key).digest()

    def sign(self, grant: Grant) -> str:
        """The bearer token for a grant. Raises ValueError when it would live too long."""
        if grant.expires - grant.issued > MAX_TOKEN_SECONDS:
            raise ValueError(f"a media token lives {MAX_TOKEN_SECONDS} s at most")
        claims = {
            "aud": AUDIENCE,
            "room": grant.room,
            "sub": grant.peer,
            "kind": grant.kind,
            "iat": grant.issued,
            "exp": grant.expires,
        }
        return jwt.encode(claims, self._key, algorithm="HS256")

    def verify(self, token: str, now: float | None) -> Grant:
        """The grant of a token. Raises MediaError token_invalid or token_expired.

        Without `now` any age will do: that is for ending a session, because a lesson outlives the token that opened it.
        """
        if len(token) > MAX_TOKEN_CHARS or not token.isascii():
            raise MediaError("token_invalid")
        # The times are judged below, by the clock of the lesson and not by the machine's.
        options: Any = {"require": list(REQUIRED), "verify_exp": False, "verify_iat": False}
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"], audience=AUDIENCE, options=options)
        except jwt.PyJWTError as error:
            raise MediaError("token_invalid") from error
        grant = _grant(claims)
        if now is not None and now >= grant.expires:
            raise MediaError("token_expired")
        return grant


class Cuts:
    """Who was cut off and when. A token issued until then is refused; a cut is kept for as long as tokens live."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._at: dict[str, float] = {}
        self._tidy_at = TIDY_CUTS
        self.floor = now()
        """What is older than this may have been cut without our knowing."""

    def add(self, peer: str, at: float) -> None:
        self._at[peer] = max(at, self._at.get(peer, -math.inf))
        if len(self._at) >= self._tidy_at:
            self._tidy_at = max(TIDY_CUTS, 2 * len(self.recent()))

    def knows(self, peer: str, at: float) -> bool:
        """Whether this cut, or a later one, was told before."""
        return self._at.get(peer, -math.inf) >= at

    def check(self, grant: Grant) -> None:
        """Raises MediaError token_revoked."""
        if grant.issued < self.floor or grant.issued <= self._at.get(grant.peer, -math.inf):
            raise MediaError("token_revoked")

    def recent(self) -> dict[str, float]:
        """The cuts that still matter; the others are forgotten."""
        oldest = self._now() - MAX_TOKEN_SECONDS
        self._at = {peer: at for peer, at in self._at.items() if at >= oldest}
        return dict(self._at)


def _grant(claims: dict[str, Any]) -> Grant:
    room, peer, kind = claims["room"], claims["sub"], claims["kind"]
    issued, expires = claims["iat"], claims["exp"]
    if kind not in KINDS or not isinstance(room, str) or not isinstance(peer, str):
        raise MediaError("token_invalid")
    if not all(isinstance(one, int | float) for one in (issued, expires)) or expires - issued > MAX_TOKEN_SECONDS:
        raise MediaError("token_invalid")
    return Grant(room, peer, kind, float(issued), float(expires))
