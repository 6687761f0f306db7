"""Decides what a media token says and when it is believed (RFC 7519, HS256)."""

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

import jwt

from media.errors import MediaError

Kind = Literal["publish", "watch"]
KINDS: tuple[Kind, ...] = ("publish", "watch")
AUDIENCE = "keshi-media"
MAX_TOKEN_CHARS = 1_024
MIN_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave for `peer` to publish into or watch `room` until `expires` (seconds since 1970)."""

    room: str
    peer: str
    kind: Kind
    expires: int


class Tokens:
    """Signs and verifies grants with a key derived from `key` (at least 16 bytes)."""

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise ValueError(f"the media token key has {len(key)} bytes, needs {MIN_KEY_BYTES}")
        self._key = hashlib.sha256(b"keshi media token\0" + key).digest()

    def sign(self, grant: Grant) -> str:
        claims = {
            "aud": AUDIENCE,
            "room": grant.room,
            "sub": grant.peer,
            "kind": grant.kind,
            "exp": grant.expires,
        }
        return jwt.encode(claims, self._key, algorithm="HS256")

    def verify(self, token: str, *, allow_expired: bool = False) -> Grant:
        """The grant of a token. Raises MediaError token_invalid or token_expired.

        `allow_expired` is for ending a session: a lesson outlives the token that opened it.
        """
        if len(token) > MAX_TOKEN_CHARS:
            raise MediaError("token_invalid")
        required = ["aud", "room", "sub", "kind", "exp"]
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                audience=AUDIENCE,
                options={"require": required, "verify_exp": not allow_expired},
            )
        except jwt.ExpiredSignatureError as error:
            raise MediaError("token_expired") from error
        except jwt.PyJWTError as error:
            raise MediaError("token_invalid") from error
        return _grant(claims)


def _grant(claims: dict[str, Any]) -> Grant:
    room, peer, kind, expires = claims["room"], claims["sub"], claims["kind"], claims["exp"]
    if kind not in KINDS or not isinstance(room, str) or not isinstance(peer, str):
        raise MediaError("token_invalid")
    return Grant(room, peer, kind, int(expires))
