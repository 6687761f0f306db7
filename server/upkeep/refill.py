"""Decides what becomes of a store that lacks minutes of its own log: a copy brings them back, or a successor begins."""

from pathlib import Path
from typing import Final

from server.app import LOG, open_store
from server.core.clock import Clock
from server.core.database import Database
from server.core.errors import DomainError
from server.ledger.handing import continues, refill
from server.ledger.keys import keys_in, succeed
from server.serve import only_one
from server.settings import Config
from server.several import alone
from server.verify import program
from server.verify.notes import Key, check_log, read_checkpoint, read_note
from server.verify.tree import Refused

KEYS: Final = "keys"


async def bring_back(config: Config, where: str, clock: Clock) -> int:
    """Bring back the leaves that a copy of the log has, at a folder or an address, and the store lacks; how many.

    Raises DomainError copy_refused, data_folder_busy, servers_running.
    """
    store = open_store(config, clock)
    try:
        fetch = program.log_at(where)
        if fetch is None:
            raise Refused(f"{where} is neither a folder nor an address")
        with only_one(store.folder):
            await store.database.migrate()
            async with alone(store.database, clock, store.vault, store.folder):
                return await refill(store.database, keys_in(store.folder / KEYS), fetch, clock.ms())
    except (Refused, OSError) as error:
        raise DomainError("copy_refused", reason=str(error)) from error
    finally:
        await store.tasks.close()
        await store.database.close()


async def open_successor(config: Config, seen: Path, clock: Clock) -> Key:
    """Let the log go on under another name, where what was last seen of it, a note in a file, can be brought back from
    nowhere; the key of the successor. Raises DomainError copy_refused, nothing_lost, data_folder_busy,
    servers_running.
    """
    store = open_store(config, clock)
    try:
        with only_one(store.folder):
            await store.database.migrate()
            async with alone(store.database, clock, store.vault, store.folder):
                return await _succeed(store.database, store.folder, seen.read_text(encoding="utf-8"))
    except (Refused, OSError, UnicodeDecodeError) as error:
        raise DomainError("copy_refused", reason=str(error)) from error
    finally:
        await store.tasks.close()
        await store.database.close()


async def _succeed(database: Database, folder: Path, seen: str) -> Key:
    note, known = read_note(seen), keys_in(folder / KEYS)
    last = read_checkpoint(note.text)
    if last.origin != known.key.name or not check_log(note, [known.key]):
        raise Refused("this log did not sign it")
    if await continues(database, last):
        raise DomainError("nothing_lost", size=last.size)
    old = folder / LOG
    if old.exists():
        old.rename(old.with_name(f"{LOG}-{known.key.name.replace('/', '-')}"))
    return succeed(folder / KEYS, seen).key
