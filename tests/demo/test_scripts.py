"""The whole demo lesson, played forty times as fast: what each trainee has in the end is what their script is worth."""

from pathlib import Path
from typing import Any

import pytest

from server.core.errors import CODES
from server.demo.page import sign_in
from server.demo.players import perform
from server.demo.scripts import BACK_S, CUT_S, ENTER_S, HIDE_S, LATE_S, SCRIPTS, SHOW_S
from server.demo.stage import LESSON_S, Part, Plan
from tests.demo.conftest import Served

TEMPO = 0.025
#: signing in and joining take real time however fast the rest is played
SLACK_MS = 700


def scripted_ms(seconds: float) -> float:
    return seconds * TEMPO * 1000


async def play(served: Served) -> tuple[dict[str, Any], str]:
    """Play a lesson; returns the strips' totals by script, and the transcript."""
    lesson = await served.lessons._seed.plan_now("试演", 10 * 60_000)
    parts = []
    for index, script in enumerate(SCRIPTS):
        account = served.account(f"trainee{index + 1:02d}")
        parts.append(Part(script, account.name, account.login, account.password))
    teacher = served.account("teacher")
    plan = Plan(
        url=served.url,
        lesson_id=lesson.id,
        teacher=Part("teach", teacher.name, teacher.login, teacher.password),
        trainees=tuple(parts),
        transcript=str(served.folder / "transcript.log"),
        tempo=TEMPO,
    )
    await perform(plan)
    staff = served.account("staff")
    browser = await sign_in(served.url, staff.login, staff.password)
    strips = await browser.get(f"/api/v1/lessons/{lesson.id}/strips")
    await browser.close()
    assert strips["lesson"]["state"] == "ended"
    totals = {row["name"]: row["totals"] for row in strips["rows"]}
    return {part.script: totals[part.name] for part in parts}, Path(plan.transcript).read_text()


def reasons(totals: dict[str, Any]) -> dict[str, int]:
    found = {reason["code"]: reason["ms"] for reason in totals["reasons"]}
    assert totals["open_ms"] == totals["credit_ms"] + sum(found.values())
    return found


async def test_each_script_is_worth_what_it_says(served: Served) -> None:
    totals, transcript = await play(served)
    whole = scripted_ms(LESSON_S - ENTER_S)
    for script in ("steady", "replayed", "outage"):
        assert totals[script]["credit_ms"] == pytest.approx(whole, abs=SLACK_MS), script
        assert reasons(totals[script]).keys() <= {"absent"}, script
    assert scripted_ms(BACK_S - CUT_S) > SLACK_MS, "a lost outage would be seen"
    hidden = scripted_ms(SHOW_S - HIDE_S)
    assert reasons(totals["backgrounded"])["hidden"] == pytest.approx(hidden, abs=SLACK_MS)
    assert totals["backgrounded"]["credit_ms"] == pytest.approx(whole - hidden, abs=SLACK_MS)
    assert reasons(totals["late"])["absent"] == pytest.approx(scripted_ms(LATE_S), abs=SLACK_MS)
    assert totals["two_devices"]["credit_ms"] == pytest.approx(whole, abs=SLACK_MS)
    for code in ("lease_held", "lease_lost", "beat_refused"):
        assert code in CODES
        assert code in transcript
    assert "没有演完" not in transcript


def test_there_are_six_scripts() -> None:
    assert list(SCRIPTS) == ["steady", "backgrounded", "two_devices", "replayed", "outage", "late"]
