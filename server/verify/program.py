"""`keshi verify`: check a package, its evidence.json, or a whole log, with keys that came from elsewhere.

A package is checked offline; a log is a folder (a copy of its files) or an address, https://…/log .

Exits 0 when everything holds and a known log signed it, 1 when something was changed, 2 when nobody known signed it
or it is no evidence at all.
"""

import csv
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from server.verify import identity, words
from server.verify.bundle import FILE_BYTES, read
from server.verify.check import check
from server.verify.download import download
from server.verify.handover import Handover
from server.verify.log import check_log_files
from server.verify.notes import DEPENDENT, Key, read_key
from server.verify.progress import Progress, quiet
from server.verify.report import Report
from server.verify.sheets import Row, csv_rows, shared_texts, sheet_rows
from server.verify.tiles import Fetch, part_of
from server.verify.tree import Refused

EVIDENCE: Final = "evidence.json"
#: where an .xlsx keeps its texts
SHARED: Final = "xl/sharedStrings.xml"
HOLDS, CHANGED, UNKNOWN = 0, 1, 2
#: what a damaged package raises where it is opened
UNREADABLE: Final = (
    *(KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError),
    *(UnicodeDecodeError, csv.Error, lzma.LZMAError, ValueError),
)
#: so many findings are told one by one
MOST_TOLD: Final = 20


def verify(
    target: str | Path,
    trust: Path | None,
    seen: Path | None = None,
    receipts: Iterable[Path] = (),
    progress: Progress = quiet,
) -> tuple[int, list[str]]:
    """The exit code and the lines to print; nothing but these is read. `seen` is a checkpoint of a log from before,
    `receipts` are what trainees kept; `progress` is told how many minutes were looked at, of how many.
    """
    try:
        keys = read_keys(trust) if trust else []
        fetch = log_at(str(target))
        if fetch is not None:
            return _verify_log(fetch, keys, seen.read_text() if seen else None, progress)
        evidence, sheets, salts = _content(Path(target))
        kept = [one.read_text(encoding="utf-8") for one in receipts]
        report = check(read(evidence), keys, sheets, kept, progress, salts)
    except (Refused, OSError, UnicodeDecodeError) as error:
        return UNKNOWN, [f"✗ 无法核验 · cannot be checked: {error}"]
    code = CHANGED if not report.consistent else HOLDS if report.authentic else UNKNOWN
    return code, list(_told(report))


def _verify_log(fetch: Fetch, keys: list[Key], seen: str | None, progress: Progress) -> tuple[int, list[str]]:
    try:
        report = check_log_files(fetch, keys, seen, progress)
    except Refused as error:
        return CHANGED, [f"✗ 日志不成立 · the log does not hold: {error}"]
    lines = [f"  {report.size} 分钟 · minutes    {words.moment(report.first)} … {words.moment(report.last)}"]
    if report.gaps:
        lines.append(f"! 未及时封存的分钟 · minutes sealed late: {report.gaps}")
    lines += [*_named([one.key.name for one in report.witnesses]), *_handed(report.handovers)]
    if report.signers and report.is_unseen:
        return UNKNOWN, [*lines, words.unseen(report.size)]
    return (HOLDS if report.signers else UNKNOWN), [*lines, _signed(report.signers, report.handovers)]


def log_at(target: str) -> Fetch | None:
    """How the files of a log are read; None for a file, which is a package. Raises Refused for what is no address."""
    try:
        scheme = urlsplit(target).scheme
    except ValueError as error:
        raise Refused("not an address") from error
    if scheme in ("http", "https"):
        return partial(part_of, partial(download, target.rstrip("/")))
    folder = Path(target)
    return partial(part_of, partial(_read, folder)) if folder.is_dir() else None


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise KeyError(name) from error


def read_keys(path: Path) -> list[Key]:
    """The keys of a file, one in a line; `#` begins a remark. Raises Refused, OSError."""
    try:
        lines = [line.strip() for line in path.read_text().splitlines()]
    except UnicodeDecodeError as error:
        raise Refused("the file of keys is no text") from error
    return [read_key(line) for line in lines if line and not line.startswith("#")]


