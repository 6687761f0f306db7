"""The command line; `python -m server COMMAND --help` explains each command."""

import argparse
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import uvloop

from server import commands
from server.core.errors import DomainError
from server.settings import Config, read_config
from server.upkeep import commands as upkeep

EXIT_REFUSED: Final = 2
#: what we write is for our account alone, also in a folder that others made
PRIVATE: Final = 0o077

Command = Callable[[Config, argparse.Namespace], Coroutine[Any, Any, int | None]]

#: what a person may do about a refusal; the code itself is stable, the words are for reading
REMEDIES: Final = {
    "port_in_use": (
        "端口已被占用：停掉占用它的程序，或换一个：--port（make 用 PORT=），或 config.yaml 里的 media.udp_port。",
        "The port is taken: choose another --port (PORT= with make), or media.udp_port in config.yaml.",
    ),
    "media_embedded": (
        "媒体在服务进程里运行；要单独运行，先在 config.yaml 里写 media.mode: worker 。",
        "Media runs inside the service; for a process of its own set media.mode: worker in config.yaml.",
    ),
    "data_folder_busy": (
        "数据文件夹正被另一个 Keshi 使用：先停掉它。服务运行时，请在网页上导出。",
        "Another Keshi is using this data folder: stop it first. While it serves, export from its pages.",
    ),
    "second_server_refused": (
        "已有另一个服务进程：每个进程都需要 store.redis、media.mode: worker 和同一个 server.data，见 docs/cluster.md。",
        "Another server runs: each needs store.redis, media.mode: worker and the same server.data: docs/cluster.md.",
    ),
    "servers_running": (
        "还有服务进程在使用这个数据库：先把它们都停掉（包括其他机器上的）。",
        "Servers of this database are running: stop all of them first, also those on other machines.",
    ),
    "is_a_demo": ("这是演示数据：请加 --demo，或换一个 --data。", "This folder holds the demo: add --demo."),
    "not_a_demo": ("这是正式数据，不能当演示运行。", "This folder holds real data: it is never served as a demo."),
    "address_refused": ("这个地址不能这样使用，办法见上。", "This address is refused; see the remedy above."),
    "tls_needed": (
        "没有 HTTPS，手机上就没有摄像头、加密和防熄屏。请选一种：config.yaml 里 tls.mode 设为 files（自备证书）、"
        "acme（自动申请）或 local-ca（局域网）；或由前置代理提供 HTTPS，"
        "并填写 server.trusted_proxies 与 https 的 public_url。"
        "演示用：make run LAN=1。详见 docs/https.md。",
        "Without HTTPS phones have no camera, Web Crypto or wake lock. In config.yaml set tls.mode to files, acme or "
        "local-ca; or let a proxy speak HTTPS and set server.trusted_proxies and an https public_url. "
        "For a demo: make run LAN=1. See docs/https.md.",
    ),
    "certificate_unreadable": (
        "证书或私钥读不出来：两者都应是 PEM 文件，私钥不带口令。",
        "The certificate or its key cannot be read: both must be PEM files, the key without a passphrase.",
    ),
    "certificate_mismatch": ("证书与私钥不是一对。", "The certificate and the key do not belong together."),
    "certificate_expired": ("证书不在有效期内，请更换。", "The certificate is not valid now: renew it."),
    "certificate_host": (
        "证书不包含这个地址，浏览器会拒绝：换证书，或改 server.public_url。",
        "The certificate does not cover this address, browsers would refuse it: change it or server.public_url.",
    ),
    "acme_failed": (
        "没有申请到证书：域名要指向本机，且从外网能访问本机的 80 端口（tls.http_port）。",
        "No certificate was issued: the name must point here, and port 80 (tls.http_port) be reachable from outside.",
    ),
    "already_set_up": ("管理员已经设好密码，无需再次初始化。", "The administrator is set up already."),
    "database_damaged": ("数据库文件损坏，请从备份恢复。", "The database is damaged: restore it from a backup."),
    "database_newer": ("数据库来自更新的版本。", "The database was made by a newer Keshi."),
    "key_damaged": ("密钥文件损坏，请从备份恢复。", "A key file is damaged: restore it from a backup."),
    "spool_damaged": ("未封存的记录损坏；为不丢失，没有启动。", "The spool is damaged; nothing was started or lost."),
    "config_unreadable": ("设置文件读不出来。", "The settings file cannot be read."),
    "config_invalid": ("设置文件里有一项不对，行号见上。", "A setting is wrong; its line is named above."),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 2 refused (the reason is on stderr), the doctor's own."""
    options = _parser().parse_args(arguments)
    try:
        overrides = {
            name: value for name in ("host", "port", "data") if (value := getattr(options, name, None)) is not None
        }
        config = read_config(Path(options.config), overrides)
        work: Command = options.run
        return uvloop.run(work(config, options)) or 0
    except DomainError as error:
        print("\n  ".join((f"keshi: {error}", *(REMEDIES | upkeep.REMEDIES).get(error.code, ()))), file=sys.stderr)
        return EXIT_REFUSED
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="keshi", description="课时 Keshi：每一课时都可证明的在线课堂")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", default="config.yaml", help="设置文件 · the settings file")
    common.add_argument("--data", help="数据文件夹，内含一切 · the folder that holds everything")
    known = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, work: Command, words: str) -> argparse.ArgumentParser:
        made = known.add_parser(name, parents=[common], help=words, description=words)
        made.set_defaults(run=work)
        return made

    _serve_options(add("serve", commands.serve, "启动服务 · serve"))
    add("media", commands.media, "音视频单独一个进程 · media in a process of its own")
    _init_options(add("init", commands.init, "建立空库和首位管理员 · an empty store and its administrator"))
    add("migrate", commands.migrate, "升级数据表 · bring the tables up to date")
    add("demo", commands.demo, "只生成演示数据 · make the demo's data only")
    export = add("export", commands.export, "导出一个班的学时台账 · a class's hour ledger as a file")
    export.add_argument("class_code", help="班级编号 · the class's code")
    export.add_argument(
        "--out", required=True, help="输出文件：.zip 含存证，或 .xlsx、.csv · the file to write; .zip with evidence"
    )
    export.add_argument("--language", default="zh-CN", choices=("zh-CN", "en"), help="文件的语言 · the file's language")
    _upkeep_options(add)
    add("fsck", commands.fsck, "核对存证日志与全部记录 · hold all that is stored against the log")
    retention = add("retention", commands.retention, "保存期满的班级删除个人记录 · delete what was kept long enough")
    retention.add_argument("class_code", nargs="?", help="要删除的班级编号 · the code of the class to delete")
    key = add("key", commands.key, "显示日志的公钥，请另存他处 · the log's public key, to be kept elsewhere")
    key.add_argument("action", nargs="?", choices=("rotate",), help="停止服务后更换密钥 · change it, service stopped")
    witness = add("witness", commands.witness, "在别人的机器上见证日志 · witness logs, on somebody else's machine")
    witness.add_argument("--logs", required=True, help="日志公钥的文件 · a file of the logs' public keys")
    witness.add_argument("--name", required=True, help="见证者的名称 · what the witness is called")
    _address_options(witness)
    _verify_options(add("verify", commands.verify, "离线核验导出的存证包 · check an exported package offline"))
    types = add("types", commands.types, "为网页生成类型 · write the web client's types")
    types.add_argument("--out", default="web/src/wire/types.ts", help="输出文件 · the file to write")
    return parser


