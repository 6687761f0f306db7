"""Decides how WHIP and WHEP are described to programs: OpenAPI 3.1 path items, with every refusal of `whip.STATUS`."""

from typing import Any, Final

from media.offer import MAX_OFFER_BYTES
from media.whip import FRAGMENT, SDP, STATUS

Json = dict[str, Any]
#: what may go wrong wherever a token is asked for
ANYWHERE: Final = ("token_missing", "token_invalid", "grant_mismatch", "media_unavailable")
OFFERED: Final = (
    "token_expired",
    "token_revoked",
    "room_closed",
    "room_full",
    "publisher_taken",
    "not_sdp",
    "offer_too_large",
    "body_slow",
    "bad_offer",
    "no_common_codec",
)
#: what is refused to viewers alone
WATCHED: Final = ("uplink_spent", "cpu_spent")
PATCHED: Final = (
    "session_unknown",
    "not_sdp",
    "offer_too_large",
    "body_slow",
    "bad_offer",
    "bad_fragment",
    "etag_missing",
    "etag_old",
)
#: said by a server whose media worker does not answer
AWAY: Final = 503
IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "`*` begins ICE anew.",
}
DOORS: Final = (("whip", "Publish"), ("whep", "Watch"))


def described() -> dict[str, Json]:
    """The path items of RFC 9725 (WHIP) and of WHEP."""
    return {path: item for door, verb in DOORS for path, item in _door(door, verb).items()}


def _door(door: str, verb: str) -> dict[str, Json]:
    offer = f"{verb} in a room: an SDP offer in, the answer out."
    answer = _answer("The answer.", SDP, ("Location", "ETag", "Accept-Patch"))
    refused = OFFERED + (WATCHED if door == "whep" else ())
    return {
        f"/media/{door}/{{room}}": {
            "parameters": [_parameter("room")],
            "post": _operation(f"{door}_offer", offer, {"201": answer}, refused) | _body(SDP),
        },
        f"/media/{door}/{{room}}/{{session}}": {
            "parameters": [_parameter("room"), _parameter("session")],
            "delete": _operation(
                f"{door}_end", "End a session.", {"200": {"description": "Ended, now or before."}}, ()
            ),
            "patch": {"parameters": [IF_MATCH]}
            | _operation(
                f"{door}_trickle",
                "Candidates of the browser, taken and not needed; or its new credentials: ICE begins anew.",
                {"204": {"description": "Taken."}, "200": _answer("Our new credentials.", FRAGMENT, ("ETag",))},
                PATCHED,
            )
            | _body(FRAGMENT),
        },
    }


def _parameter(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _answer(says: str, kind: str, headers: tuple[str, ...]) -> Json:
    required = {name: {"required": True, "schema": {"type": "string"}} for name in headers}
    return {"description": says, "headers": required, "content": {kind: {"schema": {"type": "string"}}}}


def _body(kind: str) -> Json:
    size = f"At most {MAX_OFFER_BYTES} bytes."
    return {"requestBody": {"required": True, "description": size, "content": {kind: {"schema": {"type": "string"}}}}}


def _operation(name: str, summary: str, answers: Json, codes: tuple[str, ...]) -> Json:
    grouped: dict[str, list[str]] = {}
    for code in sorted((*ANYWHERE, *codes)):
        grouped.setdefault(str(STATUS.get(code, AWAY)), []).append(code)
    refusals = {status: _refusal(found) for status, found in grouped.items()}
    return {"operationId": name, "summary": summary, "security": [{"media": []}], "responses": answers | refusals}


def _refusal(codes: list[str]) -> Json:
    properties = {"code": {"enum": codes}, "data": {"type": "object"}}
    schema = {"type": "object", "required": ["code", "data"], "properties": properties, "additionalProperties": False}
    return {"description": ", ".join(codes), "content": {"application/json": {"schema": schema}}}
