"""Decides whether what is stored can still be proven: the log against itself, and the journal against the log."""

import sys
from collections.abc import AsyncIterator, Mapping
from typing import Final

from server.app import House
from server.attendance.audit import differences
from server.core.clock import iso
from server.ledger import audit
from server.ledger.rules import MINUTE_MS

#: what each code means, in both languages
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "leaf_missing": ("这一分钟不见了", "this minute is missing"),
    "leaf_changed": ("这一分钟被改动", "this minute was changed"),
    "group_changed": ("这一分钟里多出、缺少或移动了一组记录", "a group of this minute was added, removed or moved"),
    "records_changed": ("这一组记录被改动", "records of this group were changed"),
    "entry_lost": ("有一项记录不在任何一分钟里", "something that was said is in no minute"),
    "entry_doubled": ("有一项记录等待再次封存", "something sealed waits to be sealed again"),
    "head_changed": ("日志的末端与内容不符", "the head of the log does not fit its leaves"),
    "files_changed": ("公布的文件与日志不符", "the published files do not fit the log"),
    "checkpoint_false": ("这一分钟之后的签名不对", "the signature after this minute is false"),
    "journal_changed": (
        "学员这一分钟或它的更正与日志不符",
        "a trainee's minute, or its correction, does not fit the log",
    ),
}


async def faults(house: House) -> AsyncIterator[str]:
    """Each fault as a line: where, code, words. Nothing personal is in it: a trainee is meant by id."""
    database, log = house.store.database, house.log
    genesis = await log.genesis()
    async for one in audit.audit(database, log.files, log.keys, _show if sys.stderr.isatty() else audit.quiet):
        where = iso((genesis + one.idx) * MINUTE_MS) if one.idx is not None else "-"
        yield _line(where, one.code, one.group_id)
    async for found in differences(database):
        yield _line(iso(found.slot * MINUTE_MS), "journal_changed", f"{found.lesson_id} {found.person_id}")


def _line(where: str, code: str, what: str) -> str:
    chinese, english = WORDS[code]
    return f"✗ {where}  {code}  {what}\n  {chinese} · {english}"


def _show(done: int, whole: int) -> None:
    print(f"\r{done} / {whole}", end="" if done < whole else "\n", file=sys.stderr, flush=True)
