"""Rosters come in without making anybody twice; slips and ledgers go out."""

import asyncio
import csv
import io
import threading
import time

import pytest

from server.accounts.rules import SLIP_MS
from server.attendance.cells import RecordState
from server.attendance.hours import Earned, whole
from server.attendance.views import LessonResult
from server.core.clock import iso
from server.core.errors import DomainError
from server.exchange import sheets
from server.exchange.rules import Line
from server.exchange.slips import Slips, qr_svg
from server.verify.hours import Rules
from tests.accounts.store import NOW_MS, PASSWORD, number
from tests.exchange.office import URL, Office, cells, csv_bytes, xlsx

BOTH_STORES = True

HEADER = ["姓名", "身份证号", "联系电话"]


async def take(office: Office, *rows: list[str], where: str = "home") -> tuple[int, int, list[tuple[int, str]]]:
    home = getattr(office.school, where)
    fresh, already, bad = await office.exchange.import_roster(home, "x.xlsx", xlsx(HEADER, *rows))
    return fresh, already, [(fault.row, fault.code) for fault in bad]


async def names(office: Office, where: str = "home") -> list[tuple[int, str]]:
    roster = await office.school.training.roster(getattr(office.school, where).id)
    return [(one.seat, one.name) for one in roster]


async def test_good_rows_are_kept_and_bad_ones_named(office: Office) -> None:
    rows = [
        ["演示·丙", number(3), ""],
        ["", number(4), ""],
        ["演示·丁", number(5)[:-1], ""],
        ["演示·戊", number(6), "1"],
    ]
    assert await take(office, *rows, ["演示·己", number(7), "13800000000"]) == (
        2,
        0,
        [(3, "name_missing"), (4, "id_number_malformed"), (5, "phone_malformed")],
    )
    assert await names(office) == [(1, "演示·甲"), (2, "演示·丙"), (3, "演示·己")]


