"""A whole lesson's log names nobody: no name, no ID number, no password, no secret, whatever went wrong in it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.house.repo import ROOT
from tests.school import ID_NUMBERS, PASSWORD, PEOPLE

SCRIPT = """
import asyncio, sys
from pathlib import Path
from server.log import set_up_logging
from tests.school import PASSWORD, school

set_up_logging("debug")("node-one")

async def lesson(folder):
    async with school(folder) as served, served.page("teacher") as desk, served.page("jia") as page:
        secrets = [morsel.value for one in (desk, page) for morsel in one.session.cookie_jar]
        await desk.join()
        await desk.call("lesson:start")
        joined = await page.join(mono=0)
        lease = joined["lease"]
        secrets += [lease["resume"], lease["nonce"]]
        served.clock.advance(10_000)
        beat = dict(epoch=lease["epoch"], seq=1, nonce=lease["nonce"], mono=10_000, spans=[[0, 10_000]])
        secrets.append((await page.call("beat", **beat))["nonce"])
        await page.call("beat", **(beat | {"nonce": "wrong-nonce"}))
        await page.call("lesson:end")
        await page.client.call("no:such:event-" + PASSWORD, {})
        async with page.session.post("/api/v1/login", json={"login": "jia", "password": PASSWORD + "!"}) as answer:
            assert answer.status == 401
            assert answer.headers["X-Request-Id"]
        async with served.http("yi") as other:
            async with other.get("/" + PASSWORD + "?name=" + PASSWORD) as answer:
                assert answer.status == 404
        served.house.live._training.lesson_for = None  # a fault of ours, with a traceback
        await desk.call("lesson:end")
        async with served.http("staff") as office:
            async with office.get(f"/api/v1/lessons/{served.lesson_id}/strips") as answer:
                assert answer.status == 500, answer.status
        print("\\n".join(secrets))

asyncio.run(lesson(Path(sys.argv[1])))
"""


def test_a_whole_lesson_names_nobody_and_every_line_has_its_ids(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": "."})
    assert done.returncode == 0, done.stderr
    secrets = done.stdout.split()
    assert len(secrets) >= 5
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    for private in (PASSWORD, *secrets, *ID_NUMBERS.values(), *(f"名{who}" for who in PEOPLE), "127.0.0.1"):
        assert private not in done.stderr
    told = [line for line in lines if line["event"] in ("request", "event")]
    doors = {(line["event"], line["door"], line["code"]) for line in told}
    assert {
        ("event", "beat", "ok"), ("event", "beat", "beat_refused"), ("event", "lesson:end", "forbidden"),
        ("event", "lesson:end", "internal_error"), ("event", "?", "bad_request"),
        ("request", "POST /api/v1/login", "401"), ("request", "?", "404"),
    } <= doors  # fmt: skip
    assert all(re.fullmatch("[0-9a-f]{12}", line["request"]) and line["ms"] >= 0 for line in told)
    assert all(line["node"] == "node-one" for line in lines)
    (fault,) = (line for line in lines if line["event"] == "command_failed")
    assert fault["request"] in {line["request"] for line in told if line["code"] == "internal_error"}
