"""The file of evidence: what was written is read again, anything else is refused."""

import json
from dataclasses import replace
from typing import Any

import pytest

from server.verify import bundle
from server.verify.bundle import Bundle, GroupPart, LeafPart, LessonName, Seat, behind_lengths, evidence_of, read, write
from server.verify.tree import Refused

PART = GroupPart(0, b"g", (bytes(32),), bytes(73), bytes(16), bytes(8), behind_lengths([b"why"]))
WHOLE = Bundle(
    bundle.FORMAT, 7, "note", (LessonName("aa", 3),), (), (), (LeafPart(1, b"leaf", (), (PART,)),), shown=(b"more",)
)


def test_what_was_written_is_read() -> None:
    assert read(write(WHOLE)) == WHOLE


def test_the_first_format_shows_nothing_further() -> None:
    whole = json.loads(write(WHOLE)) | {"format": bundle.FIRST_FORMAT}
    del whole["shown"]
    assert read(json.dumps(whole).encode()) == replace(WHOLE, format=bundle.FIRST_FORMAT, shown=())
    with pytest.raises(Refused):
        read(json.dumps(whole | {"format": bundle.FORMAT}).encode())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["format"], "keshi-evidence/v3"),
        (["format"], "keshi-evidence/v1"),
        (["shown"], "AAAA"),
        (["shown", 0], "AAA"),
        (["format"], None),
        (["genesis"], "7"),
        (["genesis"], 7.0),
        (["genesis"], True),
        (["lessons"], {}),
        (["lessons", 0, "number"], "3"),
        (["lessons", 0, "more"], 1),
        (["leaves", 0, "leaf"], "bGVhZh=="),
        (["leaves", 0, "leaf"], "bGVhZg"),
        (["leaves", 0, "leaf"], 7),
        (["leaves", 0, "groups", 0, "records"], "AAAA"),
        (["leaves", 0, "groups", 0, "salts"], ""),
        (["leaves", 0, "groups", 0, "hints"], ""),
        (["more"], 1),
    ],
)
def test_anything_else_is_refused(path: list[str | int], value: object) -> None:
    whole: Any = json.loads(write(WHOLE))
    inside = whole
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = value
    with pytest.raises(Refused):
        read(json.dumps(whole).encode())


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff", b"[]", b"{}", b"null", b"1", b"NaN", b'{"a":1,"a":2}', b"[" * 100_000, b'{"format":Infinity}'],
)
def test_what_is_no_evidence_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused):
        read(raw)


@pytest.mark.parametrize("indent", [None, 1])
def test_a_file_with_spaces_is_read_as_well(indent: int | None) -> None:
    assert read(json.dumps(json.loads(write(WHOLE)), indent=indent).encode()) == WHOLE
    assert read(write(WHOLE).replace(b'"salts":', b'"salts" :')) == WHOLE


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        (b'"records":"', b'"records": "'),  # one of two groups in another way
        (b'"leaf":"', b'"records":"A","salts":"A","hints":"A","evidence":"A","leaf":"'),
        (b'"records":"', b'"x\\"records":"'),
        (b'"records":"', b'"records":"\\'),
        (b'"records":"', b'"records":"\n'),
        (b'"records":"', b'"records":"\xc3\xa4'),
        (b'","hints":"', b'\\","hints":"'),
        (b'"evidence":"', b'"evidence":"","evidence":"'),
        (b'"records":"', b'"records":"","salts":"","hints":"","evidence":"","records":"'),
        (b'"evidence":"', b'"salts":"'),
        (b'"at":0', b'"at":false'),
    ],
)
def test_columns_that_are_written_otherwise_are_refused(written: bytes, instead: bytes) -> None:
    raw = write(replace(WHOLE, leaves=WHOLE.leaves * 2))
    assert read(raw).leaves == WHOLE.leaves * 2
    assert raw.count(written) == 2
    with pytest.raises(Refused):
        read(raw.replace(written, instead, 1))


def test_a_file_that_ends_in_a_column_is_refused() -> None:
    raw = write(WHOLE)
    for name in (b'"records":"', b'"evidence":"'):
        for end in (0, len(name), len(name) + 1):
            with pytest.raises(Refused):
                read(raw[: raw.index(name) + end])


def test_what_is_quoted_in_a_text_is_no_column() -> None:
    quoted = replace(WHOLE, checkpoint='"records":"A","salts":"A","hints":"A","evidence":"A"')
    assert read(write(quoted)) == quoted


@pytest.mark.parametrize(
    "people",
    [
        [{"id": "aa", "seat": 1}, {"id": "bb", "seat": "2"}],
        [{"id": "aa", "seat": 1}, {"id": "bb", "seat": True}],
        [{"id": "aa", "seat": 1}, {"seat": 2, "id": "bb"}],
        [{"id": "aa", "seat": 1}, {"id": "bb", "chair": 2}],
        [{"id": "aa"}, {"seat": 1, "id": "bb", "more": 2}],
        [{"id": "aa", "seat": 1}, {"id": "bb"}],
        [{"id": "aa", "seat": 1}, 7],
        [["id", "seat"]],
        ["id"],
    ],
)
def test_one_seat_with_other_fields_is_refused(people: list[object]) -> None:
    whole = json.loads(write(WHOLE))
    whole["people"] = [{"id": "aa", "seat": 1}, {"id": "bb", "seat": 2}]
    assert read(json.dumps(whole).encode()).people == (Seat("aa", 1), Seat("bb", 2))
    whole["people"] = people
    with pytest.raises(Refused):
        read(json.dumps(whole).encode())


def test_fields_that_moved_to_the_next_seat_are_refused() -> None:
    raw = write(replace(WHOLE, people=(Seat("aa", 1), Seat("bb", 2))))
    moved = raw.replace(b'"aa","seat":1},{"id"', b'"aa"},{"seat":1,"id"')
    assert moved != raw
    with pytest.raises(Refused):
        read(moved)


def test_a_field_that_stands_twice_is_refused() -> None:
    raw = write(WHOLE)
    with pytest.raises(Refused):
        read(raw.replace(b'"genesis":7', b'"genesis":7,"genesis":7'))


def test_a_file_has_a_size_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = write(WHOLE)
    monkeypatch.setattr(bundle, "FILE_BYTES", len(raw))
    assert read(raw) == WHOLE
    with pytest.raises(Refused, match="too large"):
        read(raw + b" ")


def test_texts_behind_their_lengths() -> None:
    texts = [b"", b"a", bytes(300)]
    assert evidence_of(behind_lengths(texts), 3) == texts
    alike = [b"a"] * 1 + [b"b"] * 2 + [b"a"] * 16 + [b""] * 17 + [b"\x00\x00"] * 40 + [b"b", b"a"]
    assert evidence_of(behind_lengths(alike), len(alike)) == alike
    for count in (2, 4):
        with pytest.raises(Refused):
            evidence_of(behind_lengths(texts), count)
    with pytest.raises(Refused):
        evidence_of(behind_lengths([b"why"] * 20)[:-1], 20)
    for raw in (b"\x00", b"\x00\x03wh", b"\x00\x03why\x00"):
        with pytest.raises(Refused):
            evidence_of(raw, 1)
