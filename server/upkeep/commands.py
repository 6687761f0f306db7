"""What backup, restore and doctor do on the command line, in plain words."""

import argparse
import getpass
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Final

from server.core.clock import LOCAL_ZONE, SystemClock, to_datetime
from server.core.errors import DomainError
from server.settings import Config
from server.upkeep.backup import back_up
from server.upkeep.doctor import examine, for_programs, told
from server.upkeep.finding import Level
from server.upkeep.records import Known
from server.upkeep.refill import bring_back as fill
from server.upkeep.refill import open_successor
from server.upkeep.restore import restore as bring_back

PASSPHRASE_VARIABLE: Final = "KESHI_BACKUP_PASSPHRASE"  # noqa: S105  the name of a variable

REMEDIES: Final = {
    "file_exists": ("文件已存在，不会覆盖：换一个文件名。", "The file exists and is never overwritten."),
    "copy_refused": (
        "这份日志副本或检查点不能用，原因见上；什么都没有改。",
        "This copy or checkpoint cannot be used, for the reason above; nothing was changed.",
    ),
    "nothing_lost": ("没有缺失，无须后继日志。", "Nothing is missing: no successor is needed."),
    "data_folder_empty": ("这个数据文件夹里没有可备份的内容。", "There is nothing to back up in this folder."),
    "data_folder_used": ("恢复只写入空文件夹：换一个 --data。", "Restore fills an empty folder only: another --data."),
    "database_not_empty": ("恢复只写入空数据库。", "Restore fills an empty database only."),
    "database_older": ("数据表需要升级：先停止服务，运行 migrate。", "Stop the service and run migrate first."),
    "passphrase_weak": ("口令太短。", "The passphrase is too short."),
    "passphrase_missing": (
        f"需要口令：--passphrase-file 文件，或环境变量 {PASSPHRASE_VARIABLE}。",
        f"A passphrase is needed: --passphrase-file FILE, or the variable {PASSPHRASE_VARIABLE}.",
    ),
    "passphrase_wrong": ("口令不对，或密钥文件损坏。", "A wrong passphrase, or the file of keys is damaged."),
    "keys_of_another": ("密钥文件不属于这份备份。", "These keys belong to another backup."),
    "other_store": ("备份来自另一种数据库：见 config.yaml 的 store。", "The backup is of the other kind of store."),
    "backup_damaged": ("备份损坏，没有恢复任何内容。", "The backup is damaged; nothing was restored."),
    "backup_newer": ("备份来自更新的版本：先升级。", "The backup was made by a newer Keshi: upgrade first."),
    "retention_early": (
        "保存期未满，不能删除；这次请求已记入日志。",
        "These records must still be kept; that it was asked for is recorded in the log.",
    ),
    "retention_differs": (
        "记录数与下令时不符，什么也没有删除：请运行 keshi fsck。",
        "There are other records than were ordered to go, and nothing was deleted: run keshi fsck.",
    ),
    "retention_empty": ("没有可删除的记录，或已下令删除。", "There is nothing to delete, or it was ordered before."),
    "lesson_not_sealed": (
        "有课次尚未全部封存：下课两分半钟后再导出；服务运行时也可在网页上导出。",
        "A lesson is not wholly sealed: try again 150 s after its end, or export from the pages.",
    ),
}


async def backup(config: Config, options: argparse.Namespace) -> None:
    """Write a backup while the service runs, or does not."""
    out = Path(options.file)
    keys_out = Path(options.keys_out) if options.keys_out else out.with_name(f"{out.name}.keys")
    manifest = await back_up(config, out, keys_out, _passphrase(options, twice=True), SystemClock())
    print(f"备份完成 · backed up: {out}（{len(manifest.files)} 个文件 · files）")
    print(f"密钥（已加密） · keys, sealed: {keys_out}")
    print("  请把密钥文件和口令分开存放，不要和备份放在一起。Keep keys and passphrase apart from the backup.")
    print(f"  截至 · as of {_moment(manifest.taken_ms)}")


