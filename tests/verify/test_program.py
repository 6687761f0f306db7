"""`keshi verify` as a person uses it: what it prints and its exit code."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from server.verify.bundle import Bundle, write
from server.verify.program import CHANGED, EVIDENCE, HOLDS, UNKNOWN, _member, verify
from server.verify.tree import Refused
from tests.verify.evidence import SmallClass


@pytest.fixture
async def bundle(small: SmallClass) -> Bundle:
    await small.attend()
    return await small.bundle()


@pytest.fixture
def trust(small: SmallClass, tmp_path: Path) -> Path:
    path = tmp_path / "keys.txt"
    path.write_text(f"# from the county office\n\n{small.world.ledger.key}\n")
    return path


def packed(folder: Path, bundle: Bundle) -> Path:
    path = folder / "class.zip"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("more.txt", "x")
        package.writestr(EVIDENCE, write(bundle))
    return path


async def test_it_holds_with_the_logs_key(bundle: Bundle, trust: Path, tmp_path: Path) -> None:
    code, lines = verify(packed(tmp_path, bundle), trust)
    assert code == HOLDS
    assert lines[-1].startswith("✓")
    assert any("无外部见证" in line for line in lines)


async def test_without_keys_it_is_not_authenticated(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    path.write_bytes(write(bundle))
    code, lines = verify(path, None)
    assert code == UNKNOWN
    assert "consistent, NOT authenticated" in lines[-1]


async def test_what_was_changed_is_named_first_by_time(bundle: Bundle, trust: Path, tmp_path: Path) -> None:
    part = bundle.leaves[1].groups[0]
    at = next(at for at in range(0, len(part.records), 73) if part.records[at] == 1 and part.records[at + 17] == 0xA1)
    raw = bytearray(part.records)
    raw[at + 38] ^= 1
    leaf = replace(bundle.leaves[1], groups=(replace(part, records=bytes(raw)), *bundle.leaves[1].groups[1:]))
    forged = replace(bundle, leaves=(bundle.leaves[0], leaf, *bundle.leaves[2:]))
    code, lines = verify(packed(tmp_path, forged), trust)
    assert code == CHANGED
    assert any("第 3 课次" in line and "学员 #17 被改动" in line for line in lines)
    assert lines[-1].startswith("✗")


@pytest.mark.parametrize("content", [b"", b"{}", b"PK\x03\x04"])
def test_what_is_no_evidence_cannot_be_checked(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    code, lines = verify(path, None)
    assert (code, lines[0][:1]) == (UNKNOWN, "✗")


def test_a_package_without_evidence_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as package:
        package.writestr("a", "b")
    assert verify(tmp_path / "a.zip", None)[0] == UNKNOWN
    assert verify(tmp_path / "b.zip", None)[0] == UNKNOWN


@pytest.mark.parametrize("content", [b"no key\n", b"\xff\xfe"])
async def test_a_file_of_keys_that_is_none(bundle: Bundle, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "keys").write_bytes(content)
    assert verify(packed(tmp_path, bundle), tmp_path / "keys")[0] == UNKNOWN


async def damaged(folder: Path, bundle: Bundle) -> Path:
    """A package whose evidence cannot be unpacked."""
    path = folder / "damaged.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(EVIDENCE, write(bundle))
    raw = bytearray(path.read_bytes())
    raw[60:90] = b"\xff" * 30
    path.write_bytes(raw)
    return path


async def test_a_package_that_cannot_be_unpacked_is_refused(bundle: Bundle, trust: Path, tmp_path: Path) -> None:
    code, lines = verify(await damaged(tmp_path, bundle), trust)
    assert (code, "no readable evidence.json" in lines[0]) == (UNKNOWN, True)


@pytest.mark.parametrize(("name", "content"), [("a.csv", b"x" * 200_000), ("a.xlsx", b"PK"), ("a.csv", b"\xff")])
async def test_a_sheet_that_cannot_be_read_is_refused(
    bundle: Bundle, trust: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    path = packed(tmp_path, bundle)
    with zipfile.ZipFile(path, "a") as package:
        package.writestr(name, content)
    code, lines = verify(path, trust)
    assert (code, lines[0][:1]) == (UNKNOWN, "✗")


@pytest.mark.parametrize("genesis", [-1, 2**32, 10**15])
async def test_a_log_that_begins_in_no_minute_is_refused(
    bundle: Bundle, trust: Path, tmp_path: Path, genesis: int
) -> None:
    code, lines = verify(packed(tmp_path, replace(bundle, genesis=genesis)), trust)
    assert (code, "begins in no minute" in lines[0]) == (UNKNOWN, True)


async def test_minutes_beyond_every_calendar_are_told(bundle: Bundle, trust: Path, tmp_path: Path) -> None:
    leaves = (replace(bundle.leaves[0], index=10**18), *bundle.leaves[1:])
    for one in (replace(bundle, genesis=2**32 - 1), replace(bundle, leaves=leaves)):
        assert verify(packed(tmp_path, one), trust)[0] == CHANGED


def test_what_is_no_address_is_refused() -> None:
    for address in ("http://[x", "https://127.0.0.1:port"):
        code, lines = verify(address, None)
        assert (code, lines[0][:1]) == (UNKNOWN, "✗")


async def test_handovers_that_cannot_be_read_are_refused(small: SmallClass, trust: Path, tmp_path: Path) -> None:
    await small.attend(1)
    (tmp_path / "log" / "handovers").write_text("[" * 60_000)
    code, lines = verify(tmp_path / "log", trust)
    assert (code, "handovers cannot be read" in lines[0]) == (CHANGED, True)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("a.csv", "a.csv"), ("a.xlsx", "A.XLSX"), ("b.txt", EVIDENCE)])
async def test_two_files_of_one_name_are_refused(
    bundle: Bundle, trust: Path, tmp_path: Path, names: tuple[str, str]
) -> None:
    """The first one is what some programs show, the last one is what we would look at."""
    path = packed(tmp_path, bundle)
    with zipfile.ZipFile(path, "a") as package:
        for name in names:
            package.writestr(name, b"")
    code, lines = verify(path, trust)
    assert (code, "two files of one name" in lines[0]) == (UNKNOWN, True)


async def test_a_sheet_is_one_however_its_name_is_written(bundle: Bundle, trust: Path, tmp_path: Path) -> None:
    path = packed(tmp_path, bundle)
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("A.CSV", "17" + "," * 6 + "3" + "," * 8 + "9999,0,9999")
    assert verify(path, trust)[0] == CHANGED


def test_what_unpacks_to_too_much_is_not_looked_at_in_part(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("a.csv", "12345")
    with zipfile.ZipFile(tmp_path / "a.zip") as package:
        assert _member(package, "a.csv", 5) == b"12345"
        with pytest.raises(Refused, match=r"a\.csv is too large"):
            _member(package, "a.csv", 4)