async def test_files_are_read_one_at_a_time(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    reading: list[bool] = []
    read, gate = sheets.read, threading.Lock()

    def slowly(filename: str, content: bytes) -> list[list[Line]]:
        alone = gate.acquire(blocking=False)
        reading.append(alone)
        time.sleep(0.05)
        if alone:
            gate.release()
        return read(filename, content)

    monkeypatch.setattr(sheets, "read", slowly)
    await asyncio.gather(*(take(office, ["演示·丙", number(3), ""]) for _ in range(3)))
    assert reading == [True, True, True]


async def test_the_same_file_again_changes_nothing(office: Office) -> None:
    rows = [["演示·丙", number(3), ""], ["演示·丁", number(4), ""]]
    assert await take(office, *rows) == (2, 0, [])
    before = await names(office)
    assert await take(office, *rows, ["演示·戊", number(5), ""]) == (1, 2, [])
    assert (await names(office))[:3] == before


async def test_a_person_known_elsewhere_is_enrolled_and_not_made_twice(office: Office) -> None:
    await take(office, ["演示·丙", number(3), ""], where="other")
    assert await take(office, ["演示 丙", number(3), ""], ["演示·丁", number(4), ""]) == (2, 0, [])
    here = {one.name: one.person_id for one in await office.school.training.roster(office.school.home.id)}
    there = {one.name: one.person_id for one in await office.school.training.roster(office.school.other.id)}
    assert here["演示·丙"] == there["演示·丙"]


async def test_a_known_number_under_another_name_is_a_bad_row(office: Office) -> None:
    await take(office, ["演示·丙", number(3), ""], where="other")
    fresh, already, bad = await office.exchange.import_roster(
        office.school.home, "x.csv", csv_bytes(HEADER, ["演示·丁", number(3), ""], ["", "", "1"])
    )
    assert (fresh, already) == (0, 0)
    assert [(fault.row, fault.column, fault.code, fault.value) for fault in bad] == [
        (2, "姓名", "name_differs", "演示·丁"),
        (3, "姓名", "name_missing", ""),
    ]


async def test_a_refused_file_enrols_nobody(office: Office) -> None:
    for filename, content, code in [
        ("x.doc", b"x", "unsupported_file"),
        ("x.xlsx", b"x", "roster_unreadable"),
        ("x.csv", csv_bytes(["姓名"], ["甲"]), "roster_columns_missing"),
        ("x.csv", csv_bytes(HEADER), "roster_empty"),
    ]:
        with pytest.raises(DomainError, match=code):
            await office.exchange.import_roster(office.school.home, filename, content)
    assert await names(office) == [(1, "演示·甲")]


async def redeem(office: Office, slips: Slips, at: int) -> str:
    secret = f"{slips.class_token}:{slips.slips[at].code}"
    person, _token = await office.school.store.accounts.redeem(secret, PASSWORD)
    return person.name


async def test_slips_for_all_who_have_no_password(office: Office) -> None:
    await take(office, ["演示·丙", number(3), ""], ["演示·丁", number(4), ""])
    slips = await office.exchange.make_slips(office.school.home, None)
    assert [(slip.seat, slip.name) for slip in slips.slips] == [(2, "演示·丙"), (3, "演示·丁")]
    assert (slips.class_name, slips.class_code) == (office.school.home.name, "演-1")
    assert slips.enter_path == f"/learn.html#/enter/{office.school.home.token}"
    assert slips.qr_svg == qr_svg(URL + slips.enter_path)
    assert slips.expires_at == iso(office.school.store.clock.ms() + SLIP_MS)
    assert await redeem(office, slips, 1) == "演示·丁"
    again = await office.exchange.make_slips(office.school.home, None)
    assert [slip.name for slip in again.slips] == ["演示·丙"]
    with pytest.raises(DomainError, match="invitation_unknown"):
        await redeem(office, slips, 0)
    assert await redeem(office, again, 0) == "演示·丙"


async def test_no_slip_for_who_is_switched_off(office: Office) -> None:
    await take(office, ["演示·丙", number(3), ""], ["演示·丁", number(4), ""])
    enrolled = await office.school.training.roster(office.school.home.id)
    off = next(one.person_id for one in enrolled if one.name == "演示·丙")
    await office.school.store.accounts.deactivate(office.school.people["staff"], off)
    slips = await office.exchange.make_slips(office.school.home, None)
    assert [slip.name for slip in slips.slips] == ["演示·丁"]


async def test_slips_for_some(office: Office) -> None:
    mine = office.school.people["trainee"].person_id
    slips = await office.exchange.make_slips(office.school.home, [mine])
    assert [slip.name for slip in slips.slips] == ["演示·甲"]
    assert (await office.exchange.make_slips(office.school.home, [])).slips == []
    with pytest.raises(DomainError, match="not_found"):
        await office.exchange.make_slips(office.school.home, [mine, office.school.people["trainee2"].person_id])


async def test_a_ledger_of_what_attendance_knows(office: Office) -> None:
    mine, lesson = office.school.people["trainee"].person_id, office.school.lesson.id
    office.results.found = [
        LessonResult(
            mine,
            lesson,
            NOW_MS,
            NOW_MS + 60_000,
            2_700_000,
            2_700_000,
            2_699_000,
            0,
            {"hidden": 1_000},
            RecordState.CONFIRMED,
        )
    ]
    office.results.summed = {mine: Earned(*[whole(Rules(2_700_000), 2_699_000)] * 2)}
    await office.school.training.set_platform("演示运营单位", "备-1")
    file = await office.exchange.ledger(office.school.home.id, "xlsx")
    assert file.filename == "学时台账-演-1-演示数据.xlsx"
    rows = cells(file.content)
    assert "演示数据" in rows[0][0]
    top = next(at for at, row in enumerate(rows) if row[0] == "序号")
    first, total = (dict(zip(rows[top], row, strict=True)) for row in rows[top + 1 :])
    assert (first["姓名"], first["有效秒"], first["认定状态"]) == ("演示·甲", 2_699, "已认定")
    assert (total["折算课时"], total["另余分钟"]) == (0, 44)
    text = "\n".join(str(value) for row in rows for value in row)
    assert "999***********" in text
    assert number(511) not in text


async def test_both_forms_say_the_same(office: Office) -> None:
    plain = await office.exchange.ledger(office.school.home.id, "csv")
    assert plain.content_type == "text/csv"
    read = list(csv.reader(io.StringIO(plain.content.decode("utf-8-sig"), newline="")))
    sheet = cells((await office.exchange.ledger(office.school.home.id, "xlsx")).content)
    assert [[str(value or "") for value in row if value] for row in sheet] == [
        [value for value in row if value and value != "0"] for row in read
    ]


async def test_other_forms_and_classes(office: Office) -> None:
    with pytest.raises(DomainError, match="unsupported_file"):
        await office.exchange.ledger(office.school.home.id, "pdf")
    with pytest.raises(DomainError, match="not_found"):
        await office.exchange.ledger("nothing", "xlsx")
