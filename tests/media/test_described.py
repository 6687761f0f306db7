"""What programs are told of WHIP and WHEP is what the doors do: every refusal, and none that never comes."""

from typing import Any

from media.described import described
from media.whip import STATUS

#: refusals of live HLS, which is for players and not described here: docs/protocol.md tells of them
BY_HLS = {"rendition_unknown", "piece_gone", "nothing_yet", "too_fast"}


def codes(path: str, method: str) -> dict[str, int]:
    """The refusals of an operation, with their status."""
    responses: dict[str, Any] = described()[path][method]["responses"]
    return {
        code: int(status)
        for status, answer in responses.items()
        if "application/json" in answer.get("content", {})
        for code in answer["content"]["application/json"]["schema"]["properties"]["code"]["enum"]
    }


def test_every_refusal_of_media_is_described_with_its_status() -> None:
    told: dict[str, int] = {}
    for path, item in described().items():
        for method in item.keys() & {"post", "patch", "delete"}:
            told |= codes(path, method)
    assert told == {code: status for code, status in STATUS.items() if code not in BY_HLS} | {"media_unavailable": 503}


def test_only_an_offer_meets_a_cut_and_an_end_never_comes_too_late() -> None:
    session = "/media/whip/{room}/{session}"
    assert "token_revoked" in codes("/media/whip/{room}", "post")
    assert "token_revoked" not in codes(session, "patch")
    assert "session_unknown" not in codes(session, "delete")
    assert "200" in described()[session]["delete"]["responses"]
