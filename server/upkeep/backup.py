"""Decides what a backup holds and in which order it is read, so that nothing acknowledged before it began is missing.

An acknowledged beat is in a spool file until its minute is in the database and a new spool file without it has replaced
the old one. So spools are read first and the database after them: whatever has left the spools by then is in the
database. The other way round a minute could be sealed between the two and be in neither. The spool may then know of
minutes that the database holds already: reading it again changes nothing (a line only adds what is not sealed).
With uploaded files it is the other way round: a row is written when its file is there, so they are read last.
"""

import asyncio
import hashlib
import hmac
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from server.app import open_store
from server.attendance.spool import SUFFIX, Spool
from server.core.clock import Clock
from server.core.database import Database
from server.core.errors import DomainError
from server.core.files.store import FileStore
from server.core.tasks import Tasks
from server.core.timekeeper import FILE, reached_ms
from server.live.files import FILES
from server.settings import Config
from server.upkeep import archive, keybox, records
from server.upkeep.archive import Manifest

DATABASE: Final = "keshi.db"
TABLES: Final = "tables"
SECRETS: Final = ("keys", "tls")
#: a spool file is replaced at most every few seconds; so many times in a row it is not
SPOOL_TRIES: Final = 20


async def back_up(config: Config, out: Path, keys_out: Path, passphrase: str, clock: Clock) -> Manifest:
    """Write `out` and, sealed, `keys_out`; the service may run meanwhile. Neither file exists unless both are whole.

    Raises DomainError file_exists, passphrase_weak, data_folder_empty, database_damaged, spool_damaged, disk_full.
    """
    keybox.check_passphrase(passphrase)
    for file in (out, keys_out):
        if file.exists():
            raise DomainError("file_exists", file=str(file))
    secret = secret_files(config)
    if not any(name.startswith("keys/") for name in secret):
        raise DomainError("data_folder_empty", folder=str(config.server.data))
    try:
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.resolve().parent) as scratch:
            folder = Path(scratch)
            manifest = await _collect(config, folder / "in", fits(secret), clock)
            _store(folder / "keys", lambda file: file.write(keybox.seal(secret, passphrase)))
            _store(folder / "out", lambda file: archive.write(file, folder / "in", manifest))
            shutil.move(folder / "keys", keys_out)
            (folder / "out").replace(out)
    except OSError as error:
        raise DomainError("disk_full", reason=error.strerror or str(error), file=str(out)) from error
    return manifest


def secret_files(config: Config) -> dict[str, bytes]:
    """Everything that must not lie beside the data, by its path below the data folder."""
    found: dict[str, bytes] = {}
    for top in SECRETS:
        folder = config.server.data / top
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file() and not path.is_symlink():
                found[f"{top}/{path.relative_to(folder).as_posix()}"] = path.read_bytes()
    return found


def fits(secret: dict[str, bytes]) -> str:
    """A digest by which the right keys are known, and which tells nothing about them."""
    return hmac.new(secret.get("keys/vault.key", b""), b"keshi.backup", hashlib.sha256).hexdigest()


def _store(path: Path, write: Callable[[BinaryIO], object]) -> None:
    with path.open("xb") as file:
        path.chmod(0o600)
        write(file)
        file.flush()
        os.fsync(file.fileno())


async def _collect(config: Config, folder: Path, keys: str, clock: Clock) -> Manifest:
    folder.mkdir(mode=0o700)
    store = open_store(config, clock)
    try:
        sqlite = store.database.engine.dialect.name == "sqlite"
        if sqlite and not (config.server.data / DATABASE).is_file():
            raise DomainError("data_folder_empty", folder=str(config.server.data))
        taken_ms = clock.ms()
        await asyncio.to_thread(copy_spools, config.server.data, folder)
        copied = await _copy_database(store.database, config.server.data, folder, sqlite)
        await asyncio.to_thread(copy_files, config.server.data / FILES, folder / FILES)
    finally:
        await store.tasks.close()
        await store.database.close()
    ledger_ms = reached_ms(config.server.data / FILE)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    files = {name: await asyncio.to_thread(archive.digest, folder / name) for name in names}
    kind = "sqlite" if sqlite else "postgresql"
    return Manifest(taken_ms, kind, copied.revision, keys, copied.tables, files, ledger_ms)


async def _copy_database(database: Database, data: Path, folder: Path, sqlite: bool) -> records.Copied:
    if sqlite:
        return await asyncio.to_thread(records.copy_sqlite, data / DATABASE, folder / DATABASE)
    return await records.copy_postgres(database, folder / TABLES)


def copy_spools(data: Path, target: Path) -> None:
    """Every spool below a data folder, each as of some moment after the call.

    A file that goes away meanwhile was replaced by one that holds all that was still needed: then all begins again.
    Raises DomainError spool_damaged.
    """
    for last in [False] * (SPOOL_TRIES - 1) + [True]:
        try:
            found = sorted(path for path in data.rglob(f"*{SUFFIX}") if not _hidden(path.relative_to(data)))
            for path in found:
                copy = target / path.relative_to(data)
                copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                shutil.copyfile(path, copy)
            for folder in {(target / path.relative_to(data)).parent for path in found}:
                Spool(folder, Tasks()).read()
            return
        except (FileNotFoundError, DomainError):
            if last:
                raise
            for path in target.rglob(f"*{SUFFIX}"):
                path.unlink()


def copy_files(source: Path, target: Path) -> None:
    """What was uploaded, after the database that speaks of it: a row is written when its file is there. No file ever
    changes, so where it can be it is the same one under a second name, not a copy."""
    for digest in FileStore(source).digests():
        target.mkdir(exist_ok=True, mode=0o700)
        try:
            os.link(source / digest, target / digest)
        except FileNotFoundError:  # nobody speaks of it any more
            continue
        except OSError:  # another disk
            shutil.copyfile(source / digest, target / digest)


def _hidden(path: Path) -> bool:
    """What is being made, a backup inside the data folder among it."""
    return any(part.startswith(".") for part in path.parts)
