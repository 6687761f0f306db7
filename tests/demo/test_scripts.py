"""The whole demo lesson, played forty times as fast: what each trainee has in the end is what their script is worth.

And what was said in it stands in the record.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from server.core.errors import CODES
from server.demo.lines import POLL, POSTURE, WARMTH
from server.demo.page import Login, sign_in
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
    transcript = Path(plan.transcript).read_text()
    await check_talk(browser, f"/api/v1/lessons/{lesson.id}", transcript.splitlines())
    await browser.close()
    assert strips["lesson"]["state"] == "ended"
    totals = {row["name"]: row["totals"] for row in strips["rows"]}
    return {part.script: totals[part.name] for part in parts}, transcript


async def check_talk(staff: Login, lesson: str, transcript: list[str]) -> None:
    """What the transcript tells is in the record, and no more; how far people come in seconds, the machine decides."""
    told = Counter(line.split(" ", 2)[2] for line in transcript)
    questions = (await staff.get(f"{lesson}/questions"))["questions"]
    assert {(one["text"], one["anonymous"]) for one in questions} <= {(POSTURE, False), (WARMTH, True)}
    assert len(questions) == told["提问"] + told["匿名提问"]
    assert sum(one["votes"] - 1 for one in questions) == told["投票：我也想问"]
    assert sum(len(one["answers"]) for one in questions) == told["写下回答，提问已解决"] + told["书面回答匿名提问"]
    kept = await staff.get(f"{lesson}/polls")
    assert (len(kept["sign_ins"]), len(kept["polls"])) == (told["发起签到"], told["发起随堂小测"]) == (1, 1)
    (poll,), (sign_in,) = kept["polls"], kept["sign_ins"]
    assert sum(one["at_ms"] is not None for one in sign_in["people"]) == told["签到"]
    assert (poll["face"]["text"], poll["tally"]["answered"]) == (POLL["text"], told["回答小测"])
    assert poll["face"]["shown"] is (told["结束小测，公布结果"] == 1)
    assert len((await staff.get(f"{lesson}/slides"))["decks"]) == told["放出课件第 1 页"] == 1


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
