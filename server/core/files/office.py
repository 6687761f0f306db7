"""Decides how a presentation becomes a PDF: by LibreOffice, where it is installed, as a program that may do little.

It works in a folder of its own with a profile of its own, where macros do not run and nothing is fetched from
elsewhere, at the lowest priority and with limits:

    python -m server.core.files.office SOURCE FOLDER        writes FOLDER/slides.pdf
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

from server.core.errors import DomainError
from server.core.files.lowered import lower

PROGRAMS: Final = ("soffice", "libreoffice")
SECONDS: Final = 300.0
CPU_SECONDS: Final = 240
MEMORY_BYTES: Final = 4 << 30
FILE_BYTES: Final = 256 << 20
ROOT: Final = Path(__file__).resolve().parents[3]
SETTINGS: Final = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel" oor:op="fuse">
<value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" oor:op="fuse">
<value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="BlockUntrustedRefererLinks"
oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableActiveContent" oor:op="fuse">
<value>true</value></prop></item>
</oor:items>
"""


def installed() -> str | None:
    """Where LibreOffice is."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


async def convert(source: Path, folder: Path, seconds: float = SECONDS) -> Path:
    """The PDF of a presentation, in a folder that is the caller's. Raises DomainError slides_damaged."""
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    said = (sys.executable, "-P", "-m", "server.core.files.office", str(source), str(folder))
    process = await asyncio.create_subprocess_exec(
        *said, env={**os.environ, "PYTHONPATH": paths}, stdout=asyncio.subprocess.DEVNULL, start_new_session=True
    )
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await process.wait()
    finally:
        with suppress(ProcessLookupError):  # LibreOffice is several processes
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    made = folder / "slides.pdf"
    if not made.is_file():
        raise DomainError("slides_damaged")
    return made


def main(said: Sequence[str]) -> NoReturn:
    """Give up what is not needed, and become LibreOffice."""
    source, folder = map(Path, said)
    program = installed() or sys.exit(1)
    lower(MEMORY_BYTES, CPU_SECONDS, FILE_BYTES)
    profile = Path(tempfile.mkdtemp(dir=folder)) / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(SETTINGS)
    named = folder / "slides.pptx"
    named.symlink_to(source.resolve())
    words = [program, f"-env:UserInstallation=file://{profile}", "--headless", "--norestore", "--nolockcheck"]
    # never with --nodefault: after a document that it cannot read LibreOffice would then wait for ever
    words += ["--convert-to", "pdf:impress_pdf_Export", "--outdir", str(folder), str(named)]
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "HOME": str(folder)}
    os.execve(program, words, {**os.environ, **nowhere})  # noqa: S606  a list, never a shell


if __name__ == "__main__":
    main(sys.argv[1:])
