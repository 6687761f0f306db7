"""核验.html as people use it: from a folder, without a network; and it finds what `keshi verify` finds."""

import json
import random
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from server.attendance.minutes import MinuteRecord, Reason
from server.attendance.views import Evidence
from server.core.database import Database, sqlite_url
from server.ledger.rules import SEAL_AFTER_MS
from server.pages import CHECKER, PAGES
from server.verify import identity, words
from server.verify.bundle import Bundle, read, write
from server.verify.check import check
from server.verify.minutes import CREDITED, Summary
from server.verify.minutes import write as write_summary
from server.verify.notes import Key
from server.verify.sheets import csv_rows
from server.verify.tree import Refused
from tests.e2e.axe import look
from tests.e2e.browsers import real_chromium
from tests.e2e.pictures import PHONE, picture
from tests.ledger.world import GENESIS, LESSON, World
from tests.school import school
from tests.verify.evidence import ID_NUMBER, LESSONS, NAME, PEOPLE, SALTS, SmallClass
from tests.verify.test_receipts import minutes, receipt

pytestmark = pytest.mark.timeout(240)

FLIPS = 80
SIZES = ({"width": 360, "height": 740}, {"width": 768, "height": 1024}, {"width": 1440, "height": 900})


@pytest.fixture
async def small(store_url: str, tmp_path: Path) -> AsyncIterator[SmallClass]:
    world = World(Database(store_url), tmp_path / "log")
    await world.ledger.round()
    yield SmallClass(world, Evidence({}, {}))
    await world.database.close()


