"""Tokens: what they say, when they are believed, and how a cut ends them."""

import jwt
import pytest

from media import grants
from media.errors import MediaError
from media.grants import AUDIENCE, MAX_TOKEN_CHARS, MAX_TOKEN_SECONDS, MIN_KEY_BYTES, Cuts, Grant, Tokens

KEY = b"0123456789abcdef"
NOW = 1_795_424_400.123


def grant(issued: float = NOW, seconds: float = 60, peer: str = "peer") -> Grant:
    return Grant("room", peer, "watch", issued, issued + seconds)


def code_of(tokens: Tokens, token: str, now: float | None = NOW) -> str:
    with pytest.raises(MediaError) as refused:
        tokens.verify(token, now)
    return refused.value.code


def test_a_grant_comes_back() -> None:
    tokens = Tokens(KEY)
    assert tokens.verify(tokens.sign(grant()), NOW) == grant()


def test_a_grant_ends_by_the_clock_that_is_given_and_then_only_ends_sessions() -> None:
    tokens, token = Tokens(KEY), Tokens(KEY).sign(grant())
    assert tokens.verify(token, NOW + 59.999) == grant()
    assert code_of(tokens, token, NOW + 60) == "token_expired"
    assert tokens.verify(token, None) == grant()


def test_another_key_another_purpose_another_shape_are_refused() -> None:
    tokens = Tokens(KEY)
    assert code_of(tokens, Tokens(KEY + b"!").sign(grant())) == "token_invalid"
    assert code_of(tokens, "nonsense") == "token_invalid"
    assert code_of(tokens, "\udcff\udcfe") == "token_invalid"  # bytes of a header that are no text
    assert code_of(tokens, "x" * (MAX_TOKEN_CHARS + 1)) == "token_invalid"
    claims = {"aud": AUDIENCE, "room": "room", "sub": "peer", "kind": "watch", "iat": NOW, "exp": NOW + 60}
    assert tokens.verify(jwt.encode(claims, tokens._key, "HS256"), NOW) == grant()
    for wrong in ({"kind": "own"}, {"aud": "other"}, {"room": 7}, {"iat": "now"}, {"exp": None}):
        assert code_of(tokens, jwt.encode({**claims, **wrong}, tokens._key, "HS256")) == "token_invalid"
    for lacking in claims:
        some = {name: value for name, value in claims.items() if name != lacking}
        assert code_of(tokens, jwt.encode(some, tokens._key, "HS256")) == "token_invalid"
    assert code_of(tokens, jwt.encode(claims, "", "none")) == "token_invalid"


def test_no_token_outlives_what_is_remembered_of_cuts() -> None:
    tokens, longest = Tokens(KEY), grant(1_000, MAX_TOKEN_SECONDS)
    assert MAX_TOKEN_SECONDS == 600
    assert tokens.verify(tokens.sign(longest), 1_000) == longest
    with pytest.raises(ValueError, match="600 s"):
        tokens.sign(grant(1_000, MAX_TOKEN_SECONDS + 1))
    claims = {"aud": AUDIENCE, "room": "room", "sub": "peer", "kind": "watch", "iat": 1_000, "exp": 1_601}
    assert code_of(tokens, jwt.encode(claims, tokens._key, "HS256"), 1_000) == "token_invalid"


def test_a_short_key_stops_the_start() -> None:
    Tokens(bytes(MIN_KEY_BYTES))
    with pytest.raises(ValueError, match="15 bytes"):
        Tokens(bytes(MIN_KEY_BYTES - 1))


class Time:
    """Seconds, set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def revoked(cuts: Cuts, one: Grant) -> bool:
    try:
        cuts.check(one)
    except MediaError as error:
        return error.code == "token_revoked"
    return False


def test_a_cut_refuses_tokens_until_its_moment_for_as_long_as_they_live() -> None:
    time = Time()
    cuts = Cuts(time)
    cuts.add("peer", NOW + 5)
    cuts.add("peer", NOW + 1)  # one that is told late takes nothing back
    assert revoked(cuts, grant(NOW + 5))
    assert not revoked(cuts, grant(NOW + 5.001))
    assert not revoked(cuts, grant(NOW + 1, peer="other"))
    time.now = NOW + 5 + MAX_TOKEN_SECONDS
    assert cuts.recent() == {"peer": NOW + 5}
    time.now += 1
    assert cuts.recent() == {}


def test_nothing_is_believed_from_before_a_plane_knew_of_cuts() -> None:
    cuts = Cuts(Time())
    assert revoked(cuts, grant(NOW - 0.001))
    assert not revoked(cuts, grant(NOW))


def test_old_cuts_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "TIDY_CUTS", 10)
    time = Time()
    cuts = Cuts(time)
    for number in range(200):
        time.now += 60
        cuts.add(f"peer{number}", time.now)
        assert len(cuts._at) <= 22
