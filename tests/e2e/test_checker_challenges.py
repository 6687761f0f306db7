"""核验.html and challenges: it counts, and names what contradicts itself, as `keshi verify` does."""

import random
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from server.ledger import records
from server.ledger.rules import SEAL_AFTER_MS
from server.verify.bundle import HINT_BYTES, Bundle, read, write
from server.verify.check import check
from server.verify.formats import RECORD_BYTES, REVEALED, SALT_BYTES, Kind, Record
from server.verify.schedule import LATER_MS
from server.verify.vouched import WAITING, Outcome
from tests.e2e.axe import look
from tests.e2e.pictures import PHONE, picture
from tests.e2e.test_checker import SIZES, _expected, checker, drop, file, keys_file, package, small
from tests.ledger.world import GENESIS, LESSON
from tests.verify.evidence import SmallClass
from tests.verify.test_challenges import (
    ASKED,
    CONTRADICTIONS,
    DISORDER,
    FAIL,
    JIA,
    LATE,
    PASS,
    SEED,
    YI,
    challenged,
    honest,
    hung,
    seed,
    step,
    taught,
)

__all__ = ["small"]

pytestmark = pytest.mark.timeout(240)

FLIPS = 80
#: lessons in which anything may have happened
DRAWN = {f"{number:02x}" * 8: number for number in range(1, 16)}
#: seat 17 fails in the second minute and never answers again; seat 18 is asked late and answers
STORY = [
    seed(limit_s=60),
    step(1, 70_000, ASKED, limit_s=60),
    step(2, 75_000, FAIL, limit_s=60),
    step(1, 130_000, ASKED, YI, limit_s=60),
    step(2, 135_000, PASS, YI, limit_s=60),
]


def sheet(bundle: Bundle) -> str:
    """A 学时台账 that pays what `keshi verify` says that it may pay."""
    report = check(bundle)
    lines = []
    for (lesson, seat), ms in report.credit_ms.items():
        change = report.corrected_ms.get((lesson, seat), 0)
        confirmed = ms - report.uncounted_ms.get((lesson, seat), 0) + change
        told = f"{ms // 1000},{change // 1000},{confirmed // 1000}"
        lines.append(f"{seat},A,,,名,,{lesson},,,,,,,0,{told}")
    return "标题\r\n" + "\r\n".join(lines)


def paid_in_full(bundle: Bundle) -> str:
    """One that forgets about challenges."""
    report = check(bundle)
    lines = [f"{seat},A,,,名,,{of},,,,,,,0,{ms // 1000},0,{ms // 1000}" for (of, seat), ms in report.credit_ms.items()]
    return "标题\r\n" + "\r\n".join(lines)


async def test_it_shows_what_became_of_everybodys_minutes(
    small: SmallClass, tmp_path: Path, chromium: str | None
) -> None:
    await challenged(small, *STORY)
    bundle = await small.bundle({LESSON: 3})
    report = check(bundle)
    assert report.uncounted_ms[3, 17] == report.credit_ms[3, 17]
    async with checker(tmp_path, chromium) as page:
        assert await drop(page, package(bundle, sheet(bundle)), keys_file(small.world.ledger.key)) == ("holds", [])
        assert await page.locator("[data-seat]").count() == 0
        await page.locator("[data-states] summary").click()
        said = await page.locator("[data-seat='17'] .said").inner_text()
        whole = words_of(report.credit_ms[3, 17])
        assert said == f"已记录 {whole} → 已认定 0 秒；未认定 {whole}（身份验证失败）"
        pending = report.uncounted_ms[3, 18]
        assert pending > 0
        said = await page.locator("[data-seat='18'] .said").inner_text()
        confirmed = words_of(report.credit_ms[3, 18] - pending)
        assert said == f"已记录 {words_of(report.credit_ms[3, 18])} → 已认定 {confirmed}；待核验 {words_of(pending)}"
        for size in (PHONE, SIZES[2]):
            await page.set_viewport_size(size)  # type: ignore[arg-type]  # its own TypedDict
            await picture(page, f"checker-challenges-{size['width']}", both=True)
        assert await look(page, "checker challenges") == []