async def restore(config: Config, options: argparse.Namespace) -> None:
    """Fill an empty data folder from a backup and say what is not in it."""
    file = Path(options.file)
    keys = Path(options.keys_in) if options.keys_in else file.with_name(f"{file.name}.keys")
    done = await bring_back(config, file, keys, _passphrase(options, twice=False), SystemClock())
    print(f"恢复完成 · restored to {config.server.data}，校验无误 · verified")
    print(f"备份时间 · backup of {_moment(done.manifest.taken_ms)}；此后确认的内容不在其中 · nothing later is in it")
    if options.log:
        print(_brought_back(await fill(config, options.log, SystemClock())))
    if done.over:
        print("  这些班保存期已满；备份之后删除过的，又随备份回来了，须重新下令：")
        print("  Past their time; whichever was deleted after this backup has come back: order it again:")
        for code in done.over:
            print(f"    keshi retention {code}")
    if done.running:
        print(f"  备份时正在上课；{_moment(done.known_until_ms)} 之后记为 系统故障(待复核)：")
        print("  These lessons were running; what came after is marked as a fault of the server, to be reviewed:")
        for one in done.running:
            print(f"    {_words(one)}")
    if done.planned:
        print("  备份之后应当开课，记录不在备份中，须人工核对：")
        print("  These were due after the backup; if they took place, nothing of them is known:")
        for one in done.planned:
            print(f"    {_words(one)}")


async def refill(config: Config, options: argparse.Namespace) -> None:
    """Bring back minutes of the log from a copy; or, where there is none, open a successor of what was seen last."""
    if options.successor:
        after = await open_successor(config, Path(options.successor), SystemClock())
        print(f"后继日志，请把新公钥交给见证方和核验的人 · a successor; its key for witnesses and readers:\n{after}")
    elif options.where:
        print(_brought_back(await fill(config, options.where, SystemClock())))
    else:
        raise DomainError("config_invalid", setting="WHERE", reason="WHERE or --successor")


def _brought_back(count: int) -> str:
    if not count:
        return "✓ 日志没有缺失 · nothing is missing from the log"
    return (
        f"✓ 日志补回 {count} 分钟，其中的明细不在副本里 · {count} minutes of the log came back, without their records"
    )


async def doctor(config: Config, options: argparse.Namespace) -> int:
    """Look at everything; 0 when all is well, 1 when something wants a look, 2 when something is broken."""
    found = []
    async for finding in examine(config):
        found.append(finding)
        if not options.json:
            print(told(finding), flush=True)
    if options.json:
        print(json.dumps(for_programs(found), ensure_ascii=False, indent=1))
    return int(max((one.level for one in found), default=Level.WELL))


def _words(one: Known) -> str:
    return f"{one.class_code} 第 {one.number} 课 {one.title}（{_moment(one.planned_start_ms)}）"


def _moment(ms: int) -> str:
    at: datetime = to_datetime(ms)
    return f"{at.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M:%S} 北京时间（{at:%Y-%m-%dT%H:%M:%SZ}）"


def _passphrase(options: argparse.Namespace, twice: bool) -> str:
    """From the file that was named, the environment, or whoever sits there. Raises DomainError passphrase_missing."""
    if options.passphrase_file:
        try:
            return Path(options.passphrase_file).read_text().strip()
        except OSError as error:
            raise DomainError("passphrase_missing", file=options.passphrase_file, reason=error.strerror) from error
    if found := os.environ.get(PASSPHRASE_VARIABLE):
        return found
    if not sys.stdin.isatty():
        raise DomainError("passphrase_missing")
    first = getpass.getpass("口令 · passphrase: ")
    if twice and getpass.getpass("再输一次 · again: ") != first:
        raise DomainError("passphrase_wrong", reason="the two are not the same")
    return first
