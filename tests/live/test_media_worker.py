"""A lesson whose media runs in another process: it comes, goes, is killed and comes back; the lesson goes on."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiortc import RTCPeerConnection
from prometheus_client.parser import text_string_to_metric_families

from media.api import MAX_TOKEN_SECONDS, IceServer, MediaError, MediaSettings, serving
from server.core.clock import ManualClock
from server.core.tasks import Tasks
from server.core.wire.rest import errors_as_json
from server.live.lesson import State
from server.live.media_door import STREAM_KEY
from server.live.media_worker import WorkerMedia
from tests.media.clients import Client, EncodedAudio, Refused, opus_packets, publish, watch
from tests.school import NOON_MS, School, school

KEY = b"0123456789abcdef0123456789abcdef"
SECONDS = 20
VOICE = opus_packets(20)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; far longer than it can take."""
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


class Server:
    """A server's side of the worker, with what it was told of publishers."""

    def __init__(self, path: Path, clock: ManualClock | None = None) -> None:
        self.tasks = Tasks()
        self.clock = clock or ManualClock(NOON_MS)
        self.media = WorkerMedia(path, KEY, self.clock, self.tasks)
        self.told: list[tuple[str, bool]] = []
        self.media.on_published.append(self.hear)
        self.url = ""

    async def hear(self, room: str, live: bool) -> None:
        """Keep it."""
        self.told.append((room, live))

    async def here(self) -> None:
        """Wait for the worker."""
        await until(lambda: self.media._here)


