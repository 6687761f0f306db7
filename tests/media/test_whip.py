"""The HTTP side: every refusal has its status and code, every resource its end."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiortc import RTCPeerConnection

from media import whip
from media.api import MediaError
from media.offer import MAX_OFFER_BYTES
from tests.media.clients import EncodedAudio, Refused, opus_packets, publish, watch
from tests.media.conftest import Stage

SDP = {"Content-Type": "application/sdp"}


async def offer(kind: str = "audio", direction: str = "recvonly") -> str:
    connection = RTCPeerConnection()
    connection.addTransceiver(kind, direction=direction)
    await connection.setLocalDescription(await connection.createOffer())
    text = connection.localDescription.sdp
    await connection.close()
    return text


async def post(stage: Stage, path: str, body: str | bytes, headers: dict[str, str]) -> tuple[int, str]:
    async with stage.http.post(f"{stage.base}/media/{path}", data=body, headers=headers) as response:
        if response.status == 201:
            return 201, ""
        refusal = json.loads(await response.text())
        assert set(refusal) == {"code", "data"}
        return response.status, refusal["code"]


async def test_tokens_open_the_door_and_nothing_else(stage: Stage) -> None:
    body = await offer()
    expected = {
        "": (401, "token_missing"),
        "Basic abc": (401, "token_missing"),
        "Bearer abc": (401, "token_invalid"),
        f"Bearer {stage.token('watch', 'a', seconds=-1)}": (401, "token_expired"),
        f"Bearer {stage.token('publish', 'a')}": (403, "grant_mismatch"),
        f"Bearer {stage.token('watch', 'a', room='other')}": (403, "grant_mismatch"),
        f"Bearer {stage.token('watch', 'a')}": (201, ""),
    }
    for header, answer in expected.items():
        assert await post(stage, "whep/lesson", body, {**SDP, "Authorization": header}) == answer


async def test_a_room_must_be_open(stage: Stage) -> None:
    headers = {**SDP, "Authorization": f"Bearer {stage.token('watch', 'a', room='closed')}"}
    assert await post(stage, "whep/closed", await offer(), headers) == (404, "room_closed")
    with pytest.raises(MediaError, match="room_closed"):
        stage.media.stats("closed")


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        ("v=0", "text/plain", (415, "not_sdp")),
        ("v=0", "application/sdp", (422, "bad_offer")),
        (b"\xff\xfe", "application/sdp", (422, "bad_offer")),
        ("", "application/sdp", (422, "bad_offer")),
        ("a" * MAX_OFFER_BYTES, "application/sdp", (422, "bad_offer")),
        ("a" * (MAX_OFFER_BYTES + 1), "application/sdp", (413, "offer_too_large")),
    ],
)
async def test_bad_bodies_are_refused(
    stage: Stage, body: str | bytes, content_type: str, expected: tuple[int, str]
) -> None:
    headers = {"Authorization": f"Bearer {stage.token('watch', 'a')}", "Content-Type": content_type}
    assert await post(stage, "whep/lesson", body, headers) == expected


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_packed_offer_is_refused_unread(stage: Stage, encoding: str) -> None:
    headers = {**SDP, "Authorization": f"Bearer {stage.token('watch', 'a')}", "Content-Encoding": encoding}
    assert await post(stage, "whep/lesson", b"v=0", headers) == (422, "bad_offer")


async def test_a_body_that_does_not_come_is_not_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whip, "BODY_SECONDS", 0.1)

    async def slowly() -> AsyncIterator[bytes]:
        yield b"v=0"
        await asyncio.sleep(1)

    headers = {**SDP, "Authorization": f"Bearer {stage.token('watch', 'a')}"}
    async with stage.http.post(f"{stage.base}/media/whep/lesson", data=slowly(), headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (408, "body_slow")


async def test_a_viewer_cannot_publish_with_a_recvonly_offer(stage: Stage) -> None:
    headers = {**SDP, "Authorization": f"Bearer {stage.token('publish', 'a')}"}
    assert await post(stage, "whip/lesson", await offer(direction="recvonly"), headers) == (422, "no_common_codec")


async def test_a_full_room_says_so_and_a_reload_is_not_one_more(hasty_stage: Stage) -> None:
    body = await offer()
    headers = [{**SDP, "Authorization": f"Bearer {hasty_stage.token('watch', peer)}"} for peer in "abc"]
    assert await post(hasty_stage, "whep/lesson", body, headers[0]) == (201, "")
    assert await post(hasty_stage, "whep/lesson", body, headers[1]) == (201, "")
    assert await post(hasty_stage, "whep/lesson", body, headers[1]) == (201, "")
    assert await post(hasty_stage, "whep/lesson", body, headers[2]) == (503, "room_full")


async def test_a_resource_is_deleted_once_and_only_by_its_owner(stage: Stage) -> None:
    client, _ = await stage.watch("a")
    thief = {"Authorization": f"Bearer {stage.token('watch', 'b')}"}
    async with stage.http.delete(stage.base + client.location, headers=thief) as response:
        assert (response.status, (await response.json())["code"]) == (403, "grant_mismatch")
    client.token = stage.token("watch", "a", seconds=-60)
    assert await client.delete() == 200
    assert await client.delete() == 200
    await stage.until(lambda: client.connection.connectionState == "closed")
    assert stage.told() == [("viewer_live", "a"), ("viewer_gone", "a")]


async def test_the_end_of_what_a_lesson_has_ended_is_no_error(stage: Stage) -> None:
    client, _ = await stage.watch("a")
    await stage.media.close_room("lesson")
    assert await client.delete() == 200
    async with stage.http.delete(stage.base + client.location) as response:
        assert (response.status, (await response.json())["code"]) == (401, "token_missing")
    headers = {**client.headers, "Content-Type": "application/trickle-ice-sdpfrag"}
    async with stage.http.patch(stage.base + client.location, data="", headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (404, "session_unknown")


async def test_a_cut_refuses_what_was_issued_before_it_and_nothing_else(stage: Stage) -> None:
    body = await offer()
    before, others = stage.token("watch", "a"), stage.token("watch", "b")
    await stage.media.cut("a")
    fresh = stage.token("watch", "a")
    for token, answer in ((before, (401, "token_revoked")), (others, (201, "")), (fresh, (201, ""))):
        headers = {**SDP, "Authorization": f"Bearer {token}"}
        assert await post(stage, "whep/lesson", body, headers) == answer


async def test_a_cut_that_is_told_again_ends_nothing_opened_since(stage: Stage) -> None:
    await stage.watch("a")
    at = stage.media._plane.now()
    stage.media._plane.cut("a", at)
    assert stage.media.stats("lesson").viewers == ()
    await stage.watch("a")
    stage.media._plane.cut("a", at)
    assert stage.media.stats("lesson").viewers == ("a",)


async def test_a_cut_while_an_offer_is_on_its_way_counts(stage: Stage) -> None:
    """The token was good when the request began."""
    body = (await offer()).encode()

    async def slowly() -> AsyncIterator[bytes]:
        yield body[:100]
        await asyncio.sleep(0.2)
        await stage.media.cut("a")
        yield body[100:]

    headers = {**SDP, "Authorization": f"Bearer {stage.token('watch', 'a')}"}
    async with stage.http.post(f"{stage.base}/media/whep/lesson", data=slowly(), headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (401, "token_revoked")
    assert stage.media.stats("lesson").viewers == ()


async def test_candidates_are_not_needed_and_a_restart_is_refused(stage: Stage) -> None:
    client, _ = await stage.watch("a")
    own = next(line for line in client.connection.localDescription.sdp.splitlines() if line.startswith("a=ice-ufrag:"))
    headers = {**client.headers, "Content-Type": "application/trickle-ice-sdpfrag"}
    for fragment, status in (
        (f"{own}\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n", 204),
        ("a=ice-ufrag:x\r\n", 422),
    ):
        async with stage.http.patch(stage.base + client.location, data=fragment, headers=headers) as response:
            assert response.status == status
    async with stage.http.patch(stage.base + client.location, data="", headers={**headers, **SDP}) as response:
        assert response.status == 415


async def test_closing_a_room_ends_everyone_and_cut_ends_one(stage: Stage) -> None:
    teacher = await stage.publish(EncodedAudio(opus_packets(5)))
    (one, _), (two, _) = await stage.watch("one"), await stage.watch("two")
    await stage.until(lambda: stage.media.stats("lesson").publisher_live)
    await stage.media.cut("one")
    await stage.until(lambda: one.connection.connectionState == "closed")
    assert stage.media.stats("lesson").viewers == ("two",)
    await stage.media.close_room("lesson")
    await stage.media.close_room("lesson")
    await stage.until(lambda: two.connection.connectionState == teacher.connection.connectionState == "closed")
    told = {("viewer_gone", "one"), ("viewer_gone", "two"), ("publisher_gone", "teacher")}
    await stage.until(lambda: told <= set(stage.told()))
    with pytest.raises(Refused, match="room_closed"):
        await watch(stage.http, stage.base, "lesson", stage.token("watch", "one"))


async def test_publishing_with_a_watching_token_is_refused(stage: Stage) -> None:
    with pytest.raises(Refused, match="grant_mismatch"):
        await publish(stage.http, stage.base, "lesson", stage.token("watch", "a"), EncodedAudio(opus_packets(5)))
