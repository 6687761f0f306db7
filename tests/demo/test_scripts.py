"""The whole demo lesson, played forty times as fast: what each trainee has in the end is what their script is worth."""

from pathlib import Path
from typing import Any

from server.core.errors import CODES
from server.demo.page import sign_in
from server.demo.players import perform
from server.demo.scripts import BACK_S, CUT_S, HIDE_S, LATE_S, SCRIPTS, SHOW_S
from server.demo.stage import Part, Plan
from tests.demo.conftest import Served

TEMPO = 0.025
#: what a page may lose without its script's doing, and how late a busy machine may be
LOST_MS = 400
SLACK_MS = 3_000


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


def lost_ms(totals: dict[str, Any], *expected: str) -> int:
    """What was not credited for any other reason than coming late and those expected."""
    return sum(ms for code, ms in reasons(totals).items() if code not in ("absent", *expected))


async def test_each_script_is_worth_what_it_says(served: Served) -> None:
    """Coming in takes real time on a busy machine and is `absent`; once in, nobody loses what the script does not."""
    totals, transcript = await play(served)
    for script in ("steady", "replayed", "outage", "late", "two_devices"):
        assert lost_ms(totals[script]) < LOST_MS, script
        assert totals[script]["credit_ms"] > 0, script
    assert scripted_ms(BACK_S - CUT_S) > LOST_MS, "a lost outage would be seen"
    hidden = scripted_ms(SHOW_S - HIDE_S)
    assert hidden - LOST_MS < reasons(totals["backgrounded"])["hidden"] < hidden + SLACK_MS
    assert lost_ms(totals["backgrounded"], "hidden") < LOST_MS
    assert reasons(totals["late"])["absent"] >= scripted_ms(LATE_S) - LOST_MS
    assert reasons(totals["steady"])["absent"] < scripted_ms(LATE_S)
    for code in ("lease_held", "lease_lost", "beat_refused"):
        assert code in CODES
        assert code in transcript
    assert "没有演完" not in transcript


def test_there_are_six_scripts() -> None:
    assert list(SCRIPTS) == ["steady", "backgrounded", "two_devices", "replayed", "outage", "late"]
