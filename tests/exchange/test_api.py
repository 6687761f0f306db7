"""The doors of exchange, through a real server: files in, files out, for whom."""

import io
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientSession

from server.exchange.sheets import FILE_MAXIMUM_BYTES
from tests.accounts.store import ask, browser, number, sign_in
from tests.exchange.office import Office, cells, csv_bytes, xlsx

ROSTER = (["姓名", "身份证号"], ["演示·丙", number(3)], ["演示·丁", "无"])


@pytest.fixture
async def page(office: Office) -> AsyncIterator[ClientSession]:
    async with browser(office.school.store, office.declarations) as session:
        yield session


async def enter(page: ClientSession, office: Office, who: str) -> None:
    person = await office.school.store.accounts.person(office.school.people[who].person_id)
    await sign_in(page, person.login)


async def upload(page: ClientSession, class_id: str, filename: str, content: bytes) -> tuple[int, Any]:
    path = f"/api/v1/classes/{class_id}/roster?filename={quote(filename)}"
    async with page.post(path, data=io.BytesIO(content)) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(("filename", "content"), [("花名册.xlsx", xlsx(*ROSTER)), ("花名册.csv", csv_bytes(*ROSTER))])
async def test_a_roster_comes_in(page: ClientSession, office: Office, filename: str, content: bytes) -> None:
    await enter(page, office, "staff")
    status, answer = await upload(page, office.school.home.id, filename, content)
    assert (status, answer) == (
        200,
        {
            "accepted": 1,
            "already": 0,
            "rejected": [{"row": 3, "column": "身份证号", "code": "id_number_malformed", "value": "无"}],
        },
    )


async def test_files_that_are_refused(page: ClientSession, office: Office) -> None:
    await enter(page, office, "staff")
    home = office.school.home.id
    assert (await upload(page, home, "x.doc", b"x"))[1]["code"] == "unsupported_file"
    assert (await upload(page, home, "x.xlsx", b"0" * FILE_MAXIMUM_BYTES))[1]["code"] == "roster_unreadable"
    assert (await upload(page, home, "x.xlsx", b"0" * (FILE_MAXIMUM_BYTES + 1)))[1]["code"] == "too_large"
    async with page.post(f"/api/v1/classes/{home}/roster", data=b"x") as response:
        assert (await response.json())["data"]["field"] == "filename"


@pytest.mark.parametrize(
    ("who", "code"), [("staff2", "not_found"), ("instructor", "forbidden"), ("county", "forbidden")]
)
async def test_others_bring_nothing_in(page: ClientSession, office: Office, who: str, code: str) -> None:
    await enter(page, office, who)
    home = office.school.home.id
    assert (await upload(page, home, "x.csv", csv_bytes(*ROSTER)))[1]["code"] == code
    assert (await ask(page, "POST", f"classes/{home}/slips", {"person_ids": None}))[1]["code"] == code
    assert len(await office.school.training.roster(home)) == 1


async def test_slips_to_print(page: ClientSession, office: Office) -> None:
    await enter(page, office, "staff")
    home = office.school.home
    await upload(page, home.id, "x.xlsx", xlsx(*ROSTER))
    status, answer = await ask(page, "POST", f"classes/{home.id}/slips", {"person_ids": None})
    assert status == 200
    assert answer["class_token"] == home.token
    assert answer["qr_svg"].startswith("<svg")
    (slip,) = answer["slips"]
    assert (slip["seat"], slip["name"], len(slip["code"]), slip["login"].isdigit()) == (2, "演示·丙", 11, True)
    secret = f"{home.token}:{slip['code']}"
    opened = (await ask(page, "POST", "invitations/open", {"secret": secret}))[1]
    assert (opened["name"], opened["class_name"]) == ("演示·丙", home.name)


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("administrator", 200),
        ("staff", 200),
        ("county", 200),
        ("city", 200),
        ("elsewhere", 404),
        ("staff2", 404),
        ("instructor", 403),
        ("trainee", 403),
    ],
)
async def test_who_takes_a_ledger_away(page: ClientSession, office: Office, who: str, status: int) -> None:
    await enter(page, office, who)
    for form in ("xlsx", "csv"):
        async with page.get(f"/api/v1/classes/{office.school.home.id}/ledger.{form}") as response:
            content = await response.read()
            assert response.status == status
            if status == 200:
                name = response.headers["Content-Disposition"]
                assert name == f"attachment; filename*=UTF-8''{quote(f'学时台账-演-1-演示数据.{form}')}"
                assert "学时台账" in (cells(content)[0][0] if form == "xlsx" else content.decode())


async def test_a_ledger_in_english(page: ClientSession, office: Office) -> None:
    await enter(page, office, "staff")
    path = f"/api/v1/classes/{office.school.home.id}/ledger.csv"
    async with page.get(path, params={"language": "en"}) as response:
        assert quote("class-hours-演-1-DEMO DATA.csv") in response.headers["Content-Disposition"]
        assert "Class hours computed" in await response.text()
    async with page.get(path, params={"language": "fr"}) as response:
        assert (response.status, (await response.json())["code"]) == (400, "bad_request")


async def test_empty_rosters_to_fill(page: ClientSession, office: Office) -> None:
    await enter(page, office, "staff")
    for form in ("xlsx", "csv"):
        async with page.get(f"/api/v1/roster-template.{form}") as response:
            assert response.status == 200
            content = await response.read()
        status, answer = await upload(page, office.school.home.id, f"x.{form}", content)
        assert (status, answer["code"]) == (400, "roster_empty")
    await enter(page, office, "trainee")
    assert (await ask(page, "GET", "roster-template.csv"))[0] == 403
