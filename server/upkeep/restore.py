"""Decides how a backup becomes a data folder again, and says what is not in it."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.app import LOG, open_store
from server.attendance.spool import SUFFIX, Spool
from server.core.clock import Clock
from server.core.errors import DomainError
from server.core.tasks import Tasks
from server.core.timekeeper import FILE, never_before
from server.ledger.tiles import TileFolder
from server.serve import only_one
from server.settings import Config
from server.upkeep import archive, keybox, records
from server.upkeep.archive import Manifest
from server.upkeep.backup import SECRETS, TABLES, fits
from server.upkeep.records import Known

LOCK: Final = "lock"
NODES: Final = "nodes"
SECRET_NAME: Final = re.compile(r"(?:keys|tls)(?:/[\w][\w.@-]{0,100}){1,4}")
RUNNING: Final = ("starting", "live", "paused", "break")


@dataclass(frozen=True, slots=True)
class Restored:
    """What is there again and what came after: `running` lessons go on from `known_until_ms` as 系统故障 (server at
    fault) when the service starts; of the `planned` ones, due between the backup and now, nothing is known. Classes
    that are `over` (their codes) may have been deleted since: then that is to be ordered again."""

    manifest: Manifest
    known_until_ms: int
    now_ms: int
    running: list[Known]
    planned: list[Known]
    over: list[str]


async def restore(config: Config, file: Path, keys_file: Path, passphrase: str, clock: Clock) -> Restored:
    """Fill an empty data folder (and an empty PostgreSQL database, where one is set) from a backup.

    Nothing is left behind by a refusal. Raises DomainError data_folder_used, backup_damaged, backup_newer,
    passphrase_wrong, keys_of_another, other_store, database_not_empty, data_folder_busy, disk_full.
    """
    data = config.server.data
    if data.exists() and any(entry.name != LOCK for entry in data.iterdir()):
        raise DomainError("data_folder_used", folder=str(data))
    with only_one(data), _all_or_nothing(data):
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=data) as scratch:
            staged = Path(scratch)
            manifest = await asyncio.to_thread(archive.read, file, staged)
            secret = keybox.unseal(_bytes(keys_file), passphrase, keys_file.name)
            if fits(secret) != manifest.keys:
                raise DomainError("keys_of_another", file=keys_file.name)
            _place_secrets(data, secret, keys_file.name)
            _place_files(data, staged, manifest)
            await _load(config, staged, manifest, clock)
            TileFolder(data / LOG).was_put_back()
            never_before(data / FILE, max(manifest.ledger_ms, _known_until(data)))
        return await _report(config, manifest, clock)


@contextmanager
def _all_or_nothing(data: Path) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        for entry in data.iterdir():
            if entry.name != LOCK:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        if isinstance(error, OSError):
            raise DomainError("disk_full", reason=error.strerror or str(error), file=str(data)) from error
        raise


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DomainError("backup_damaged", file=file.name, reason=error.strerror) from error


def _place_secrets(data: Path, secret: dict[str, bytes], box: str) -> None:
    for name, body in secret.items():
        if not SECRET_NAME.fullmatch(name) or name.split("/")[0] not in SECRETS:
            raise DomainError("backup_damaged", file=box, reason="name")
        path = data / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_bytes(body)


def _place_files(data: Path, staged: Path, manifest: Manifest) -> None:
    for name in manifest.files:
        if not name.startswith(f"{TABLES}/"):
            target = data / name
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            (staged / name).replace(target)
            target.chmod(0o600)
            if name.startswith(f"{NODES}/"):  # by it the others see that its process is dead, and bury it in the end
                (target.parent / LOCK).touch(mode=0o600)


async def _load(config: Config, staged: Path, manifest: Manifest, clock: Clock) -> None:
    """Bring the database in, and up to this version's tables."""
    store = open_store(config, clock)
    try:
        kind = store.database.engine.dialect.name
        if kind != manifest.store:
            raise DomainError("other_store", backup=manifest.store, configured=kind)
        if kind != "sqlite":
            await records.load_postgres(store.database, staged / TABLES, manifest.revision, manifest.tables)
        await store.database.migrate()
    except DomainError as error:
        if error.code == "database_newer":
            raise DomainError("backup_newer", revision=manifest.revision) from error
        raise
    finally:
        await store.tasks.close()
        await store.database.close()


async def _report(config: Config, manifest: Manifest, clock: Clock) -> Restored:
    store = open_store(config, clock)
    try:
        lessons = await records.lessons_known(store.database)
        over = await records.classes_over(store.database, clock.ms())
    finally:
        await store.tasks.close()
        await store.database.close()
    now_ms = clock.ms()
    running = [one for one in lessons if one.state in RUNNING]
    due = [one for one in lessons if one.state == "planned" and one.planned_start_ms <= now_ms]
    planned = [one for one in due if one.planned_end_ms >= manifest.taken_ms]
    return Restored(manifest, _known_until(config.server.data) or manifest.taken_ms, now_ms, running, planned, over)


def _known_until(data: Path) -> int:
    """When the service that was backed up last wrote that it lived; 0 when it wrote nothing."""
    folders = {path.parent for path in data.rglob(f"*{SUFFIX}")}
    lines = [line for folder in sorted(folders) for line in Spool(folder, Tasks()).read()]
    return max((line.get("alive", line.get("seen", 0)) for line in lines), default=0)
