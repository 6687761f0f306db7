"""What each command of the command line does; `__main__` parses, this acts."""

import argparse
import asyncio
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web

from media.api import serving
from server import demo as demonstration
from server.accounts.people import NewPerson
from server.app import MEDIA_KEY, House, build, open_keys, open_store
from server.arrange import arranged, for_phones, serve_again, shown
from server.core import garbage
from server.core.actor import Actor, Role
from server.core.clock import SystemClock, iso
from server.core.errors import DomainError
from server.core.signing import open_signer
from server.core.tasks import Tasks
from server.core.wire.typescript import typescript
from server.demo.witness import watched
from server.exchange.words import Language
from server.ledger.api import serve_log
from server.ledger.keys import rotate
from server.ledger.tiles import TileFolder
from server.log import set_up_logging
from server.serve import only_one, serve_until_stopped, told_to_stop
from server.settings import Config, LedgerSettings, WitnessSettings
from server.several import alone
from server.upkeep import records
from server.upkeep.fsck import faults
from server.verify import program
from server.verify.notes import is_name
from server.verify.progress import for_people
from server.verify.tree import Refused
from server.witness.api import witnessing
from server.witness.keeper import ROUND_S as KEEP_S
from server.witness.keeper import Keeper, name_of, read_logs
from server.witness.memory import Memory
from server.witness.service import Witness

OFFLINE: Final = "http://127.0.0.1:8080"


async def serve(config: Config, options: argparse.Namespace) -> None:
    """Serve until stopped; a demo is made at its first start."""
    named = set_up_logging(config.log.level)
    config = arranged(config, options)

    async def announce(house: House, url: str) -> None:
        if options.demo:
            for line in await demonstration.prepare(house, config.server.data):
                print(line, flush=True)
        for line in for_phones(config, url):
            print(line, flush=True)
        print(f"ready {url}", flush=True)

    async with AsyncExitStack() as beside:
        if options.demo and not config.ledger.witnesses:
            url, key = await beside.enter_async_context(watched(config.server.data, SystemClock()))
            seen = LedgerSettings(witnesses=(WitnessSettings(url=url, key=str(key)),))
            config = config.model_copy(update={"ledger": seen})
        await serve_until_stopped(config, options.demo, announce, named)


async def media(config: Config, _options: argparse.Namespace) -> None:
    """Carry media in a process of its own until stopped; it opens no database."""
    set_up_logging(config.log.level)
    if config.media.mode != "worker":
        raise DomainError("media_embedded")
    stopped, path = told_to_stop(), config.media.socket_in(config.server.data)
    settings = config.media.for_media(config.server.host, config.server.data)
    try:
        async with serving(settings, open_keys(config).key(MEDIA_KEY), path):
            garbage.look_seldom()
            print(f"ready {path}", flush=True)
            await stopped.wait()
    except OSError as error:
        where = "media.worker_socket" if error.filename else "media.udp_port"
        raise DomainError("port_in_use", port=where, reason=error.strerror or str(error)) from error


async def init(config: Config, options: argparse.Namespace) -> None:
    """An empty store and the one-time link with which its first administrator sets a password."""
    async with _offline(config, demo=False) as house:
        people = await house.accounts.people.with_roles([Role.ADMINISTRATOR])
        if any(person.active for person in people):
            raise DomainError("already_set_up")
        if people:
            person = people[0]
        else:
            new = NewPerson(role=Role.ADMINISTRATOR, name=options.name, login=options.login)
            person = await house.accounts.people.create(new)
        await house.training.set_platform(options.operator, options.record_number)
        secret = (await house.accounts.invitations.invite([person.id]))[person.id]
    print("课时 Keshi：数据库已建好。启动服务后，用下面的一次性链接设置管理员密码（7 天内有效，只能用一次）：")
    print("The store is ready. Start the service, then open this one-time link to set the administrator's password:")
    print(f"  {shown(config)}/desk.html#/welcome/{secret}")
    print(f"  {shlex.join([sys.executable, '-m', 'server', *serve_again(config, options)])}")


async def migrate(config: Config, _options: argparse.Namespace) -> None:
    """Bring the tables up to date."""
    async with _offline(config, demo=None):
        print("tables are up to date")


async def demo(config: Config, _options: argparse.Namespace) -> None:
    """Make the demo's data without serving it."""
    async with _offline(config, demo=True) as house:
        for line in await demonstration.prepare(house, config.server.data):
            print(line)


async def export(config: Config, options: argparse.Namespace) -> None:
    """Write a class's 学时台账 to a file; as .zip with the evidence that `verify` checks."""
    out = Path(options.out)
    if out.suffix not in (".zip", ".xlsx", ".csv"):
        raise DomainError("unsupported_file", file=out.name, remedy=".zip, .xlsx or .csv")
    async with _beside(config) as house:
        training_class = await house.training.class_by_code(options.class_code)
        if numbers := await records.unsealed(house.store.database, training_class.id):
            raise DomainError("lesson_not_sealed", lessons=numbers)
        form, language = out.suffix.removeprefix("."), Language(options.language)
        if form == "zip":
            file = await house.exchange.package(training_class.id, language)
        else:
            file = await house.exchange.ledger(training_class.id, form, language)
    out.write_bytes(file.content)  # noqa: ASYNC240  nothing else runs
    print(f"{out}")


async def fsck(config: Config, _options: argparse.Namespace) -> int:
    """Hold everything stored against the log, also while another process serves; 1 when something does not fit."""
    found = 0
    async with _beside(config) as house:
        async for line in faults(house):
            print(line, flush=True)
            found += 1
    if not found:
        print("✓ 日志与记录一致 · the log and the records fit")
    return 1 if found else 0


