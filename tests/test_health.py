"""How the service says how it is: alive, ready or not with the check named, figures for those who may read them."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from server.core.wire.rest import errors_as_json
from server.health import CHECK_S, NOT_ANSWERING, Health, from_networks
from server.settings import ServerSettings
from tests.school import school


async def _ask(health: Health, path: str, allowed: bool = True) -> tuple[int, str]:
    app = web.Application(middlewares=[errors_as_json])
    health.serve(app, lambda _request: allowed)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, await answer.text()
    finally:
        await runner.cleanup()


async def test_alive_says_nothing_about_checks() -> None:
    health = Health()
    health.check("never", _fails)
    status, told = await _ask(health, "/healthz")
    assert (status, "ok" in told) == (200, True)


async def _fails() -> str | None:
    raise OSError("a path that nobody outside should read")


async def _well() -> str | None:
    return None


async def _low() -> str | None:
    return "disk_low"


async def test_ready_names_each_check_and_one_that_fails_makes_503() -> None:
    health = Health()
    health.check("database", _well)
    status, told = await _ask(health, "/readyz")
    assert (status, '"database":"ok"' in told, '"status":"ready"' in told) == (200, True, True)
    health = Health()
    for name, work in (("database", _well), ("disk", _low), ("spool", _fails)):
        health.check(name, work)
    status, told = await _ask(health, "/readyz")
    assert status == 503
    for part in ('"database":"ok"', '"disk":"disk_low"', f'"spool":"{NOT_ANSWERING}"', '"not_ready"'):
        assert part in told
    assert "path" not in told


async def test_a_check_that_hangs_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.health.CHECK_S", 0.05)
    health = Health()

    async def hangs() -> str | None:
        await asyncio.sleep(CHECK_S)
        return None

    health.check("store", hangs)
    assert await health.ready() == {"store": NOT_ANSWERING}


async def test_whoever_asks_often_gets_the_last_answer() -> None:
    health, asked = Health(), []

    async def counted() -> str | None:
        asked.append(1)
        return None

    health.check("store", counted)
    await asyncio.gather(*(health.ready() for _ in range(20)))
    assert len(asked) == 1


async def test_figures_are_prometheus_text_and_only_for_those_who_may() -> None:
    health = Health()
    health.reading("keshi_things", "Things", lambda: {"a": 1.0, "b": 2.0}, label="kind")
    health.reading("keshi_done_total", "Done", lambda: 7, counts=True)
    health.told("event", "beat", "ok", 0.003)
    health.told("request", "GET /socket.io/", "101", None)
    status, told = await _ask(health, "/metrics")
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }
    assert status == 200
    assert samples["keshi_things", "b"] == 2
    assert samples["keshi_done_total",] == 7
    assert samples["keshi_events_total", "beat", "ok"] == 1
    assert samples["keshi_event_seconds_count", "beat"] == 1
    assert ("keshi_request_seconds_count", "GET /socket.io/") not in samples
    assert all(name.startswith("keshi_") for name, *_ in samples)
    assert await _ask(health, "/metrics", allowed=False) == (404, '{"code":"not_found","data":{}}')


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("10.0.0.9", True), ("::ffff:10.0.0.9", True),
        ("10.0.1.9", False), ("203.0.113.5", False), ("", False), ("unix", False),
    ],
)  # fmt: skip
def test_who_may_read_figures(address: str, may: bool) -> None:
    networks = ServerSettings.model_validate({"metrics": ["10.0.0.0/24"]}).metrics
    assert from_networks(address, networks) is may


async def test_the_house_is_ready_and_measured(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.page("jia") as page, aiohttp.ClientSession(served.url) as session:
        await page.join()
        async with session.get("/readyz") as answer:
            told = await answer.json()
            assert (answer.status, told["status"]) == (200, "ready"), told
            assert {"database", "spool", "disk", "sealing"} <= told["checks"].keys()
        async with session.get("/metrics") as answer:
            text = await answer.text()
        for line in ("keshi_connections 1.0", "keshi_leases 1.0", 'keshi_lessons{state="live"} 0.0'):
            assert line in text
        assert 'keshi_events_total{code="ok",event="lesson:join"} 1.0' in text
        assert 'keshi_requests_total{code="200",route="POST /api/v1/login"} 1.0' in text
        assert served.ids["jia"] not in text
        async with session.get("/metrics", headers={"X-Forwarded-For": "203.0.113.5"}) as answer:
            assert answer.status == 404


async def test_what_is_not_vital_leaves_the_service_ready_and_degraded() -> None:
    health = Health()
    health.check("database", _well)
    health.check("witnesses", _low, vital=False)
    status, told = await _ask(health, "/readyz")
    assert (status, '"status":"degraded"' in told, '"witnesses":"disk_low"' in told) == (200, True, True)
    health = Health()
    health.check("database", _fails)
    health.check("witnesses", _low, vital=False)
    status, told = await _ask(health, "/readyz")
    assert (status, '"status":"not_ready"' in told) == (503, True)