def _verify_options(verify: argparse.ArgumentParser) -> None:
    verify.add_argument(
        "file",
        help="导出的 .zip、evidence.json，或整个日志的文件夹或网址 · a package, evidence.json, a log's folder or URL",
    )
    verify.add_argument(
        "--receipt", action="append", default=[], help="学员保存的学时回执 · a receipt that a trainee kept"
    )
    verify.add_argument("--seen", help="以前保存的日志检查点 · a checkpoint of the log that was kept before")
    verify.add_argument("--trust", help="另行取得的密钥文件 · a file of keys that came from elsewhere")


def _address_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="监听地址 · address to listen on")
    parser.add_argument("--port", type=int, help="监听端口 · port to listen on")


def _serve_options(serve: argparse.ArgumentParser) -> None:
    _address_options(serve)
    serve.add_argument("--lan", action="store_true", help="供局域网手机使用，自建证书 · for phones on the LAN, own CA")
    serve.add_argument("--demo", action="store_true", help="用演示数据，首次会生成 · serve the demo")
    serve.add_argument(
        "--demo-anywhere", action="store_true", help="允许演示监听其他地址 · let the demo listen elsewhere"
    )


def _upkeep_options(add: Callable[[str, Command, str], argparse.ArgumentParser]) -> None:
    words = "在线备份，密钥另存并加密 · back up while serving, keys apart and sealed"
    backup = add("backup", upkeep.backup, words)
    backup.add_argument("file", help="备份文件 · the backup to write")
    backup.add_argument("--keys-out", help="密钥文件，默认 FILE.keys · the file of keys")
    restore = add("restore", upkeep.restore, "恢复到空文件夹 · restore to an empty folder")
    restore.add_argument("file", help="备份文件 · the backup to read")
    restore.add_argument(
        "--log", help="日志副本，补回备份之后的分钟 · a copy of the log, for the minutes since the backup"
    )
    restore.add_argument("--keys-in", help="密钥文件，默认 FILE.keys · the file of keys")
    refill = add("refill", upkeep.refill, "补回日志缺失的分钟 · bring back minutes that the log lacks")
    refill.add_argument("where", nargs="?", help="日志副本的文件夹或网址 · a copy of the log: folder or address")
    refill.add_argument(
        "--successor", help="无处可补时，最后见证的检查点 · where there is no copy: the last checkpoint seen"
    )
    words = "检查机器、设置、证书、时钟、端口、磁盘 · look at machine, settings, certificate, clock, ports, disk"
    add("doctor", upkeep.doctor, words).add_argument("--json", action="store_true", help="给程序看 · for programs")
    for one in (backup, restore):
        one.add_argument("--passphrase-file", help="口令所在文件 · a file that holds the passphrase")


def _init_options(init: argparse.ArgumentParser) -> None:
    _address_options(init)
    init.add_argument("--name", default="管理员", help="管理员姓名 · the administrator's name")
    init.add_argument("--login", default="admin", help="管理员登录名 · the administrator's login")
    init.add_argument("--operator", default="", help="平台运营单位 · who runs this platform")
    init.add_argument("--record-number", default="", help="平台备案号 · its record number with the city")


if __name__ == "__main__":
    os.umask(PRIVATE)
    sys.exit(main())
