"""The table of the long tests: a row for each, with what it printed last, and no line of the server's log."""

from pathlib import Path

import pytest

from tests.setup.loading import load

REPORT = """<testsuites><testsuite time="90.4">
<testcase classname="tests.faults.test_kill" name="test_kills[1]" time="60.4"><system-out>
2026-11-27 00:31:38 [info     ] request                        code=200
kills: 100, all sealed
2026-11-27 00:31:39 [info     ] request                        code=200
</system-out></testcase>
<testcase classname="tests.wire.test_openapi" name="test_long" time="30"><failure message="no"/></testcase>
</testsuite></testsuites>"""


def test_each_long_test_has_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = load("figures", monkeypatch)
    report = tmp_path / "long-1.xml"
    report.write_text(REPORT)
    _, heading, *_, kills, failed = figures.table("0123abc", [report, tmp_path / "round that began nothing.xml"])
    assert heading.endswith("commit 0123abc, 2 minutes")
    assert kills == "| faults.test_kill `test_kills[1]` | 60 | passed: kills: 100, all sealed |"
    assert failed == "| wire.test_openapi `test_long` | 30 | **failed** |"
