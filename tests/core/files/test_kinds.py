"""A file is what it holds, whatever it is called; what is torn, runs or unpacks without end is no file of ours."""

import struct
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import DomainError
from server.core.files import kinds
from server.core.files.kinds import TYPES, FileKind, kind_of, named
from tests.core.files.documents import office, pdf, picture

GOOD = {
    FileKind.PDF: pdf(["one"]),
    FileKind.PNG: picture("png"),
    FileKind.JPEG: picture("mjpeg"),
    FileKind.WEBP: picture("libwebp"),
    FileKind.PPTX: office("pptx"),
    FileKind.DOCX: office("docx"),
    FileKind.XLSX: office("xlsx"),
    FileKind.TEXT: "第一课\n\t安全用电".encode(),
}


def code_of(folder: Path, content: bytes) -> str:
    path = folder / "holiday.png"
    path.write_bytes(content)
    try:
        return kind_of(path).value
    except DomainError as error:
        return error.code


@pytest.mark.parametrize("kind", GOOD)
def test_each_kind_is_known_by_its_content(tmp_path: Path, kind: FileKind) -> None:
    assert code_of(tmp_path, GOOD[kind]) == kind
    assert kind in TYPES


@pytest.mark.parametrize("kind", [kind for kind in GOOD if kind is not FileKind.TEXT])
def test_what_was_torn_is_damaged(tmp_path: Path, kind: FileKind) -> None:
    assert code_of(tmp_path, GOOD[kind][: len(GOOD[kind]) * 2 // 3]) == "file_damaged"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\x7fELF\x02\x01\x01" + bytes(64), "file_kind_refused"),
        (b"MZ\x90\x00", "file_kind_refused"),
        (b"GIF89a\x01\x00", "file_kind_refused"),
        (b"\x00\x01\x02", "file_kind_refused"),
        (b"a\x1b[31mred", "file_kind_refused"),
        ("文字".encode("gb18030"), "txt"),
        (b"\xef\xbb\xbfwith a mark", "txt"),
        (office("other"), "file_kind_refused"),
        (office("pptx", "ppt/vbaProject.bin"), "file_kind_refused"),
        (office("pptx", "word/document.xml"), "file_kind_refused"),
        (office("pptx", types=False), "file_kind_refused"),
        (b"<html><script>alert(1)</script></html>", "txt"),
    ],
)
def test_what_runs_or_is_of_no_kind_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    """A page of HTML is a text here: it is served as one, to be saved, under a name that says so."""
    assert code_of(tmp_path, content) == code


def test_a_list_of_parts_without_end_is_not_read(tmp_path: Path) -> None:
    """Twenty megabytes that name half a million parts cost three seconds and ten times their size in memory."""
    parts = [b"[Content_Types].xml", b"ppt/presentation.xml", *[b"a"] * 60_000]
    entries = b"".join(b"PK\1\2" + struct.pack("<6H3I5H2I", *(0,) * 9, len(one), *(0,) * 6) + one for one in parts)
    head = b"PK\3\4" + bytes(26)
    end = b"PK\5\6" + struct.pack("<4H2IH", 0, 0, 60_002, 60_002, len(entries), len(head), 0)
    tracemalloc.start()
    try:
        assert code_of(tmp_path, head + entries + end) == "file_damaged"
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_an_office_file_that_unpacks_to_too_much_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = office("pptx")
    monkeypatch.setattr(kinds, "MOST_UNPACKED_BYTES", 12)
    assert code_of(tmp_path, whole) == "pptx"
    monkeypatch.setattr(kinds, "MOST_UNPACKED_BYTES", 11)
    assert code_of(tmp_path, whole) == "file_damaged"
    monkeypatch.setattr(kinds, "MOST_UNPACKED_BYTES", 12)
    monkeypatch.setattr(kinds, "MOST_PARTS", 1)
    assert code_of(tmp_path, whole) == "file_damaged"


@pytest.mark.parametrize(
    ("given", "kind", "kept"),
    [
        ("第一课.pdf", FileKind.PDF, "第一课.pdf"),
        ("第一课.PDF", FileKind.PDF, "第一课.pdf"),
        ("a.jpeg", FileKind.JPEG, "a.jpg"),
        ("page.html", FileKind.TEXT, "page.html.txt"),
        ("..\\..\\windows\\a.txt", FileKind.TEXT, "a.txt"),
        ("/etc/passwd", FileKind.TEXT, "passwd.txt"),
        ("cod\u202etxt.exe", FileKind.PDF, "codtxt.exe.pdf"),
        ("\r\nSet-Cookie: a.pdf", FileKind.PDF, "Set-Cookie: a.pdf"),
        ("...", FileKind.PNG, "file.png"),
        ("", FileKind.PNG, "file.png"),
        ("长" * 300, FileKind.PDF, "长" * 116 + ".pdf"),
    ],
)
def test_a_name_ends_as_the_file_is(given: str, kind: FileKind, kept: str) -> None:
    assert named(given, kind) == kept


@given(st.text(max_size=200), st.sampled_from(FileKind))
def test_any_name_is_safe_and_stays_what_it_became(name: str, kind: FileKind) -> None:
    kept = named(name, kind)
    assert kept.endswith(f".{kind.value}")
    assert len(kept) <= 120
    assert not set(kept) & set("/\\\0\r\n")
    assert named(kept, kind) == kept
