"""A file that was encoded counts when it is there as long as it says, and not before."""

from pathlib import Path

from media import encoded
from media.encoded import FOLDER, PROGRESS, TROUBLE, forget, read_encoded, said, say, write_encoded
from media.takes import ENCODED, Encoded, Instead, Span, Take

MADE = Encoded(
    Take(ENCODED + 3, "avc1.4d400d,opus", 320, 240, 4, [Span(9.5, 1.0, True, 4, 6)]),
    [Instead(1, 8, 90), Instead(2, 4, 9)],
)


def made(folder: Path, data: bytes = b"initpart01") -> None:
    (folder / FOLDER).mkdir(parents=True)
    (folder / FOLDER / "0003.mp4").write_bytes(data)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    made(tmp_path)
    assert read_encoded(tmp_path) == []
    write_encoded(tmp_path, 3, MADE)
    assert read_encoded(tmp_path) == [MADE]
    assert (tmp_path / FOLDER / "0003.json").stat().st_mode & 0o077 == 0


def test_a_file_that_is_shorter_than_it_says_is_not_there(tmp_path: Path) -> None:
    made(tmp_path, b"initpart0")
    write_encoded(tmp_path, 3, MADE)
    assert read_encoded(tmp_path) == []


def test_nonsense_is_no_file(tmp_path: Path) -> None:
    made(tmp_path)
    for text in ("", "[]", "{}", '{"parts": []}', '{"parts": [[1]], "instead": []}'):
        (tmp_path / FOLDER / "0003.json").write_text(text)
        assert read_encoded(tmp_path) == []


def test_progress_and_trouble_are_said_until_they_are_forgotten(tmp_path: Path) -> None:
    assert said(tmp_path, 1, PROGRESS) == ""
    say(tmp_path, 1, PROGRESS, "0.5")
    say(tmp_path, 1, TROUBLE, "disk_full")
    assert (said(tmp_path, 1, PROGRESS), said(tmp_path, 1, TROUBLE)) == ("0.5", "disk_full")
    forget(tmp_path, 1, PROGRESS, TROUBLE)
    assert (said(tmp_path, 1, PROGRESS), said(tmp_path, 1, TROUBLE)) == ("", "")
    say(tmp_path / "nothing", 1, encoded.PROGRESS, "0.5")