@asynccontextmanager
async def checker(folder: Path, chromium: str | None) -> AsyncIterator[Page]:
    """The page, opened from a folder with no network at all; whatever it complains of fails the test."""
    copy = folder / "核验.html"
    copy.write_bytes((PAGES / CHECKER).read_bytes())
    complaints: list[str] = []
    async with async_playwright() as playwright, real_chromium(playwright, chromium) as browser:
        context = await browser.new_context(locale="zh-CN", viewport=PHONE, accept_downloads=True)
        await context.set_offline(True)
        page = await context.new_page()
        page.on("pageerror", lambda fault: complaints.append(str(fault)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        await page.goto(copy.as_uri())
        try:
            yield page
        finally:
            assert complaints == []


def sheet(bundle: Bundle, **other: int) -> str:
    """The numbers of a 学时台账 as a .csv; `other` seconds for a seat."""
    seats, numbers = {one.id: one.seat for one in bundle.people}, {one.id: one.number for one in bundle.lessons}
    lines = []
    for claim in bundle.claims:
        seconds = other.get(f"seat{seats[claim.person_id]}", claim.credit_ms // 1000)
        seat, number = seats[claim.person_id], numbers[claim.lesson_id]
        lines.append(f"{seat},A,,,{NAME}{seat},{ID_NUMBER},{number},,,,,,,0,{seconds},0,{seconds}")
    return "标题\r\n" + "\r\n".join(lines)


def package(bundle: Bundle, csv: str | None = None, salts: Mapping[str, bytes] | None = None) -> dict[str, Any]:
    raw = BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("学时台账.csv", csv or sheet(bundle))
        made.writestr("evidence.json", write(bundle))
        if salts is not None:
            made.writestr("identities.json", identity.write(salts))
    return {"name": "班级.zip", "mimeType": "application/zip", "buffer": raw.getvalue()}


def keys_file(*keys: Key) -> dict[str, Any]:
    return {"name": "keys.txt", "mimeType": "text/plain", "buffer": "\n".join(map(str, keys)).encode()}


async def drop(page: Page, *files: dict[str, Any]) -> tuple[str, list[str]]:
    """What the page says of these files: its verdict, and what it found."""
    await page.evaluate("document.querySelector('[data-test=verdict]')?.setAttribute('data-verdict', 'old')")
    await page.set_input_files("[data-test=files]", list(files))  # type: ignore[arg-type]  # Playwright's own TypedDict
    shown = page.locator("[data-test=verdict]:not([data-verdict=old])")
    await shown.wait_for()
    return await shown.get_attribute("data-verdict") or "", await page.locator(
        "[data-test=findings] li"
    ).all_inner_texts()


def changed_minute(bundle: Bundle) -> Bundle:
    """Trainee #17's second minute of lesson 3 is a second longer."""
    part = bundle.leaves[1].groups[0]
    at = next(at for at in range(0, len(part.records), 73) if part.records[at] == 1 and part.records[at + 17] == 0xA1)
    raw = bytearray(part.records)
    raw[at + 38] ^= 1
    leaf = replace(bundle.leaves[1], groups=(replace(part, records=bytes(raw)), *bundle.leaves[1].groups[1:]))
    return replace(bundle, leaves=(bundle.leaves[0], leaf, *bundle.leaves[2:]))


def twenty_more(line: str) -> str:
    """A row of `sheet` with twenty seconds of correction."""
    *start, credited, _, confirmed = line.split(",")
    return ",".join([*start, credited, "20", str(int(confirmed) + 20)])


async def test_corrections_are_shown_and_checked(small: SmallClass, tmp_path: Path, chromium: str | None) -> None:
    await small.attend()
    person, slot = "00000000000000a1", 0 if (GENESIS + 17) % 2 == 0 else 1
    await small.correct(person, slot, 40_000, 60_000, 4)
    bundle = await small.bundle()
    assert check(bundle).consistent
    lines = [
        twenty_more(line) if line.startswith("17,") and f",{ID_NUMBER},3," in line else line
        for line in sheet(bundle).split("\r\n")
    ]
    async with checker(tmp_path, chromium) as page:
        said, found = await drop(page, package(bundle, "\r\n".join(lines)), keys_file(small.world.ledger.key))
        assert (said, found) == ("holds", [])
        await page.click("[data-test=changes] summary")
        assert "原计 40 秒，更正后计 60 秒" in await page.locator("[data-test=changes] li").inner_text()
        said, found = await drop(page, package(bundle))  # a ledger that keeps silent about it
        assert (said, [one.split("：")[-1] for one in found]) == (
            "changed",
            ["第 3 课次 学员 #17 台账里的学时与存证不符"],
        )
        await small.correct(person, slot, 40_000, 50_000, 5)
        wrong = await small.bundle()
        said, found = await drop(page, package(wrong, "\r\n".join(lines)))
        assert found[0] == words.chinese(check(wrong).findings[0])


async def test_a_receipt_is_held_against_the_package(small: SmallClass, tmp_path: Path, chromium: str | None) -> None:
    await small.attend()
    bundle, key = await small.bundle(), small.world.ledger.key
    kept, short = [
        {"name": "学时回执.txt", "mimeType": "text/plain", "buffer": (await receipt(small, records)).encode()}
        for records in (minutes(), minutes(count=2))
    ]
    async with checker(tmp_path, chromium) as page:
        assert await drop(page, package(bundle), keys_file(key), kept) == ("holds", [])
        assert await page.locator("[data-test=receipts]").inner_text() == "1 张与存证一致"
        said, found = await drop(page, short)
        assert (said, found) == ("changed", ["第 3 课次 学员 #17 与学员的学时回执不符"])


async def test_it_opens_from_a_folder_and_tells_what_holds(
    small: SmallClass, tmp_path: Path, chromium: str | None
) -> None:
    await small.attend(45)
    bundle = await small.bundle()
    async with checker(tmp_path, chromium) as page:
        assert await drop(page, package(bundle)) == ("unknown", [])
        assert await drop(page, keys_file(small.world.ledger.key)) == ("holds", [])
        assert await page.locator("[data-lesson]").count() == 2
        for size in SIZES:
            await page.set_viewport_size(size)  # type: ignore[arg-type]  # its own TypedDict
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme=scheme)
                await picture(page, f"checker-holds-{size['width']}-{scheme}")
            wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(wider) <= 0
        assert await look(page, "checker") == []


async def test_it_names_the_lesson_the_minute_and_the_seat(
    small: SmallClass, tmp_path: Path, chromium: str | None
) -> None:
    await small.attend(12)
    bundle = await small.bundle()
    forged, keys = changed_minute(bundle), [small.world.ledger.key]
    async with checker(tmp_path, chromium) as page:
        verdict, found = await drop(page, package(forged, sheet(bundle)), keys_file(*keys))
        assert verdict == "changed"
        assert found[0].startswith("第 3 课次 ")
        assert found[0].endswith(" 学员 #17 被改动")
        assert found == [words.chinese(one) for one in check(forged, keys, [csv_rows(sheet(bundle))]).findings]
        assert await look(page, "checker changed") == []
        for size in SIZES:
            await page.set_viewport_size(size)  # type: ignore[arg-type]  # its own TypedDict
            await picture(page, f"checker-changed-{size['width']}")
        await page.get_by_role("button", name="English").click()
        assert await page.locator("[data-test=findings] li").first.inner_text() == words.english(
            check(forged, keys).findings[0]
        )
        verdict, found = await drop(page, package(bundle, sheet(bundle, seat18=9999)))
        assert (verdict, len(found)) == ("changed", 1)
        assert "trainee #18: the ledger says another time" in found[0]


async def test_it_holds_names_and_seats_against_the_log(
    small: SmallClass, tmp_path: Path, chromium: str | None
) -> None:
    await small.enrol()
    await small.attend(3)
    bundle, keys = await small.bundle(), [small.world.ledger.key]
    salts = {person.hex(): salt for person, salt in SALTS.items()}
    renamed = sheet(bundle).replace(f"{NAME}18", "冒名")
    one, two, *others = bundle.people
    swapped = replace(bundle, people=(replace(one, seat=two.seat), replace(two, seat=one.seat), *others))
    renumbered = replace(bundle, lessons=tuple(replace(each, number=each.number + 1) for each in bundle.lessons))
    async with checker(tmp_path, chromium) as page:
        names = page.locator("[data-test=names]")
        assert await drop(page, package(bundle, salts=salts), keys_file(*keys)) == ("holds", [])
        assert await names.inner_text() == "4 名学员的姓名、证件号、座位与日志一致"
        await picture(page, "checker-names")
        assert await drop(page, package(bundle)) == ("holds", [])
        assert "没有对照姓名" in await names.inner_text()
        for forged, csv in ((bundle, renamed), (swapped, sheet(swapped)), (renumbered, sheet(renumbered))):
            verdict, found = await drop(page, package(forged, csv, salts))
            expected = check(forged, keys, [csv_rows(csv)], salts=SALTS).findings
            assert (verdict, found) == ("changed", [words.chinese(each) for each in expected])
            assert {each.code for each in expected} <= {"seat_wrong", "name_wrong", "lesson_wrong"} != set()


async def test_who_is_not_in_the_log_is_said(small: SmallClass, tmp_path: Path, chromium: str | None) -> None:
    await small.attend(2)
    bundle = await small.bundle()
    async with checker(tmp_path, chromium) as page:
        assert await drop(page, package(bundle), keys_file(small.world.ledger.key)) == ("holds", [])
        said = await page.locator("[data-test=names]").inner_text()
    assert "日志里没有他们的座位：#17、#18" in said
    assert "日志里没有这些课次的编号：3、4" in said


async def test_it_says_of_damaged_evidence_what_keshi_verify_says(
    small: SmallClass, tmp_path: Path, chromium: str | None
) -> None:
    """One bit of the file at a time, drawn by a seed: the same findings, or refused by both."""
    await small.enrol()
    await small.attend(3)
    raw, keys = write(await small.bundle()), [small.world.ledger.key]
    draw, outcomes = random.Random(4), set()
    async with checker(tmp_path, chromium) as page:
        await drop(page, file(raw), keys_file(*keys))
        for _ in range(FLIPS):
            at = draw.randrange(len(raw))
            forged = raw[:at] + bytes([raw[at] ^ 1 << draw.randrange(7)]) + raw[at + 1 :]
            expected = _expected(forged, keys)
            assert await drop(page, file(forged)) == expected, forged[max(0, at - 40) : at + 40]
            outcomes.add(expected[0])
    assert outcomes >= {"changed", "refused"}


async def test_it_says_of_what_its_own_log_forged_what_keshi_verify_says(
    small: SmallClass, tmp_path: Path, chromium: str | None
) -> None:
    """Signed all the same: no lease, details that do not add up, or that say less than their record."""
    seats, whole = list(PEOPLE), ((CREDITED, 60_000),)
    for slot, spells in enumerate((whole, ((CREDITED, 30_000),), ((CREDITED, 30_000), (Reason.HIDDEN, 60_000)), whole)):
        forged = MinuteRecord(seats[0], ((0, 60_000),), (), write_summary(Summary(7 if slot else 0, spells)))
        plain = MinuteRecord(seats[1], ((0, 60_000),), ())
        await small.spend(LESSON, GENESIS + slot, more=[forged, plain])
        small.world.to(slot, SEAL_AFTER_MS)
        await small.world.ledger.round()
    bundle, keys = await small.bundle({LESSON: 3}), [small.world.ledger.key]
    codes = {one.code for one in check(bundle, keys).findings}
    assert codes == {"lease_wrong", "minute_wrong"}
    async with checker(tmp_path, chromium) as page:
        await drop(page, file(write(bundle)), keys_file(*keys))
        assert await drop(page, file(write(bundle))) == _expected(write(bundle), keys)


def file(raw: bytes) -> dict[str, Any]:
    return {"name": "evidence.json", "mimeType": "application/json", "buffer": raw}


def _expected(raw: bytes, keys: Sequence[Key]) -> tuple[str, list[str]]:
    try:
        report = check(read(raw), keys)
    except Refused:
        return "refused", []
    if report.consistent:
        return ("holds" if report.authentic else "unknown"), []
    told = [words.chinese(one) for one in report.findings]
    return "changed", told if len(told) <= 12 else [*told[:12], f"另有 {len(told) - 12} 处"]


async def test_a_card_makes_its_reader_a_witness(small: SmallClass, tmp_path: Path, chromium: str | None) -> None:
    await small.attend(2)
    world = small.world
    world.to(300, SEAL_AFTER_MS)
    await world.ledger.round()
    first = await small.bundle()
    world.to(600, SEAL_AFTER_MS)
    await world.ledger.round()
    second = await small.bundle()
    rewritten = await _rewritten(tmp_path)
    async with checker(tmp_path, chromium) as page:
        await drop(page, package(first), keys_file(world.ledger.key))
        async with page.expect_download() as download:
            await page.locator("[data-test=save-card]").click()
        raw = Path(await (await download.value).path()).read_bytes()
        assert json.loads(raw)["size"] == 256
    card = {"name": "card.json", "mimeType": "application/json", "buffer": raw}
    for bundle, verdict, said in ((second, "holds", "good"), (rewritten, "changed", "bad")):
        async with checker(tmp_path, chromium) as page:
            assert (await drop(page, package(bundle), card))[0] == verdict
            assert await page.locator("[data-test=card]").get_attribute("data-verdict") == said
    async with checker(tmp_path, chromium) as page:
        newer = {**card, "buffer": raw.replace(_line(first), _line(second))}
        await drop(page, package(first), newer)
        assert await page.locator("[data-test=card]").get_attribute("data-verdict") == "older"


def _line(bundle: Bundle) -> bytes:
    return json.dumps(bundle.checkpoint, ensure_ascii=False).encode()


async def _rewritten(folder: Path) -> Bundle:
    """The same class, signed with the same key over another history."""
    database = Database(sqlite_url(folder / "rewritten.db"))
    await database.migrate()
    world = World(database, folder / "rewritten")
    other = SmallClass(world, Evidence({}, {}))
    await world.ledger.round()
    await other.attend(3, {LESSON: LESSONS[LESSON]})
    world.to(700, SEAL_AFTER_MS)
    await world.ledger.round()
    found = await other.bundle()
    await world.database.close()
    return found


async def test_the_platforms_own_copy_works_under_its_policy(
    small: SmallClass, tmp_path: Path, chromium: str | None
) -> None:
    await small.attend(2)
    bundle, complaints = await small.bundle(), []
    async with (
        school(tmp_path / "data") as served,
        async_playwright() as playwright,
        real_chromium(playwright, chromium) as browser,
    ):
        page = await (await browser.new_context(locale="zh-CN")).new_page()
        page.on("console", lambda said: complaints.append(said.text))
        await page.goto(f"{served.url}/verify.html")
        assert await drop(page, package(bundle), keys_file(small.world.ledger.key)) == ("holds", [])
        assert await page.get_by_text("双击压缩包里的“核验.html”").is_visible()
    assert complaints == []
