"""The HTTP side: every refusal has its status and code, every resource its end."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiortc import RTCPeerConnection

from media import whip
from media.api import MediaError
from media.offer import MAX_OFFER_BYTES
from tests.media.clients import Client, EncodedAudio, Refused, opus_packets, publish, watch
from tests.media.conftest import Stage, count
from tests.media.strangers import Stranger, check
from tests.media.test_fragment import FRESH

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
    assert await patch(stage, client, "", client.etag) == (404, "", "session_unknown")


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


FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}


async def patch(stage: Stage, client: Client, body: str, tag: str | None, **more: str) -> tuple[int, str, str]:
    """The status, the new entity tag, and the body or the code."""
    headers = {**client.headers, **FRAGMENT, **({} if tag is None else {"If-Match": tag}), **more}
    async with stage.http.patch(stage.base + client.location, data=body, headers=headers) as response:
        text = await response.text()
        said = json.loads(text)["code"] if response.status >= 400 else text
        return response.status, response.headers.get("ETag", ""), said


async def test_candidates_are_taken_under_the_present_entity_tag(stage: Stage) -> None:
    client, _ = await stage.watch("a")
    own = [line for line in client.connection.localDescription.sdp.splitlines() if line.startswith("a=ice-")][:2]
    body = "\r\n".join([*own, "m=audio 9 RTP/AVP 0", "a=mid:0", "a=candidate:1 1 udp 1 192.0.2.1 9 typ host", ""])
    assert await patch(stage, client, body, client.etag) == (204, "", "")
    assert await patch(stage, client, body, f'"x", {client.etag}') == (204, "", "")
    assert await patch(stage, client, "a=end-of-candidates\r\n", "*") == (204, "", "")
    assert await patch(stage, client, body, None) == (428, "", "etag_missing")
    assert await patch(stage, client, body, '"another"') == (412, "", "etag_old")
    assert await patch(stage, client, body, f"W/{client.etag}") == (412, "", "etag_old")
    assert await patch(stage, client, body, client.etag, **SDP) == (415, "", "not_sdp")


async def test_a_bad_fragment_changes_nothing(stage: Stage) -> None:
    client, _ = await stage.watch("a")
    assert await patch(stage, client, "v", "*") == (400, "", "bad_fragment")
    assert await patch(stage, client, "", client.etag) == (204, "", "")


async def test_ice_begins_anew_and_the_stream_goes_on(stage: Stage) -> None:
    """Checks of the new generation, from a new address; until something authenticates there, all goes on as before."""
    await stage.publish(EncodedAudio(opus_packets(50)))
    client, tracks = await stage.watch("a")
    await tracks["audio"].recv()
    before = client.etag
    status, client.etag, body = await patch(stage, client, f"{FRESH}m=audio 9 RTP/AVP 0\r\na=mid:0\r\n", "*")
    assert (status, client.etag == before) == (200, False)
    lines = body.splitlines()
    assert lines[0] == "a=ice-lite"
    assert lines[3:5] == ["m=audio 9 RTP/AVP 0", "a=mid:0"]
    assert f"127.0.0.1 {stage.media.port} typ host" in lines[5]
    ours, password = (line.partition(":")[2] for line in lines[1:3])
    await tracks["audio"].recv()
    with Stranger(stage.media.port) as moved:
        moved.send(check(client, ufrag=ours, own="anew", password="wrong"))
        moved.send(check(client, ufrag=ours, password=password))  # a new name of ours, the old one of theirs
        await count(stage, "stun_unauthenticated", 2)
        moved.send(check(client, ufrag=ours, own="anew", password=password))
        moved.send(check(client))  # until another generation comes, checks of the one before count
        await stage.until(lambda: len(moved.received()) >= 1)
        assert await patch(stage, client, FRESH, before) == (412, "", "etag_old")
        again = FRESH.replace("anew", "more")
        assert (await patch(stage, client, again, client.etag))[0] == 200
        moved.send(check(client))
        await count(stage, "stun_unknown_ufrag")
    plane = stage.media._plane
    assert len(plane._by_ufrag) == 1 + 2
    await tracks["audio"].recv()
    assert await client.delete() == 200
    assert len(plane._by_ufrag) == 1


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
