"""Everything that may go wrong around a running service: a clear refusal each, nothing acknowledged is lost."""

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio

from server.accounts.rules import SESSION_MS
from server.core.clock import ManualClock, SystemClock
from server.core.wire.declaration import JSON_LIMIT_BYTES
from server.demo.page import Login, Page, Refused, Socket, sign_in
from server.serve import running
from server.settings import Config
from tests.e2e.office import first_login
from tests.e2e.service import ROOT, Service, one_time_secret, run
from tests.e2e.taught import mono, started

pytestmark = pytest.mark.timeout(90)

REFUSED, CLEAN = 2, 0


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path, "--demo")
    service.start()
    yield service
    service.kill()


@pytest.fixture
async def trainee(demo: Service) -> AsyncIterator[Login]:
    login = await sign_in(demo.url, "trainee01", demo.password("trainee01"))
    yield login
    await login.close()


async def test_a_killed_server_loses_nothing_and_the_page_comes_back(demo: Service, trainee: Login) -> None:
    teacher, control, lesson_id = await started(demo)
    page = Page(trainee, lesson_id, "phone", mono)
    joined = await page.join()
    await asyncio.sleep(2)
    acknowledged = (await page.beat())["credit_ms"]
    assert acknowledged >= 1_900
    demo.kill()
    async with asyncio.timeout(10):
        await control.lost.wait()
    await page.drop()
    await control.close()
    down = time.monotonic()
    demo.start()
    control = Socket(teacher)
    await control.open()
    await control.call("lesson:join", lesson_id=lesson_id, device="desktop", page="the-teacher")
    strips = await trainee.get(f"/api/v1/lessons/{lesson_id}/strips")
    assert strips["rows"][0]["totals"]["credit_ms"] >= acknowledged, "what was acknowledged is on disk"
    again = await page.join()
    assert (again["lease"]["epoch"], again["lease"]["seq"]) == (joined["lease"]["epoch"], 1), "the same lease goes on"
    after = (await page.beat())["credit_ms"]
    assert after >= acknowledged + (time.monotonic() - down) * 1000 - 1_000, "a hole under 60 s costs nothing"
    await page.leave()
    await control.close()
    await teacher.close()


async def test_ctrl_c_in_the_middle_of_a_lesson_ends_cleanly(demo: Service, trainee: Login) -> None:
    teacher, control, lesson_id = await started(demo)
    page = Page(trainee, lesson_id, "phone", mono)
    await page.join()
    await trainee.post("/api/v1/demo/lesson")
    code, seconds = await asyncio.to_thread(demo.interrupt)
    assert (code, seconds < 5) == (CLEAN, True)
    assert "Traceback" not in demo.output()
    await page.drop()
    await control.close()
    await teacher.close()


def test_a_second_start_is_quick_and_changes_nothing(demo: Service) -> None:
    accounts = (demo.data / "accounts.json").read_bytes()
    assert demo.interrupt()[0] == CLEAN
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", "import server.commands"], check=True, cwd=ROOT)
    bare_s = time.monotonic() - begun  # what any start costs on this machine just now
    assert demo.start() < 3 * bare_s
    assert (demo.data / "accounts.json").read_bytes() == accounts


