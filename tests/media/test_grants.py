"""Tokens: what they say, when they are believed."""

import jwt
import pytest

from media import clock
from media.errors import MediaError
from media.grants import AUDIENCE, MAX_TOKEN_CHARS, MIN_KEY_BYTES, Grant, Tokens

KEY = b"0123456789abcdef"


def in_seconds(seconds: int) -> int:
    return int(clock.utc().timestamp()) + seconds


def code_of(tokens: Tokens, token: str) -> str:
    with pytest.raises(MediaError) as refused:
        tokens.verify(token)
    return refused.value.code


def test_a_grant_comes_back() -> None:
    tokens, grant = Tokens(KEY), Grant("room", "peer", "publish", in_seconds(60))
    assert tokens.verify(tokens.sign(grant)) == grant


def test_an_expired_grant_only_ends_sessions() -> None:
    tokens, grant = Tokens(KEY), Grant("room", "peer", "watch", in_seconds(-1))
    assert code_of(tokens, tokens.sign(grant)) == "token_expired"
    assert tokens.verify(tokens.sign(grant), allow_expired=True) == grant


def test_another_key_another_purpose_another_shape_are_refused() -> None:
    tokens = Tokens(KEY)
    good = Grant("room", "peer", "watch", in_seconds(60))
    assert code_of(tokens, Tokens(KEY + b"!").sign(good)) == "token_invalid"
    assert code_of(tokens, "nonsense") == "token_invalid"
    assert code_of(tokens, "x" * (MAX_TOKEN_CHARS + 1)) == "token_invalid"
    claims = {"aud": AUDIENCE, "room": "room", "sub": "peer", "kind": "watch", "exp": in_seconds(60)}
    for wrong in ({"kind": "own"}, {"aud": "other"}, {"room": 7}):
        assert code_of(tokens, jwt.encode({**claims, **wrong}, tokens._key, "HS256")) == "token_invalid"
    for lacking in claims:
        some = {name: value for name, value in claims.items() if name != lacking}
        assert code_of(tokens, jwt.encode(some, tokens._key, "HS256")) == "token_invalid"
    assert code_of(tokens, jwt.encode(claims, "", "none")) == "token_invalid"


def test_a_short_key_stops_the_start() -> None:
    Tokens(bytes(MIN_KEY_BYTES))
    with pytest.raises(ValueError, match="15 bytes"):
        Tokens(bytes(MIN_KEY_BYTES - 1))
