"""The real program: pages as pictures in two widths with their text; what hurts ends the program, and nothing else."""

import asyncio
import fcntl
import json
import os
import sys
from pathlib import Path

import pytest

from server.core.files import pages
from server.core.files.kinds import FileKind
from server.core.files.making import PROGRAM, ROOT
from server.core.files.rules import BUSY, DAMAGED, DONE, LOCKED, MOST_PAGES, TOO_LONG
from tests.core.files.documents import assembled, bomb, pdf, picture, size_of

pytestmark = pytest.mark.timeout(240)


async def made(folder: Path, content: bytes, kind: str = "pdf", parent: int | None = None) -> int:
    source = folder / "source"
    source.write_bytes(content)
    words = [*PROGRAM, str(source), kind, str(folder / "out"), str(parent or os.getpid())]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(*words, env=environment, stderr=asyncio.subprocess.DEVNULL)
    return await process.wait()


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in (folder / "out").iterdir())


async def test_each_page_is_two_pictures_and_a_text(tmp_path: Path) -> None:
    assert await made(tmp_path, pdf(["Hello", "World"])) == DONE
    out = tmp_path / "out"
    assert json.loads((out / "sizes.json").read_text()) == [[9600, 5400], [9600, 5400]]
    assert names(tmp_path) == sorted(
        ["lock", "sizes.json", *(f"{n}.{end}" for n in (1, 2) for end in ("960.webp", "1920.webp", "txt"))]
    )
    assert size_of((out / "1.960.webp").read_bytes()) == (960, 540)
    assert size_of((out / "2.1920.webp").read_bytes()) == (1920, 1080)
    assert [(out / f"{n}.txt").read_text() for n in (1, 2)] == ["Hello", "World"]


async def test_it_goes_on_where_another_has_ended(tmp_path: Path) -> None:
    assert await made(tmp_path, pdf(["one", "two", "three"])) == DONE
    first, second = tmp_path / "out" / "1.960.webp", tmp_path / "out" / "2.txt"
    before = first.stat().st_mtime_ns
    second.unlink()
    assert await made(tmp_path, pdf(["one", "two", "three"])) == DONE
    assert second.read_text() == "two"
    assert first.stat().st_mtime_ns == before, "what was there is not made again"


async def test_a_long_narrow_page_is_made_smaller(tmp_path: Path) -> None:
    assert await made(tmp_path, pdf(["tall"], width=200, height=14_000)) == DONE
    width, height = size_of((tmp_path / "out" / "1.1920.webp").read_bytes())
    assert width * height <= pages.MOST_PIXELS
    assert (width, height) == (118, pages.MOST_SIDE)


@pytest.mark.parametrize(("kind", "codec"), [("png", "png"), ("jpg", "mjpeg"), ("webp", "libwebp")])
async def test_a_picture_is_one_page(tmp_path: Path, kind: str, codec: str) -> None:
    assert await made(tmp_path, picture(codec, 3000, 1500), kind) == DONE
    assert json.loads((tmp_path / "out" / "sizes.json").read_text()) == [[30000, 15000]]
    assert size_of((tmp_path / "out" / "1.1920.webp").read_bytes()) == (1920, 960)
    assert size_of((tmp_path / "out" / "1.960.webp").read_bytes()) == (960, 480)


async def test_so_many_pages_and_no_more(tmp_path: Path) -> None:
    assert await made(tmp_path, pdf([""] * (MOST_PAGES + 1))) == TOO_LONG
    assert names(tmp_path) == ["lock"]


def test_the_last_page_that_may_be(tmp_path: Path) -> None:
    (tmp_path / "most.pdf").write_bytes(pdf([""] * MOST_PAGES))
    assert len(pages._Document(tmp_path / "most.pdf").sizes) == MOST_PAGES


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.4\nnothing\n%%EOF", "pdf"),
        (pdf([]), "pdf"),
        (pdf(["a"])[:200], "pdf"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "png"),
        (assembled([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R] /Count 9 >>"]), "pdf"),
    ],
)
async def test_what_cannot_be_read_is_damaged(tmp_path: Path, content: bytes, kind: str) -> None:
    assert await made(tmp_path, content, kind) == DAMAGED


async def test_a_locked_document_is_called_so(tmp_path: Path) -> None:
    keyed = b"<< /Filter /Standard /V 1 /R 2 /P -4 /O (%s) /U (%s) >>" % (b"o" * 32, b"u" * 32)
    whole = pdf(["secret"]).replace(
        b"trailer << ", b"trailer << /ID [(0123456789abcdef) (0123456789abcdef)] /Encrypt 9 0 R "
    )
    start = whole.index(b"xref\n")
    body, tail = whole[:start], whole[start:]
    count = int(tail.split()[2])
    added = b"%d 0 obj\n%s\nendobj\n" % (count, keyed)
    head, rest = tail.split(b"trailer", 1)
    head = head.replace(b"0 %d\n" % count, b"0 %d\n" % (count + 1)) + b"%010d 00000 n \n" % len(body)
    rest = rest.replace(b"/Encrypt 9 0 R", b"/Encrypt %d 0 R" % count).replace(
        b"/Size %d" % count, b"/Size %d" % (count + 1)
    )
    rest = rest[: rest.index(b"startxref")] + b"startxref\n%d\n%%%%EOF\n" % (start + len(added))
    assert await made(tmp_path, body + added + head + b"trailer" + rest) == LOCKED


async def test_a_page_that_unpacks_without_end_ends_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8 MB that become 1 GiB: too much memory, or too long. Who asked for it lives, and is told by the exit code."""
    assert await made(tmp_path, bomb(2 << 30)) not in (DONE, BUSY, TOO_LONG, LOCKED)
    assert not (tmp_path / "out" / "1.txt").exists()


async def test_the_program_has_limits(tmp_path: Path) -> None:
    """Read from a program that has taken them: memory, processor, size of a file, priority."""
    words = (
        "import os, resource as r; from server.core.files import pages; pages._limit(); print(*(r.getrlimit(one)[1] "
        "for one in (r.RLIMIT_AS, r.RLIMIT_CPU, r.RLIMIT_FSIZE, r.RLIMIT_CORE)), os.getpriority(os.PRIO_PROCESS, 0))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", words, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    wanted = [pages.MEMORY_BYTES, pages.CPU_SECONDS, pages.FILE_BYTES, 0, 19]
    assert [int(one) for one in said.split()] == wanted


async def test_one_at_a_time_and_not_for_a_dead_server(tmp_path: Path) -> None:
    assert await made(tmp_path, pdf(["one"]), parent=1) == BUSY
    assert not (tmp_path / "out" / "1.txt").exists()
    (tmp_path / "source").write_bytes(pdf(["one"]))
    with (tmp_path / "out" / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert pages.make(tmp_path / "source", FileKind.PDF, tmp_path / "out", os.getppid()) == BUSY


@pytest.mark.parametrize("letters", [pages.MOST_LETTERS, pages.MOST_LETTERS + 1])
async def test_the_text_of_a_page_has_an_end(tmp_path: Path, letters: int) -> None:
    assert await made(tmp_path, pdf(["x" * letters], width=300_000)) == DONE
    assert len((tmp_path / "out" / "1.txt").read_text()) == pages.MOST_LETTERS