def test_a_port_in_use(demo: Service, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    code, said = Service(tmp_path / "other", "--demo", port=demo.port).refused()
    assert code == REFUSED
    assert "port_in_use" in said
    assert str(demo.port) in said
    assert "--port" in said


def test_a_data_folder_in_use(demo: Service) -> None:
    second = Service(demo.folder, "--demo")
    second.printed = demo.folder / "second.txt"
    code, said = second.refused()
    assert (code, "data_folder_busy" in said) == (REFUSED, True)


def test_demo_data_is_never_served_as_real(demo: Service) -> None:
    demo.interrupt()
    demo.options = ()
    code, said = demo.refused()
    assert (code, "is_a_demo" in said, "--demo" in said) == (REFUSED, True, True)


def test_real_data_is_never_served_as_a_demo(tmp_path: Path) -> None:
    service = Service(tmp_path, "--demo")
    assert run("init", "--config", str(service.settings), "--data", str(service.data)).returncode == CLEAN
    code, said = service.refused()
    assert (code, "not_a_demo" in said) == (REFUSED, True)


def test_the_demo_refuses_other_addresses(tmp_path: Path) -> None:
    code, said = Service(tmp_path, "--demo", "--host", "0.0.0.0").refused()
    assert (code, "address_refused" in said, "--demo-anywhere" in said) == (REFUSED, True, True)
    assert not (tmp_path / "data" / "keshi.db").exists()


def test_a_damaged_database_is_named_and_left_as_it_is(demo: Service) -> None:
    demo.interrupt()
    database = demo.data / "keshi.db"
    damaged = b"This is no database." + database.read_bytes()[20:]
    database.write_bytes(damaged)
    code, said = demo.refused()
    assert (code, "database_damaged" in said, "Traceback" in said) == (REFUSED, True, False)
    assert database.read_bytes() == damaged


def test_a_database_of_a_newer_keshi_is_named(demo: Service) -> None:
    demo.interrupt()
    with sqlite3.connect(demo.data / "keshi.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_later'")
    connection.close()
    code, said = demo.refused()
    assert (code, "database_newer" in said) == (REFUSED, True)


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("media:\n  udp_port: 0\n  udp_prot: 9\n", 3, "media.udp_prot"),
        ("server:\n  port: many\n", 2, "server.port"),
        ("# nothing\n\nsurver:\n  port: 1\n", 3, "surver"),
    ],
)
def test_a_wrong_setting_names_its_line(tmp_path: Path, text: str, line: int, key: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    answer = run("migrate", "--config", str(tmp_path / "config.yaml"), "--data", str(tmp_path / "data"))
    assert answer.returncode == REFUSED
    assert f"'line': {line}" in answer.stderr
    assert key in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_settings_file_that_is_no_yaml_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("server:\n  port: [1\n")
    answer = run("migrate", "--config", str(tmp_path / "config.yaml"), "--data", str(tmp_path / "data"))
    assert (answer.returncode, "config_unreadable" in answer.stderr) == (REFUSED, True)


async def test_malformed_and_oversize_messages_are_refused_and_the_lesson_goes_on(
    demo: Service, trainee: Login
) -> None:
    teacher, control, lesson_id = await started(demo)
    page = Page(trainee, lesson_id, "phone", mono)
    await page.join()
    await page.beat()
    assert page.socket is not None
    bad: list[tuple[str, dict[str, Any], str]] = [
        ("beat", {}, "bad_request"),
        ("beat", {**page.sent, "spans": "all day"}, "bad_request"),
        ("beat", {**page.sent, "spans": [[0, 1e300]]}, "beat_refused"),
        ("beat", {**page.sent, "seq": 10**30}, "beat_refused"),
        ("beat", {**page.sent, "extra": 1}, "bad_request"),
        ("beat", {**page.sent, "lesson_id": "0" * 16}, "lease_lost"),
        ("lesson:join", {"lesson_id": "0" * 16, "device": "phone", "page": "x" * 16}, "not_found"),
        ("lesson:join", {"lesson_id": lesson_id, "device": "watch", "page": "x" * 16}, "bad_request"),
        ("lesson:start", {"lesson_id": lesson_id}, "forbidden"),
        ("no:such:event", {}, "bad_request"),
    ]
    for event, fields, code in bad:
        with pytest.raises(Refused) as refused:
            await page.socket.call(event, **fields)
        assert refused.value.code == code, (event, fields)
    before = page.credit_ms
    await asyncio.sleep(0.5)
    assert (await page.beat())["credit_ms"] >= before + 400
    with pytest.raises((socketio.exceptions.SocketIOError, TimeoutError)):
        await page.socket.call("beat", **{**page.sent, "nonce": "x" * (JSON_LIMIT_BYTES + 1)})
    await page.drop()
    await page.join()
    assert (await page.beat())["credit_ms"] >= before + 400, "the page came back with its lease"
    await page.leave()
    await control.close()
    await teacher.close()


async def test_malformed_and_oversize_bodies(demo: Service, trainee: Login) -> None:
    path = f"{demo.url}/api/v1/me/password"
    headers = {"Content-Type": "application/json"}
    for body, status, code in (
        (b"{", 400, "bad_request"),
        (b"[1]", 400, "bad_request"),
        (b"\xff\xfe", 400, "bad_request"),
        (json.dumps({"old": "x"}).encode(), 400, "bad_request"),
        (b"x" * (JSON_LIMIT_BYTES + 1), 413, "too_large"),
    ):
        async with trainee.http.post(path, data=body, headers=headers) as response:
            assert (response.status, (await response.json())["code"]) == (status, code), body[:20]
    async with trainee.http.post(path, json={}, headers={"Origin": "http://127.0.0.1:1"}) as response:
        assert (response.status, (await response.json())["code"]) == (403, "origin_refused")
    with pytest.raises(Refused) as refused:
        await trainee.get("/api/v1/classes")
    assert refused.value.code == "forbidden"
    async with aiohttp.ClientSession() as stranger, stranger.get(f"{demo.url}/api/v1/today") as response:
        assert (response.status, (await response.json())["code"]) == (401, "not_signed_in")


async def test_an_expired_session_earns_nothing_more(tmp_path: Path) -> None:
    """With an injected clock: a class day later the same cookie opens no door and the socket refuses its events."""
    made = run("init", "--data", str(tmp_path / "data"))
    clock = ManualClock(SystemClock().ms())
    config = Config.model_validate({"server": {"port": 0, "data": str(tmp_path / "data")}, "media": {"udp_port": 0}})
    async with running(config, demo=False, clock=clock) as (_house, url):
        login = await first_login(url, one_time_secret(made.stdout))
        socket = Socket(login)
        await socket.open()
        with pytest.raises(Refused) as refused:
            await socket.call("lesson:media", lesson_id="0" * 16)
        assert refused.value.code == "not_found"
        clock.advance(SESSION_MS)
        with pytest.raises(Refused) as refused:
            await socket.call("lesson:media", lesson_id="0" * 16)
        assert refused.value.code == "not_signed_in"
        assert await login.get("/api/v1/me") == {"me": None}
        with pytest.raises(Refused) as refused:
            await login.get("/api/v1/me/logins")
        assert refused.value.code == "not_signed_in"
        await socket.close()
        with pytest.raises(socketio.exceptions.ConnectionError):
            await Socket(login).open()
        await login.close()
