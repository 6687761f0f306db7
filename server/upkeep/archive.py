"""Decides what a backup file is: a plain tar whose first member lists every other with its SHA-256.

Plain, so that a changed byte is found in the one file it hit, and so that any tar reads it in five years.
"""

import hashlib
import io
import re
import tarfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from server.core.errors import DomainError
from server.core.version import VERSION

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
CHUNK: Final = 1024 * 1024
#: what may be in it: the database, or its tables, uploaded files, and spools wherever they lie below the data folder
NAME: Final = re.compile(r"keshi\.db|tables/[a-z_]{1,63}|files/[0-9a-f]{64}|(?:[\w-]{1,64}/){0,4}\d{1,20}\.spool")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. `taken_ms`: all that was acknowledged before is in it (UTC, ledger time).

    `store` is sqlite or postgresql, `revision` its newest migration, `keys` a digest by which the right keys are
    known, `tables` the columns and number of rows of each table in loading order (PostgreSQL). `ledger_ms`: nothing in
    it is of a later ledger time (0 where that is not known).
    """

    taken_ms: int
    store: str
    revision: str
    keys: str
    tables: dict[str, Any]
    files: dict[str, str]
    ledger_ms: int = 0
    version: str = VERSION
    format: int = FORMAT


def digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(archive: BinaryIO, folder: Path, manifest: Manifest) -> None:
    """Write the manifest and the files it lists, which lie in `folder`."""
    content = orjson.dumps(asdict(manifest))
    signed = orjson.dumps({"sha256": hashlib.sha256(content).hexdigest(), "manifest": content.decode()})
    with tarfile.open(fileobj=archive, mode="w") as tar:
        head = tarfile.TarInfo(MANIFEST)
        head.size, head.mode = len(signed), 0o600
        tar.addfile(head, io.BytesIO(signed))
        for name in manifest.files:
            member = tarfile.TarInfo(name)
            member.size, member.mode = (folder / name).stat().st_size, 0o600
            with (folder / name).open("rb") as file:
                tar.addfile(member, file)


def read(archive: Path, folder: Path) -> Manifest:
    """Verify everything and lay the files out in `folder`.

    Raises DomainError backup_damaged (data.file names what is missing or not as written), backup_newer.
    """
    try:
        with tarfile.open(archive, "r:") as tar:
            manifest = _manifest(tar, archive.name)
            for name, expected in manifest.files.items():
                _lay_out(tar, name, expected, folder)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DomainError("backup_damaged", file=archive.name, reason=type(error).__name__) from error
    return manifest


def _manifest(tar: tarfile.TarFile, archive: str) -> Manifest:
    first = tar.next()
    body = tar.extractfile(first) if first is not None and first.name == MANIFEST else None
    if body is None:
        raise DomainError("backup_damaged", file=archive, reason="no manifest")
    try:
        signed = orjson.loads(body.read())
        content = signed["manifest"].encode()
        if hashlib.sha256(content).hexdigest() != signed["sha256"]:
            raise DomainError("backup_damaged", file=MANIFEST)
        values = orjson.loads(content)
        newer = values["format"] > FORMAT or _numbers(values["version"]) > _numbers(VERSION)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise DomainError("backup_damaged", file=MANIFEST) from error
    if newer:
        raise DomainError("backup_newer", version=values["version"], ours=VERSION)
    return Manifest(**values)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _lay_out(tar: tarfile.TarFile, name: str, expected: str, folder: Path) -> None:
    if not NAME.fullmatch(name):
        raise DomainError("backup_damaged", file=name, reason="name")
    try:
        body = tar.extractfile(name)
    except (KeyError, tarfile.TarError) as error:
        raise DomainError("backup_damaged", file=name, reason="missing") from error
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with target.open("xb") as file:
        while body is not None and (chunk := body.read(CHUNK)):
            file.write(chunk)
    if digest(target) != expected:
        raise DomainError("backup_damaged", file=name)