def words_of(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    if not minutes:
        return f"{seconds} 秒"
    return f"{minutes} 分 {seconds} 秒" if seconds else f"{minutes} 分钟"


async def test_a_sheet_that_pays_what_was_dodged_is_named(
    small: SmallClass, tmp_path: Path, chromium: str | None
) -> None:
    await challenged(small, seed(), step(1, 130_000, ASKED), step(2, 179_999, LATE))
    bundle = await small.bundle({LESSON: 3})
    async with checker(tmp_path, chromium) as page:
        assert await drop(page, package(bundle, paid_in_full(bundle))) == (
            "changed",
            ["第 3 课次 学员 #17 台账里的学时与存证不符"],
        )
        await small.correct(JIA, 0, 0, 60_000, 4)
        corrected = await small.bundle({LESSON: 3})
        assert await drop(page, package(corrected, sheet(corrected))) == ("unknown", [])
        await page.locator("[data-states] summary").click()
        assert "含更正增加 1 分钟" in await page.locator("[data-seat='17'] .said").inner_text()
        await small.correct(JIA, 1, 60_000, 50_000, 5)
        forged = await small.bundle({LESSON: 3})
        expected = _expected(write(forged), [])
        assert expected[1][0].endswith("学员 #17 更正与原记录或前一次更正不符")
        assert await drop(page, file(write(forged))) == expected


async def test_it_counts_as_the_server_does_whatever_happened(
    small: SmallClass, tmp_path: Path, chromium: str | None
) -> None:
    """Fifteen lessons of one log, each looked at alone, steps drawn by a seed: each second of the sheet has to fit."""
    draw = random.Random(15)
    said = {lesson_id: drawn(draw, lesson_id) for lesson_id in DRAWN}
    await spent(small, said)
    left = 0
    async with checker(tmp_path, chromium) as page:
        for lesson_id, number in DRAWN.items():
            bundle = await small.bundle({lesson_id: number})
            report = check(bundle)
            assert report.consistent
            assert await drop(page, package(bundle, sheet(bundle))) == ("unknown", [])
            partly = [ms for where, ms in report.uncounted_ms.items() if 0 < ms < report.credit_ms[where]]
            left += len(partly)
            if partly:
                assert (await drop(page, package(bundle, paid_in_full(bundle))))[0] == "changed"
    assert left >= 5


def drawn(draw: random.Random, lesson_id: str) -> list[Record]:
    limit_s, resource = draw.choice([20, 45, 600]), bytes.fromhex(lesson_id)
    said = [replace(seed(limit_s=limit_s, answer_ms=180_000), resource=resource)]
    for person in (JIA, YI):
        times, last = sorted(draw.randrange(180_000) for _ in range(draw.randrange(7))), None
        for at, ms in enumerate(times):
            last = draw.choice(following(last))
            said.append(replace(step(at + 1, ms, last, person, limit_s), resource=resource))
    return said


def following(last: Outcome | None) -> list[Outcome]:
    """What may come next."""
    if last not in WAITING:
        return [ASKED]
    return [one for one in Outcome if one is not ASKED and (last is not Outcome.PAUSED or one not in (PASS, FAIL))]


async def spent(small: SmallClass, said: Mapping[str, list[Record]]) -> None:
    """Three minutes of these lessons, of which every other one ends."""
    async with small.world.database.write() as connection:
        for lesson_id, steps in said.items():
            for one in steps:
                await records.append(connection, one.slot, lesson_id, [one])
    await small.attend(lessons=DRAWN)
    for lesson_id, number in DRAWN.items():
        if number % 2:
            await small.end(lesson_id, GENESIS + 2)
    small.world.to(3, SEAL_AFTER_MS)
    await small.world.ledger.round()


async def test_what_contradicts_itself_is_named(small: SmallClass, tmp_path: Path, chromium: str | None) -> None:
    said = dict(zip(DRAWN, [*CONTRADICTIONS, *DISORDER], strict=False))
    await spent(small, {of: [replace(one, resource=bytes.fromhex(of)) for one in steps] for of, steps in said.items()})
    async with checker(tmp_path, chromium) as page:
        for of in said:
            raw = write(await small.bundle({of: DRAWN[of]}))
            expected = _expected(raw, [])
            [named] = expected[1]
            assert named.endswith("核验记录前后不符或不全")
            assert await drop(page, file(raw)) == expected
            assert await page.get_by_text("这里不说哪些学时已认定").count() == 1


SEEDS = [
    [seed(), seed(REVEALED, of=b"x" * 32)],
    [seed(), seed(REVEALED, limit_s=601)],
    [seed(), seed(REVEALED, answer_ms=59_999)],
    [seed(), seed(REVEALED, slot=1)],
    [seed(), seed(REVEALED), seed(REVEALED, slot=3)],
    [seed(), seed(of=b"x" * 32, slot=1), seed(REVEALED)],
    [seed(REVEALED)],
    [seed(slot=1), seed(REVEALED)],
    [seed(), seed(REVEALED)],
    [seed()],
]


async def test_a_false_seed_is_named(small: SmallClass, tmp_path: Path, chromium: str | None) -> None:
    """Each case in a lesson that ends; the last seed stays hidden, the last but one is honest."""
    said = dict(zip([one for one, number in DRAWN.items() if number % 2], SEEDS, strict=False))
    last = list(DRAWN)[1::2]
    said |= dict(zip(last, SEEDS[len(said) :], strict=False))
    await spent(small, {of: [replace(one, resource=bytes.fromhex(of)) for one in steps] for of, steps in said.items()})
    for lesson_id in last:
        await small.end(lesson_id, GENESIS + 2)
    for slot in range(4, 9):
        small.world.to(slot, SEAL_AFTER_MS)
        await small.world.ledger.round()
    async with checker(tmp_path, chromium) as page:
        for shown in ([], [SEED], [SEED, b"x" * 32], [SEED + b"x"]):
            small.shown[:] = shown
            codes = set()
            for of, number in DRAWN.items():
                raw = write(await small.bundle({of: number}))
                codes |= {one.code for one in check(read(raw)).findings}
                assert await drop(page, file(raw)) == _expected(raw, [])
            assert codes == {"seed_wrong"}


async def test_who_was_spared_or_asked_at_another_time_is_named(
    small: SmallClass, tmp_path: Path, chromium: str | None
) -> None:
    told = await taught(small, *honest(YI, later_ms=LATER_MS + 1_000))
    assert {code for code, _, _ in told} == {"challenge_skipped", "challenge_shifted"}
    raw = write(await small.bundle({LESSON: 3}))
    async with checker(tmp_path, chromium) as page:
        assert await drop(page, file(raw)) == _expected(raw, [])


async def test_an_honest_lesson_holds_at_any_minute(small: SmallClass, tmp_path: Path, chromium: str | None) -> None:
    assert await taught(small, *honest(JIA), *honest(YI)) == []
    bundle = await small.bundle({LESSON: 3})
    async with checker(tmp_path, chromium) as page:
        assert await drop(page, package(bundle, sheet(bundle))) == ("unknown", [])


async def test_what_was_late_while_nothing_could_be_stored_is_told(
    small: SmallClass, tmp_path: Path, chromium: str | None
) -> None:
    await hung(small)
    bundle = await small.bundle({LESSON: 3})
    async with checker(tmp_path, chromium) as page:
        assert await drop(page, package(bundle, sheet(bundle))) == ("unknown", [])
        assert await page.get_by_text("1 次随机核验因封存中断而推迟").is_visible()


def passed_instead(bundle: Bundle, rehashed: bool) -> Bundle:
    """The failure of seat 17 became a pass in the file; `rehashed`: its hint was made to fit."""
    leaves = []
    for leaf in bundle.leaves:
        groups = []
        for part in leaf.groups:
            raw, hints = bytearray(part.records), bytearray(part.hints)
            for at in range(len(raw) // RECORD_BYTES):
                begin = at * RECORD_BYTES
                if (raw[begin], raw[begin + 34]) == (Kind.CHALLENGE_OUTCOME, Outcome.FAILED):
                    raw[begin + 34] = Outcome.PASSED
                    salted = part.salts[at * SALT_BYTES :][:SALT_BYTES] + raw[begin:][:RECORD_BYTES]
                    if rehashed:
                        hints[at * HINT_BYTES : (at + 1) * HINT_BYTES] = sha256(b"\x00" + salted).digest()[:HINT_BYTES]
            groups.append(replace(part, records=bytes(raw), hints=bytes(hints)))
        leaves.append(replace(leaf, groups=tuple(groups)))
    return replace(bundle, leaves=tuple(leaves))


async def test_a_forged_outcome_and_damaged_evidence_are_told_as_by_keshi_verify(
    small: SmallClass, tmp_path: Path, chromium: str | None
) -> None:
    await challenged(small, *STORY)
    bundle, keys = await small.bundle({LESSON: 3}), [small.world.ledger.key]
    raw, draw, outcomes = write(bundle), random.Random(14), set()
    async with checker(tmp_path, chromium) as page:
        await drop(page, file(raw), keys_file(*keys))
        for rehashed, words in ((False, "被改动"), (True, "这一分钟的记录有增减、移动或改动")):
            forged = passed_instead(bundle, rehashed)
            expected = _expected(write(forged), keys)
            assert expected[1][0].endswith(words)
            assert await drop(page, file(write(forged))) == expected
        for _ in range(FLIPS):
            at = draw.randrange(len(raw))
            damaged = raw[:at] + bytes([raw[at] ^ 1 << draw.randrange(7)]) + raw[at + 1 :]
            expected = _expected(damaged, keys)
            assert await drop(page, file(damaged)) == expected, damaged[max(0, at - 40) : at + 40]
            outcomes.add(expected[0])
    assert outcomes >= {"changed", "refused"}