async def retention(config: Config, options: argparse.Namespace) -> None:
    """Say until when each class's records are kept; of a class that is past it, order them to be deleted. The server
    does it once its log has sealed and signed the order; an order is one short transaction, also beside it.
    """
    async with _beside(config) as house:
        if options.class_code:
            home = await house.training.class_by_code(options.class_code)
            count = await house.retention.order(home)
            print(
                f"✓ 已下令删除 {count} 条记录，写入日志后由服务执行 · {count} records will go once the log has said so"
            )
            return
        for home in await house.training.classes_of(Actor("", Role.ADMINISTRATOR, "")):
            kept = await house.retention.kept(home)
            print(f"{kept.code}  保存至 · kept until {iso(kept.keep_until_ms)[:10]}", end="  ")
            print(f"{kept.n_records} 条可删除 · records could go  {kept.ordered} 条已下令 · ordered")


async def key(config: Config, options: argparse.Namespace) -> None:
    """Print the log's public key, to be kept elsewhere: with it anybody can check what was exported; older ones are
    remarks. `rotate` makes a new one while the service is stopped; the old one says so and is gone.
    """
    if options.action == "rotate":
        async with _offline(config, demo=None) as house, _alone(house):
            rotate(config.server.data / "keys", house.log.files.said() or "")
    async with _beside(config) as house:
        *retired, now = house.log.keys
        print(now)
        for one in reversed(retired):
            print(f"# 已停用，不要再信任 · retired, no longer to be trusted: {one}")
        for one in house.log.witnesses.keys:
            print(f"# 见证方的公钥请向见证方索取 · ask the witness itself for its key: {one.name}")


async def witness(config: Config, options: argparse.Namespace) -> None:
    """Be a witness of logs until stopped: a small program for somebody else's machine; it opens no database."""
    set_up_logging(config.log.level)
    folder = config.server.data
    try:
        logs = read_logs(Path(options.logs).read_text(encoding="utf-8"))  # noqa: ASYNC240  nothing else runs
        fetches = {key.name: program.log_at(url) for key, url in logs if url}
    except (Refused, OSError, UnicodeDecodeError) as error:
        raise DomainError("config_invalid", setting="--logs", reason=str(error)) from error
    if not is_name(options.name):
        raise DomainError("config_invalid", setting="--name", reason="no blanks, no +")
    stopped, clock, tasks = told_to_stop(), SystemClock(), Tasks()
    copies = {origin: TileFolder(folder / "logs" / name_of(origin)) for origin in fetches}

    def serve_copies(app: web.Application) -> None:
        for origin, copy in copies.items():
            serve_log(app, copy, f"/log/{name_of(origin)}")

    with only_one(folder):
        signer, memory = open_signer(folder / "keys", "witness.key"), Memory(folder / "seen")
        county = Witness(options.name, signer, [key for key, _ in logs], memory, lambda: clock.ms() // 1000)
        keeper = Keeper(memory.note, {origin: (fetch, copies[origin]) for origin, fetch in fetches.items() if fetch})
        try:
            async with witnessing(county, config.server.host, config.server.port, serve_copies) as url:
                tasks.every("keep", KEEP_S, keeper.round)
                print(county.key)
                for origin in copies:
                    print(f"# {origin}: {url}/log/{name_of(origin)}")
                print(f"ready {url}", flush=True)
                await stopped.wait()
        except OSError as error:
            raise DomainError("port_in_use", port=config.server.port, reason=error.strerror or str(error)) from error
        finally:
            await tasks.close()


async def verify(_config: Config, options: argparse.Namespace) -> int:
    """Check a package or a log: 0 it holds, 1 it was changed, 2 nobody known signed it."""
    trust, seen = (Path(one) if one else None for one in (options.trust, options.seen))
    receipts = [Path(one) for one in options.receipt]
    code, lines = await asyncio.to_thread(program.verify, options.file, trust, seen, receipts, for_people())
    print("\n".join(lines))
    return code


async def types(config: Config, options: argparse.Namespace) -> None:
    """Write the web client's types from the declarations."""
    del config
    scratch = Config.model_validate({"server": {"data": "build/types"}})
    store = open_store(scratch, SystemClock())
    try:
        house = build(scratch, store, OFFLINE, frozenset(), demo=True)
        Path(options.out).write_text(typescript(house.declarations))  # noqa: ASYNC240  nothing else runs
    finally:
        await store.database.close()


@asynccontextmanager
async def _offline(config: Config, demo: bool | None) -> AsyncIterator[House]:
    """The house without its doors; `demo` None takes the data as what it is."""
    with only_one(config.server.data):
        store = open_store(config, SystemClock())
        try:
            await store.database.migrate()
            house = build(config, store, shown(config), frozenset(), demo=bool(demo))
            if demo is not None:
                await house.training.check_kind(demo)
                await house.training.tell_what_stands()
            yield house
            house.accounts.close()
        finally:
            await store.tasks.close()
            await store.shared.close()
            await store.database.close()


def _alone(house: House) -> AbstractAsyncContextManager[None]:
    store = house.store
    return alone(store.database, store.clock, store.vault, store.folder)


@asynccontextmanager
async def _beside(config: Config) -> AsyncIterator[House]:
    """The house for reading only, also while another process serves. Raises DomainError database_older, _newer."""
    store = open_store(config, SystemClock())
    try:
        found, newest = await records.revision_of(store.database)
        if found != newest:
            raise DomainError("database_older", found=found, needed=newest)
        house = build(config, store, shown(config), frozenset(), demo=False)
        yield house
        house.accounts.close()
    finally:
        await store.tasks.close()
        await store.shared.close()
        await store.database.close()