def _content(path: Path) -> tuple[bytes, list[list[Row]], dict[bytes, bytes]]:
    """The evidence, the rows of each 学时台账 beside it, and the salts of their names."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            return file.read(FILE_BYTES + 1), [], {}
    try:
        with zipfile.ZipFile(path) as package:
            _check_names(package)
            sheets = [rows for name in package.namelist() for rows in _sheets(name, package)]
            salts = identity.read(_member(package, identity.FILE)) if identity.FILE in package.namelist() else {}
            return _member(package, EVIDENCE), sheets, salts
    except Refused:
        raise
    except UNREADABLE as error:
        raise Refused(f"no readable {EVIDENCE} in the package") from error


def _sheets(name: str, package: zipfile.ZipFile) -> Iterator[list[Row]]:
    if name.lower().endswith(".csv"):
        yield csv_rows(_member(package, name).decode("utf-8-sig"))
    elif name.lower().endswith(".xlsx"):
        with zipfile.ZipFile(io.BytesIO(_member(package, name))) as book:
            _check_names(book)
            inside = [one for one in book.namelist() if one.startswith("xl/worksheets/")]
            texts = shared_texts(_member(book, SHARED).decode()) if SHARED in book.namelist() else []
            yield [row for one in inside for row in sheet_rows(_member(book, one), texts)]


def _check_names(package: zipfile.ZipFile) -> None:
    """Raises Refused where two files have one name: nobody knows which of them another program shows."""
    if len({name.lower() for name in package.namelist()}) != len(package.namelist()):
        raise Refused("two files of one name in a .zip")


def _member(package: zipfile.ZipFile, name: str, most: int = FILE_BYTES) -> bytes:
    """Raises Refused for what unpacks to more: nothing is looked at in part."""
    with package.open(name) as file:
        raw = file.read(most + 1)
    if len(raw) > most:
        raise Refused(f"{name} is too large")
    return raw


def _counted(report: Report) -> Iterator[str]:
    """What counts otherwise than it was recorded."""
    if report.changes:
        minutes = len({(one.lesson, one.slot, one.seat) for one in report.changes})
        seconds = sum(report.corrected_ms.values()) // 1000
        yield f"  更正 · corrections: {minutes} 分钟 · minutes, {seconds:+} 秒 · s"
    if seconds := sum(report.uncounted_ms.values()) // 1000:
        yield f"  待核验、未认定 · to be verified, not confirmed: {seconds} 秒 · s"


def _hours(report: Report) -> Iterator[str]:
    """Under which scheme class hours were worked out."""
    if report.rules is None:
        yield "! 课时没有核对（缺学时认定规则，或日志未及时记下）· class hours were not checked: no scheme is shown"
        return
    said = ", ".join(f"{name} {value}" for name, value in asdict(report.rules).items() if value is not None)
    yield f"  按学时认定规则核对课时 · class hours checked under the scheme: {said}"
    if seconds := sum(report.cut_ms.values()) // 1000:
        yield f"  日累计超限、时长过短 · beyond the day's limit, too short: {seconds} 秒 · s"


def _settled(report: Report) -> Iterator[str]:
    """What was settled, and follows from the evidence."""
    for number, scheme in sorted({(one.number, one.scheme) for one in report.settled}):
        of_one = [one for one in report.settled if one.number == number]
        hours = sum(one.class_hours for one in of_one)
        yield (
            f"  第 {number} 次结算 · settlement {number}: {scheme}, {len(of_one)} 人 · trainees, "
            f"{hours} 课时 · class hours, {words.moment(of_one[0].slot)}"
        )
    if report.unchecked:
        numbers = ", ".join(map(str, report.unchecked))
        yield f"! 不全在这份存证里的结算 · settlements of lessons that this evidence does not show: {numbers}"


def _acted(report: Report) -> Iterator[str]:
    """How much happened in which lesson."""
    for number, count in report.steps.items():
        yield f"  互动记录 · acts: 第 {number} 课次 · lesson {number}, {count} 步 · steps"


def _deleted(report: Report) -> Iterator[str]:
    """What the log ordered to be deleted, and was."""
    for one in report.deleted:
        when = words.moment(one.slot)
        where = f"第 {one.lesson} 课次 · lesson {one.lesson}" if one.lesson >= 0 else "花名册 · roster"
        yield f"  保存期满后删除 · deleted after their time: {one.records} 条记录 · records, {where}, {when}"


def _told(report: Report) -> Iterator[str]:
    yield f"  {report.n_minutes} 分钟 · minutes    {report.n_records} 条记录 · records    日志 · log {report.size}"
    for finding in report.findings[:MOST_TOLD]:
        yield f"✗ {words.chinese(finding)}"
        yield f"  {words.english(finding)}  [{finding.code}]"
    if len(report.findings) > MOST_TOLD:
        yield f"✗ … {len(report.findings) - MOST_TOLD}"
    yield from _counted(report)
    yield from _hours(report)
    yield from _settled(report)
    yield from _acted(report)
    yield from _deleted(report)
    yield f"  页面自己签过名 · signed by their own page: {report.n_signed} / {report.n_credited} 分钟 · trainee-minutes"
    yield from _named_people(report)
    if report.receipts:
        yield f"  学时回执 · receipts: {report.receipts}"
    if report.n_delayed:
        yield f"! 封存中断而推迟的随机核验 · challenges late while nothing could be stored: {report.n_delayed}"
    if report.unended:
        numbers = ", ".join(map(str, report.unended))
        yield f"! 最后一条记录之后没有下课（还在上课，或末尾有缺）· no end follows the last record of lesson {numbers}"
    if report.gaps:
        yield f"! 未及时封存的分钟 · minutes sealed late: {len(report.gaps)}"
    if report.clock_wrong:
        yield f"! 时钟有误的分钟 · minutes dated by a wrong clock: {len(report.clock_wrong)}"
    yield from _witnessed(report)
    yield from _handed(report.handovers)
    yield _verdict(report)


def _named_people(report: Report) -> Iterator[str]:
    """How far it is proven who sat where."""
    if report.n_named:
        yield f"  姓名、座位与日志一致 · names and seats held against the log: {report.n_named}"
    else:
        yield "! 姓名没有对照（没有台账，或缺 identities.json）· no name was held against the log"
    if report.untold:
        seats = ", ".join(f"#{seat}" for seat in report.untold[:MOST_TOLD])
        seats += " …" if len(report.untold) > MOST_TOLD else ""
        yield f"! 上课前日志里没有这些学员的座位 · seats that the log was not told of in time: {seats}"
    if report.unnumbered:
        numbers = ", ".join(map(str, report.unnumbered))
        yield f"! 日志里没有这些课次的编号 · lessons whose number the log was not told: {numbers}"


def _handed(handovers: Iterable[Handover]) -> Iterator[str]:
    """How the log came to its present key and name."""
    for one in handovers:
        if one.succeeds:
            yield f"! 后继日志：{one.before.name} 最后见到 {one.last.size} 分钟，无法接续，由 {one.after.name} 接替"
            yield f"  a successor: {one.before.name} was seen up to {one.last.size} minutes and could not go on"
        else:
            yield f"  换过密钥 · the key was changed after {one.last.size} 分钟 · minutes: {one.before} → {one.after}"


def _witnessed(report: Report) -> Iterator[str]:
    yield from _named([one.key.name for one in report.witnesses])
    if report.witnesses and report.unwitnessed:
        first = words.moment(report.unwitnessed[0])
        yield f"! 未及时见证的分钟 · minutes not witnessed in time: {len(report.unwitnessed)} ({first} …)"


def _named(names: list[str]) -> Iterator[str]:
    """Who saw it; a witness that the operator of the log keeps itself is no outside one."""
    outside = [name for name in names if not name.startswith(DEPENDENT)]
    if outside:
        yield f"  见证 · witnesses: {', '.join(outside)}"
    if inside := [name for name in names if name not in outside]:
        yield f"! 见证方非独立 · not an independent witness: {', '.join(inside)}"
    if not names:
        yield "! 无外部见证 · no outside witness"


def _verdict(report: Report) -> str:
    if not report.consistent:
        return "✗ 已被改动 · changed"
    unseen = words.unseen(report.n_unseen) if report.signers and report.n_unseen else ""
    return unseen or _signed(report.signers, report.handovers)


def _signed(signers: Iterable[Key], handovers: Iterable[Handover]) -> str:
    if names := [key.name for key in signers]:
        return f"✓ 全部一致，签名者 · all holds, signed by {', '.join(names)}"
    if any(one.succeeds for one in handovers):
        return f"! {words.SUCCESSOR[0]} · {words.SUCCESSOR[1]}"
    return "! 前后一致，但来源未经认证：请用 --trust 给出密钥 · consistent, NOT authenticated: give keys by --trust"
