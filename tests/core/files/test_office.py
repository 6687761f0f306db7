"""What is done with a program that should make a PDF of a presentation: its limits, and what is said when it fails,
takes too long or is not there. The real LibreOffice is asked in test_office_real.py (make long)."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from server.core.errors import DomainError
from server.core.files import office
from tests.core.files.documents import office as parts
from tests.core.files.waiting import until

pytestmark = pytest.mark.timeout(400)


def program(folder: Path, code: str) -> None:
    """Something else called `soffice`, found first: what we do with a program that does not do as it should."""
    made = folder / "bin" / "soffice"
    made.parent.mkdir()
    made.write_text(f"#!{sys.executable}\n{code}\n")
    made.chmod(0o755)


async def test_a_program_that_hangs_is_ended_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = tmp_path / "pid"
    program(
        tmp_path,
        "import subprocess, sys, time\nwait = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "child = subprocess.Popen(wait)\n"
        f"open({str(pid)!r}, 'w').write(str(child.pid))\ntime.sleep(600)",
    )
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    (tmp_path / "a.pptx").write_bytes(parts("pptx"))
    (tmp_path / "out").mkdir()
    async with asyncio.TaskGroup() as group:
        converting = group.create_task(office.convert(tmp_path / "a.pptx", tmp_path / "out"))
        await until(lambda: pid.exists() and pid.read_text() != "")
        converting.cancel()
    await until(lambda: not runs(int(pid.read_text())))


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


async def test_what_takes_too_long_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "import time; time.sleep(600)")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    (tmp_path / "out").mkdir()
    with pytest.raises(DomainError, match="slides_damaged"):
        await office.convert(tmp_path / "none", tmp_path / "out", 0.5)


async def test_it_is_begun_with_limits_and_a_profile_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(
        tmp_path,
        "import os, pathlib, resource, sys\n"
        "out = pathlib.Path(sys.argv[sys.argv.index('--outdir') + 1])\n"
        "profile = next(one for one in sys.argv if 'UserInstallation' in one).partition('file://')[2]\n"
        "xcu = (pathlib.Path(profile) / 'user' / 'registrymodifications.xcu').read_text()\n"
        "limits = [resource.getrlimit(one)[1] for one in (resource.RLIMIT_AS, resource.RLIMIT_CPU)]\n"
        "lines = [sys.argv[-1], *map(str, limits), str(os.getpriority(os.PRIO_PROCESS, 0)), os.environ['https_proxy'],"
        " str('DisableMacrosExecution' in xcu and 'BlockUntrustedRefererLinks' in xcu)]\n"
        "(out / 'slides.pdf').write_text('|'.join(lines))",
    )
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    (tmp_path / "a").write_bytes(parts("pptx"))
    (tmp_path / "out").mkdir()
    said = (await office.convert(tmp_path / "a", tmp_path / "out")).read_text().split("|")
    limits = [str(office.MEMORY_BYTES), str(office.CPU_SECONDS), "19", "http://127.0.0.1:9", "True"]
    assert said == [str(tmp_path / "out" / "slides.pptx"), *limits]


async def test_without_a_pdf_it_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "raise SystemExit(0)")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    (tmp_path / "out").mkdir()
    with pytest.raises(DomainError, match="slides_damaged"):
        await office.convert(tmp_path / "none", tmp_path / "out")
    monkeypatch.setenv("PATH", "")
    assert office.installed() is None