@asynccontextmanager
async def server(path: Path, clock: ManualClock | None = None) -> AsyncIterator[Server]:
    """One that serves the media paths and nothing else."""
    one = Server(path, clock)
    await one.media.start()
    app = web.Application(middlewares=[errors_as_json])
    one.media.routes(app)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield one
    finally:
        await one.media.stop()
        await runner.cleanup()
        await one.tasks.close()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_publisher_and_a_viewer_meet_through_the_server(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    path = tmp_path / "media.sock"
    async with serving(MediaSettings(), KEY, path) as worker, server(path) as one:
        await one.here()
        await one.media.open_room("lesson")
        token = one.media.token("lesson", "teacher", publish=True)
        teacher = await publish(http, one.url, "lesson", token, EncodedAudio(VOICE))
        await until(lambda: one.told == [("lesson", True)])
        trainee, tracks = await watch(
            http, one.url, "lesson", one.media.token("lesson", "a", publish=False), ("audio",)
        )
        async with asyncio.timeout(SECONDS):
            await tracks["audio"].recv()
            while one.media.figures().packets_out == 0:
                await one.media._say()
        seen = one.media.figures()
        assert (seen.viewers, seen.packets_in >= seen.packets_out > 0) == (1, True)
        assert await trainee.delete() == await trainee.delete() == 200
        await one.media.cut("teacher")
        await until(lambda: one.told[-1] == ("lesson", False))
        with pytest.raises(Refused, match="token_revoked"):
            await publish(http, one.url, "lesson", token, EncodedAudio(VOICE))
        await one.media.close_room("lesson")
        await until(lambda: not worker.plane.rooms)
        for each in (teacher, trainee):
            await each.close()


async def test_only_media_paths_pass_and_no_control(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    path = tmp_path / "media.sock"
    async with serving(MediaSettings(), KEY, path), server(path) as one:
        headers = one.media._secret
        for tail in ("control/state", "whip/..%2fcontrol%2fstate", "whip/%2e%2e", "other/lesson"):
            async with http.post(f"{one.url}/media/{tail}", json={}, headers=headers) as answer:
                assert answer.status in (401, 404, 405), tail
        async with http.post(f"{one.url}/media/whip/lesson", data="v=0", headers=headers) as answer:
            assert (answer.status, (await answer.json())["code"]) == (401, "token_missing")
            assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_without_a_worker_the_doors_say_so(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    async with server(tmp_path / "media.sock") as one:
        assert await one.media.problem() == "media_worker_away"
        with pytest.raises(MediaError, match="worker_away"):
            await one.media.open_room("lesson")
        await one.media.cut("peer")
        await one.media.close_room("other")
        async with http.post(f"{one.url}/media/whip/lesson", data="v=0") as answer:
            assert (answer.status, (await answer.json())["code"]) == (503, "media_unavailable")


async def test_a_worker_that_comes_back_is_told_all(tmp_path: Path) -> None:
    path = tmp_path / "media.sock"
    async with server(path) as one:
        async with serving(MediaSettings(), KEY, path) as first:
            await one.here()
            assert await one.media.problem() is None
            for room in ("stays", "ends"):
                await one.media.open_room(room)
            assert set(first.plane.rooms) == {"stays", "ends"}
        await until(lambda: not one.media._here)
        await one.media.close_room("ends")
        await one.media.cut("peer")
        async with serving(MediaSettings(), KEY, path) as second:
            await until(lambda: set(second.plane.rooms) == {"stays"})
            assert second.plane.cuts.recent() == {"peer": NOON_MS / 1000}
            assert not one.media._closed
            one.clock.advance((MAX_TOKEN_SECONDS + 1) * 1_000)
            await one.media._say()
            assert second.plane.cuts.recent() == {}


async def test_each_server_hears_of_its_own_rooms_also_when_it_takes_one_over(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    path = tmp_path / "media.sock"
    async with serving(MediaSettings(), KEY, path) as worker, server(path) as one, server(path) as two:
        await one.here()
        await two.here()
        await one.media.open_room("lesson")
        token = one.media.token("lesson", "teacher", publish=True)
        teacher = await publish(http, two.url, "lesson", token, EncodedAudio(VOICE))
        await until(lambda: one.told == [("lesson", True)])
        await until(lambda: "lesson" in two.media._live)
        assert two.told == []
        for each in (one, two):
            await each.media._say()
        assert one.media.figures().packets_in > two.media.figures().packets_in == 0
        one.media.release("lesson")
        await two.media.open_room("lesson")
        await until(lambda: two.told == [("lesson", True)])
        assert set(worker.plane.rooms) == {"lesson"}
        await teacher.delete()
        await until(lambda: two.told == [("lesson", True), ("lesson", False)])
        assert one.told == [("lesson", True)]
        await teacher.close()


async def test_a_full_worker_refuses_a_room_by_its_code(tmp_path: Path) -> None:
    path = tmp_path / "media.sock"
    async with serving(MediaSettings(max_rooms=1), KEY, path), server(path) as one:
        await one.here()
        await one.media.open_room("a")
        with pytest.raises(MediaError, match="too_many_rooms"):
            await one.media.open_room("b")


# -- the whole house with a worker process ------------------------------------------------------------


@asynccontextmanager
async def worker_process(folder: Path) -> AsyncIterator[Process]:
    """`python -m server media` over the folder, once it is ready."""
    config = folder / "config.yaml"
    config.write_text(f"server:\n  data: {folder}\nmedia:\n  mode: worker\n  udp_port: 0\n")
    command = [sys.executable, "-m", "server", "media", "--config", str(config)]
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, env=dict(os.environ))
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SECONDS):
            assert (await process.stdout.readline()).startswith(b"ready ")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        process._transport.close()  # type: ignore[attr-defined]


async def figure(served: School, name: str) -> float:
    """What `/metrics` says."""
    async with aiohttp.ClientSession(served.url) as session, session.get("/metrics") as answer:
        families = text_string_to_metric_families(await answer.text())
        return next(sample.value for family in families for sample in family.samples if sample.name == name)


async def _publishing(served: School, http: aiohttp.ClientSession, token: str) -> Client:
    return await publish(http, served.url, served.lesson_id, token, EncodedAudio(VOICE))


async def test_a_killed_worker_stops_no_lesson_and_is_used_again(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    """Killed and started again: the page publishes again by its own retry, with the token it has."""
    async with school(tmp_path, media="worker") as served, served.page("teacher") as page:
        live, health = served.house.live, served.house.health
        async with worker_process(tmp_path) as process:
            await until(lambda: served.house.media._here)  # type: ignore[attr-defined]
            await page.join()
            assert (await page.call("lesson:start"))["ok"]
            running = await live.running(served.lesson_id)
            token = (await page.call("lesson:media"))["media"]["token"]
            teacher = await _publishing(served, http, token)
            await until(lambda: running.publisher_live)
            async with asyncio.timeout(SECONDS):
                while await figure(served, "keshi_media_packets_in") == 0:
                    await served.house.media._say()  # type: ignore[attr-defined]
            process.kill()
        await until(lambda: not running.publisher_live)
        assert await figure(served, "keshi_media_packets_in") == 0
        assert running.lesson.state is State.LIVE
        health._asked_ms = float("-inf")
        assert (await health.ready())["media"] == "media_worker_away"
        with pytest.raises(Refused, match="media_unavailable"):
            await _publishing(served, http, token)
        await teacher.close()
        async with worker_process(tmp_path):
            async with asyncio.timeout(SECONDS):
                while not running.publisher_live:
                    try:
                        teacher = await _publishing(served, http, token)
                    except Refused:
                        await asyncio.sleep(0.1)
                        continue
                    await until(lambda: running.publisher_live)
            assert (await page.call("lesson:end"))["ok"]
            await teacher.close()


async def test_a_server_starts_without_its_worker_and_goes_on_with_its_lessons(tmp_path: Path) -> None:
    async with school(tmp_path, media="worker") as before, before.page("teacher") as page, worker_process(tmp_path):
        await until(lambda: before.house.media._here)  # type: ignore[attr-defined]
        await page.join()
        assert (await page.call("lesson:start"))["ok"]
    async with school(tmp_path, ManualClock(NOON_MS + 30_000), media="worker") as after:
        running = await after.house.live.running(after.lesson_id)
        assert running.lesson.state is State.LIVE
        assert after.lesson_id in after.house.media._rooms  # type: ignore[attr-defined]
    async with school(tmp_path / "fresh", media="worker") as fresh, fresh.page("teacher") as page:
        await page.join()
        assert (await page.call("lesson:start"))["code"] == "start_failed"
        assert not fresh.house.media._rooms  # type: ignore[attr-defined]


async def test_what_programs_are_told_of_turn_passes_the_server(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    path = tmp_path / "media.sock"
    settings = MediaSettings(ice_servers=(IceServer(("stun:a", "stun:b")),))
    async with serving(settings, KEY, path), server(path) as one:
        await one.here()
        await one.media.open_room("lesson")
        token = one.media.token("lesson", "teacher", publish=True)
        connection = RTCPeerConnection()
        connection.addTransceiver("audio", direction="sendonly")
        await connection.setLocalDescription(await connection.createOffer())
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        offer = connection.localDescription.sdp
        async with http.post(f"{one.url}/media/whip/lesson", data=offer, headers=headers) as told:
            assert told.status == 201
            assert told.headers.getall("Link") == ['<stun:a>; rel="ice-server"', '<stun:b>; rel="ice-server"']
        await connection.close()


async def test_a_stream_key_opens_the_worker_and_never_reaches_it(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    path = tmp_path / "media.sock"
    key, seen = f"{STREAM_KEY}a key", []

    async def peer(room: str, shown: str, opening: bool) -> str | None:
        seen.append((room, shown, opening))
        return "lesson.key" if shown == key else None

    async with serving(MediaSettings(), KEY, path) as worker, server(path) as one:
        await one.here()
        troubles: list[tuple[str, str]] = []
        one.media.on_trouble.append(heard(troubles))
        one.media.key_peer = peer
        await one.media.open_room("lesson")
        program = await publish(http, one.url, "lesson", key, EncodedAudio(VOICE))
        await until(lambda: one.told == [("lesson", True)])
        (session,) = worker.plane.sessions.values()
        assert session.grant.peer == "lesson.key"
        with pytest.raises(Refused, match="publisher_taken"):
            await publish(http, one.url, "lesson", one.media.token("lesson", "a", publish=True), EncodedAudio(VOICE))
        await until(lambda: troubles == [("lesson", "publisher_taken")])
        with pytest.raises(Refused, match="token_invalid"):
            await publish(http, one.url, "lesson", f"{key}s", EncodedAudio(VOICE))
        assert await program.delete() == 200
        assert seen == [("lesson", key, True), ("lesson", f"{key}s", True), ("lesson", key, False)]
        await program.close()


def heard(told: list[tuple[str, str]]) -> Callable[[str, str], Awaitable[None]]:
    """Keeps what it is told."""

    async def hear(room: str, code: str) -> None:
        told.append((room, code))

    return hear


async def test_what_is_hushed_stays_so_when_the_worker_is_another(tmp_path: Path) -> None:
    path = tmp_path / "media.sock"
    async with server(path) as one:
        await one.media.hush("lesson-1", frozenset({"voice"}))  # it is away: kept
        async with serving(MediaSettings(), KEY, path) as worker:
            await one.here()
            await one.media.open_room("lesson")
            await one.media.open_room("lesson-1")
            assert worker.plane.rooms["lesson-1"].hushed == {"voice"}
            await one.media.hush("lesson-1", frozenset())
            assert worker.plane.rooms["lesson-1"].hushed == set()
        async with serving(MediaSettings(), KEY, path) as worker:
            await until(lambda: worker.plane.rooms.keys() == {"lesson", "lesson-1"})
            await one.media.hush("lesson-1", frozenset({"camera"}))
            await one.media.close_room("lesson")
            await until(lambda: not worker.plane.rooms)
            assert one.media._hushed == {}
