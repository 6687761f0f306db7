"""`keshi fsck` as a person runs it: quiet when all fits, a line with the minute when it does not."""

import asyncio
import re
import sqlite3
from pathlib import Path

import pytest

from server.__main__ import main
from server.core.clock import iso
from server.ledger.rules import SEAL_AFTER_MS
from server.upkeep.fsck import WORDS
from tests.house.repo import ROOT
from tests.school import school


async def _some_minutes(folder: Path) -> None:
    async with school(folder) as served:
        await served.house.log.round()
        served.clock.advance(3 * 60_000 + SEAL_AFTER_MS)
        await served.house.log.round()


def test_it_says_that_all_fits_and_names_the_minute_that_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(_some_minutes(tmp_path))
    assert main(["fsck", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("✓")
    with sqlite3.connect(tmp_path / "keshi.db") as raw:
        raw.execute("DROP TRIGGER ledger_leaf_no_update")
        raw.execute("UPDATE ledger_leaf SET leaf = zeroblob(98) WHERE idx = 1")
        (genesis,) = raw.execute("SELECT genesis FROM ledger_head").fetchone()
    raw.close()
    assert main(["fsck", "--data", str(tmp_path)]) == 1
    told = capsys.readouterr().out
    minutes = re.findall(r"✗ (\S+) +leaf_changed", told)
    assert set(minutes) == {iso((genesis + 1) * 60_000)}
    assert WORDS["leaf_changed"][0] in told


def test_every_code_has_words() -> None:
    source = (ROOT / "server/ledger/audit.py").read_text(encoding="utf-8")
    codes = set(re.findall(r'Fault\("(\w+)"', source)) | {"entry_lost", "entry_doubled", "journal_changed"}
    codes |= {
        "row_untold",
        "row_missing",
        "identity_changed",
        "lesson_misplaced",
        "unreadable",
        "settlement_wrong",
        "file_missing",
        "file_changed",
        "acts_missing",
    }
    assert codes == WORDS.keys()
    assert all(all(words) for words in WORDS.values())
