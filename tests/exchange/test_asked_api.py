"""Polls and sign-ins as a file through the wire: for who teaches the lesson and their institution, nobody else."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import openpyxl
import pytest

from tests.school import School, school

ANONYMOUS = {"kind": "single", "text": "累吗？", "choices": ["累", "不累"], "anonymous": True}
NAMED = {"kind": "text", "text": "一句话"}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with school(tmp_path) as running:
        yield running


async def _taught(served: School) -> None:
    """An anonymous poll, a named one, a sign-in, and a draft that nobody saw."""
    async with served.page("teacher") as teacher, served.page("jia") as jia:
        await teacher.join()
        assert (await teacher.call("lesson:start"))["ok"]
        await jia.join()
        for question, answer in ((ANONYMOUS, {"choices": [1]}), (NAMED, {"text": "=cmd|' /C calc'!A0"})):
            poll = str((await teacher.call("poll:prepare", question=question, open=True))["seq"])
            assert (await jia.call("poll:answer", poll_id=poll, **answer))["ok"]
            assert (await teacher.call("poll:close", poll_id=poll))["ok"]
        assert (await teacher.call("poll:prepare", question=NAMED | {"text": "草稿"}))["ok"]
        begun = await teacher.call("sign_in:open", seconds=60)
        assert (await jia.call("sign_in:here", sign_in_id=str(begun["seq"])))["ok"]


async def _file(served: School, who: str, form: str, **asked: str) -> tuple[int, str, bytes]:
    path = f"/api/v1/lessons/{served.lesson_id}/polls.{form}"
    async with served.http(who) as page, page.get(path, params=asked) as answer:
        return answer.status, answer.headers.get("Content-Disposition", ""), await answer.read()


async def test_who_teaches_and_their_institution_get_what_was_answered(served: School) -> None:
    await _taught(served)
    for who in ("teacher", "staff", "admin"):
        status, name, content = await _file(served, who, "csv")
        assert (status, "attachment" in name) == (200, True)
        text = content.decode("utf-8-sig")
        lines = text.splitlines()
        assert [line for line in lines if "名jia" in line] == [
            "2,投票,一句话,1,名jia,'=cmd|' /C calc'!A0,,",
            "3,签到,,1,名jia,已签到,,2026-11-23 17:00:00",
        ]
        assert [line for line in lines if line.startswith("1,匿名投票,累吗？")][1:] == [
            "1,匿名投票,累吗？,2026-11-23 17:00:00,2026-11-23 17:00:00,累,,0,0",
            "1,匿名投票,累吗？,2026-11-23 17:00:00,2026-11-23 17:00:00,不累,,1,100",
        ]
        assert "草稿" not in text


async def test_it_comes_as_a_workbook_and_in_english(served: School) -> None:
    await _taught(served)
    status, name, content = await _file(served, "staff", "xlsx", language="en")
    assert (status, "polls-C-1-1.xlsx" in name) == (200, True)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["Results", "Answers"]
    assert book["Answers"].cell(4, 5).value == "名jia"


@pytest.mark.parametrize(("who", "status"), [("jia", 403), ("regulator", 403), ("stranger", 403), ("other", 404)])
async def test_nobody_else_gets_it(served: School, who: str, status: int) -> None:
    assert (await _file(served, who, "csv"))[0] == status


async def test_other_forms_are_refused(served: School) -> None:
    assert (await _file(served, "staff", "pdf"))[0] == 400
