"""A backup file: what was written is read back, and whatever was changed is named."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server.core.errors import DomainError
from server.upkeep import archive
from server.upkeep.archive import Manifest

NAMES = ("keshi.db", "spool/00000001.spool", "nodes/a1/00000002.spool", "tables/person")


def make(folder: Path, **change: Any) -> Path:
    inside = folder / "in"
    for name in NAMES:
        (inside / name).parent.mkdir(parents=True, exist_ok=True)
        (inside / name).write_bytes(f"body of {name}\n".encode() * 100)
    files = {name: archive.digest(inside / name) for name in NAMES}
    manifest = replace(Manifest(1, "sqlite", "0001", "k", {}, files), **change)
    with (folder / "b.tar").open("wb") as file:
        archive.write(file, inside, manifest)
    return folder / "b.tar"


def refusal(file: Path, into: Path) -> DomainError:
    with pytest.raises(DomainError) as refused:
        archive.read(file, into)
    return refused.value


def test_all_of_it_comes_back(tmp_path: Path) -> None:
    manifest = archive.read(make(tmp_path), tmp_path / "out")
    assert (manifest.taken_ms, tuple(manifest.files)) == (1, NAMES)
    for name in NAMES:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "in" / name).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_byte_names_its_file(tmp_path: Path, name: str) -> None:
    file = make(tmp_path)
    raw = file.read_bytes()
    file.write_bytes(raw.replace(f"body of {name}".encode(), f"bodY of {name}".encode(), 1))
    error = refusal(file, tmp_path / "out")
    assert (error.code, error.data["file"]) == ("backup_damaged", name)


def test_a_changed_manifest_is_found(tmp_path: Path) -> None:
    file = make(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"sqlite", b"sqlitE", 1))
    assert refusal(file, tmp_path / "out").data["file"] == archive.MANIFEST


@pytest.mark.parametrize("kept", [0, 100, 600, 3_000, 6_000])
def test_a_shortened_file_is_damage(tmp_path: Path, kept: int) -> None:
    file = make(tmp_path)
    file.write_bytes(file.read_bytes()[:kept])
    assert refusal(file, tmp_path / "out").code == "backup_damaged"


def test_something_else_is_damage(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"no tar" * 500)
    assert refusal(tmp_path / "x", tmp_path / "out").code == "backup_damaged"
    assert refusal(tmp_path / "nowhere", tmp_path / "out").code == "backup_damaged"


@pytest.mark.parametrize("change", [{"version": "99.0.0"}, {"format": archive.FORMAT + 1}])
def test_a_newer_one_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    assert refusal(make(tmp_path, **change), tmp_path / "out").code == "backup_newer"


@pytest.mark.parametrize("name", ["../x", "keys/vault.key", "spool/../../1.spool", "/etc/x", "tables/a/b"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    file = make(tmp_path, files={name: "0"}) if (tmp_path / "in" / name).exists() else None
    assert archive.NAME.fullmatch(name) is None
    if file is not None:
        assert refusal(file, tmp_path / "out").code == "backup_damaged"
