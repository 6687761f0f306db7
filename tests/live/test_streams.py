"""A lesson's stream key: who makes it, what it opens, and everything that ends it; through the real doors."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from server.live.media_door import STREAM_KEY
from server.live.records import key_of
from server.live.streams import KEY_CHARS, key_peer
from tests.media.clients import Client, EncodedAudio, Refused, opus_packets, publish
from tests.school import Page, School, plan, school

VOICE = opus_packets(20)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with school(tmp_path) as running:
        yield running


@pytest.fixture
async def teacher(served: School) -> AsyncIterator[Page]:
    """The instructor's page, the lesson begun."""
    async with served.page("teacher") as page:
        await page.join()
        assert (await page.call("lesson:start"))["ok"]
        yield page


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@dataclass
class Studio:
    """Programs elsewhere: no cookie, no Origin, nothing but a key."""

    served: School
    http: aiohttp.ClientSession
    clients: list[Client] = field(default_factory=list)

    async def stream(self, key: str, room: str = "") -> Client:
        """Publish. Raises Refused."""
        client = await publish(self.http, self.served.url, room or self.served.lesson_id, key, EncodedAudio(VOICE))
        self.clients.append(client)
        await client.connected()
        return client

    async def refusal(self, key: str, room: str = "") -> str:
        with pytest.raises(Refused) as refused:
            await self.stream(key, room)
        return refused.value.code


@pytest.fixture
async def studio(served: School) -> AsyncIterator[Studio]:
    async with aiohttp.ClientSession() as http:
        one = Studio(served, http)
        yield one
        for client in one.clients:
            await client.close()


async def made(page: Page) -> str:
    answer = await page.call("lesson:stream_key")
    assert answer["ok"], answer
    assert answer["whip"] == f"/media/whip/{page.school.lesson_id}"
    key: str = answer["key"]
    assert (len(key), key[:3]) == (KEY_CHARS, STREAM_KEY)
    return key


async def test_a_key_publishes_until_the_program_ends_it(served: School, studio: Studio, teacher: Page) -> None:
    key = await made(teacher)
    client = await studio.stream(key)
    running = await served.house.live.running(served.lesson_id)
    await until(lambda: running.publisher_live)
    assert served.media.stats(served.lesson_id).publisher == key_peer(served.lesson_id)
    headers = {**client.headers, "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": client.etag}
    async with client.http.patch(served.url + client.location, data="", headers=headers) as patched:
        assert patched.status == 204
    async with client.http.delete(served.url + client.location, headers={"Authorization": "Bearer ks_"}) as refused:
        assert refused.status == 401
    assert await client.delete() == 200
    await until(lambda: not running.publisher_live)


async def test_a_key_is_shown_once_and_only_its_digest_is_kept(served: School, studio: Studio, teacher: Page) -> None:
    with capture_logs() as logged:
        key = await made(teacher)
        client = await studio.stream(key)
        await client.delete()
    looked = (await teacher.call("lesson:stream_look"))["stream"]
    assert looked["made_at"] is not None
    async with served.house.store.database.read() as connection:
        kept = await key_of(connection, served.lesson_id)
    assert kept is not None
    assert kept.digest not in repr(kept)
    for told in (json.dumps(looked), repr(kept), kept.digest, repr(logged)):
        assert key not in told


async def test_a_key_counts_in_its_header_only(served: School, studio: Studio, teacher: Page) -> None:
    key = await made(teacher)
    path = f"{served.url}/media/whip/{served.lesson_id}"
    async with aiohttp.ClientSession(headers={"Content-Type": "application/sdp"}) as http:
        for name in ("token", "access_token", "key"):
            async with http.post(f"{path}?{name}={key}", data="v=0") as answer:
                assert (answer.status, (await answer.json())["code"]) == (401, "token_missing")
        async with http.post(path, data="v=0", headers={"Cookie": f"token={key}"}) as answer:
            assert answer.status == 401


async def test_a_key_is_for_one_lesson_and_for_publishing(served: School, studio: Studio, teacher: Page) -> None:
    key = await made(teacher)
    other = await plan(served.house, served.class_id, served.ids["teacher"], 2, served.clock.ms())
    await served.media.open_room(other)
    assert await studio.refusal(key, other) == "token_invalid"
    for wrong in (key[:-1] + ("A" if key[-1] != "A" else "B"), key[:-1], key + "A", STREAM_KEY):
        assert await studio.refusal(wrong) == "token_invalid"
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/sdp"}
    path = f"{served.url}/media/whep/{served.lesson_id}"
    async with aiohttp.ClientSession(headers=headers) as http, http.post(path, data="v=0") as answer:
        assert (answer.status, (await answer.json())["code"]) == (401, "token_invalid")


async def test_one_publishes_at_a_time_and_the_instructor_hears_of_the_other(
    served: School, studio: Studio, teacher: Page
) -> None:
    key = await made(teacher)
    media = (await teacher.call("lesson:media"))["media"]
    async with aiohttp.ClientSession() as http:
        camera = await publish(http, served.url, served.lesson_id, media["token"], EncodedAudio(VOICE))
        await camera.connected()
        assert await studio.refusal(key) == "publisher_taken"
        await until(lambda: any(told["trouble"] == "publisher_taken" for told in teacher.heard("lesson:stream")))
        await camera.delete()
        await camera.close()
    await studio.stream(key)
    await studio.stream(key)  # the program was started anew: the newer one counts
    await until(lambda: len(served.sessions) == 1)
    await until(lambda: teacher.heard("lesson:stream")[-1]["trouble"] is None)


async def _replaced(_served: School, page: Page) -> None:
    await made(page)


async def _revoked(_served: School, page: Page) -> None:
    assert (await page.call("lesson:stream_revoke"))["stream"]["made_at"] is None


async def _ended(_served: School, page: Page) -> None:
    assert (await page.call("lesson:end"))["ok"]


async def _signed_out(_served: School, page: Page) -> None:
    async with page.session.post("/api/v1/logout", json={}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("ending", [_replaced, _revoked, _ended, _signed_out])
async def test_what_ends_a_key_ends_what_is_published_with_it(
    served: School, studio: Studio, teacher: Page, ending: Callable[[School, Page], Any]
) -> None:
    key = await made(teacher)
    await studio.stream(key)
    assert len(served.sessions) == 1
    await ending(served, teacher)
    await until(lambda: not served.sessions)
    assert await studio.refusal(key) == "token_invalid"


async def test_after_a_restart_a_login_that_ended_ends_the_stream(
    served: School, studio: Studio, teacher: Page
) -> None:
    """Media outlives the server in a process of its own; what was ours in memory is gone."""
    key = await made(teacher)
    await studio.stream(key)
    await until(lambda: bool(teacher.heard("lesson:stream")))
    served.house.live._peers.clear()
    async with served.house.store.database.read() as connection:
        kept = await key_of(connection, served.lesson_id)
    assert kept is not None
    await served.house.accounts.sessions.end(kept.session_id)
    assert len(served.sessions) == 1
    for published in served.house.media.on_published:
        await published(served.lesson_id, True)
    await until(lambda: not served.sessions)


async def test_only_the_instructor_and_only_before_the_end(served: School, studio: Studio, teacher: Page) -> None:
    async with served.page("staff") as staff:
        for command in ("lesson:stream_key", "lesson:stream_look", "lesson:stream_revoke"):
            assert (await staff.call(command))["code"] == "forbidden"
    await teacher.call("lesson:end")
    assert (await teacher.call("lesson:stream_key"))["code"] == "lesson_ended"
    assert (await teacher.call("lesson:stream_look"))["stream"]["made_at"] is None
