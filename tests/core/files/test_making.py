"""Pages are made one file at a time, waited for, gone on with after a death, and given up with a reason."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from server.core.files import making
from server.core.files.kinds import FileKind
from server.core.files.making import PROGRAM, PageMaker
from server.core.files.rules import FULL, LOCKED, TOO_LONG
from server.core.files.store import FileStore
from server.core.tasks import Tasks
from tests.core.files.documents import in_pieces, pdf, size_of
from tests.core.files.waiting import until

pytestmark = pytest.mark.timeout(120)
Make = Callable[..., PageMaker]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    tasks = Tasks()
    store = FileStore(tmp_path / "files", reserve_bytes=0)

    def maker(program: tuple[str, ...] = PROGRAM) -> PageMaker:
        return PageMaker(store, tmp_path / "pages", tasks, program)

    yield maker
    await tasks.close()
    assert tasks.failures == 0


def ends(code: str, folder: Path) -> tuple[str, ...]:
    """A program that counts how often it was begun and ends so."""
    script = folder / "program.py"
    script.write_text(f"import os, signal\nwith open({str(folder / 'begun')!r}, 'a') as f: f.write('x')\n{code}\n")
    return (sys.executable, str(script))


def begun(folder: Path) -> int:
    return len((folder / "begun").read_text()) if (folder / "begun").exists() else 0


def tried(maker: PageMaker, folder: Path, times: int) -> bool:
    return begun(folder) >= times and not maker._wanted


async def kept(make: Make, content: bytes) -> str:
    taken = await make()._files.take(in_pieces(content), 1 << 24, {FileKind.PDF})
    return taken.digest


async def over(maker: PageMaker, digest: str) -> None:
    await until(lambda: maker.pages(digest).over)


async def test_pages_are_made_and_waited_for(make: Make) -> None:
    maker, digest = make(), await kept(make, pdf(["one", "two"]))
    assert maker.pages(digest) == making.Pages([], 0, None)
    maker.want(digest, FileKind.PDF)
    path = await maker.picture(digest, 2, 960)
    while path is None:  # a busy machine takes longer than anybody waits
        path = await maker.picture(digest, 2, 960)
    assert size_of(path.read_bytes()) == (960, 540)
    await over(maker, digest)
    assert maker.pages(digest) == making.Pages([(9600, 5400)] * 2, 2, None)
    assert await maker.text(digest, 1) == "one"
    assert await maker.picture(digest, 3, 960) is None, "there is none, and nobody waits"
    assert await maker.picture(digest, 1, 961) is None


async def test_a_killed_program_is_tried_once_more_and_then_called_damaged(make: Make, tmp_path: Path) -> None:
    digest = await kept(make, pdf(["one"]))
    maker = make(ends("os.kill(os.getpid(), signal.SIGKILL)", tmp_path))
    maker.want(digest, FileKind.PDF)
    await over(maker, digest)
    assert (maker.pages(digest).trouble, begun(tmp_path)) == ("slides_damaged", 2)
    assert await maker.picture(digest, 1, 960) is None
    maker.want(digest, FileKind.PDF)
    await asyncio.sleep(0.2)
    assert begun(tmp_path) == 2, "nobody tries for ever"
    again = make()
    again.try_again(digest)
    again.want(digest, FileKind.PDF)
    await over(again, digest)
    assert again.pages(digest).trouble is None


@pytest.mark.parametrize(("code", "trouble"), [(TOO_LONG, "slides_too_long"), (LOCKED, "slides_locked")])
async def test_what_is_wrong_with_a_document_is_said_at_once(
    make: Make, tmp_path: Path, code: int, trouble: str
) -> None:
    digest = await kept(make, pdf(["one"]))
    maker = make(ends(f"os._exit({code})", tmp_path))
    maker.want(digest, FileKind.PDF)
    await over(maker, digest)
    assert (maker.pages(digest).trouble, begun(tmp_path)) == (trouble, 1)


async def test_a_full_disk_is_no_fault_of_the_document(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "RETRY_SECONDS", 0.0)
    digest = await kept(make, pdf(["one"]))
    maker = make(ends(f"os._exit({FULL})", tmp_path))
    for times in (1, 2, 3):
        maker.want(digest, FileKind.PDF)
        await until(partial(tried, maker, tmp_path, times))
    assert maker.pages(digest).trouble is None


async def test_what_takes_for_ever_is_ended(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "ALL_SECONDS", 0.5)
    digest = await kept(make, pdf(["one"]))
    maker = make(ends("import time; time.sleep(600)", tmp_path))
    maker.want(digest, FileKind.PDF)
    await over(maker, digest)
    assert maker.pages(digest).trouble == "slides_damaged"


async def test_a_server_that_stops_blames_nobody(tmp_path: Path) -> None:
    """The program ends with the server, and the next one goes on."""
    tasks, store = Tasks(), FileStore(tmp_path / "files", reserve_bytes=0)
    digest = (await store.take(in_pieces(pdf(["one"])), 1 << 24, {FileKind.PDF})).digest
    script = "with open('{0}', 'w') as f: f.write(str(os.getpid()))\nimport time; time.sleep(600)"
    pid = tmp_path / "pid"
    maker = PageMaker(store, tmp_path / "pages", tasks, ends(script.format(pid), tmp_path))
    maker.want(digest, FileKind.PDF)
    await until(lambda: pid.exists() and pid.read_text() != "")
    await tasks.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), signal.SIGCONT)
    assert maker.pages(digest).trouble is None


async def test_pages_go_with_their_file(make: Make) -> None:
    maker = make()
    one, two = await kept(make, pdf(["one"])), await kept(make, pdf(["two"]))
    for digest in (one, two):
        maker.want(digest, FileKind.PDF)
        await over(maker, digest)
    maker.sweep({two})
    assert maker.pages(one).made == 0
    assert maker.pages(two).made == 1
