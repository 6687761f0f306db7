"""The command line: serve, init, migrate, demo, export, types. `python -m server COMMAND --help` explains each."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from server import commands
from server.core.errors import DomainError
from server.settings import Config, read_config

EXIT_REFUSED: Final = 2

#: what a person may do about a refusal; the code itself is stable, the words are for reading
REMEDIES: Final = {
    "port_in_use": "端口已被占用：换一个 --port，或停掉占用它的程序。 The port is taken: choose another --port.",
    "data_folder_busy": "数据文件夹正被另一个 Keshi 使用。 Another Keshi is using this data folder.",
    "is_a_demo": "这是演示数据：请加 --demo，或用另一个 --data。 This folder holds the demo: add --demo or choose another.",
    "not_a_demo": "这是正式数据，不能当演示运行。 This folder holds real data: it is never served as a demo.",
    "address_refused": "这个地址不能这样使用。 This address is refused; see the remedy.",
    "database_damaged": "数据库文件损坏，请从备份恢复。 The database is damaged: restore it from a backup.",
    "database_newer": "数据库来自更新的版本。 The database was made by a newer Keshi.",
    "key_damaged": "密钥文件损坏，请从备份恢复。 A key file is damaged: restore it from a backup.",
    "spool_damaged": "未封存的记录文件损坏，为不丢失记录，没有启动。 The spool is damaged; not started, so nothing is lost.",
    "config_unreadable": "config.yaml 读不出来。 config.yaml cannot be read.",
    "config_invalid": "config.yaml 里有一项不对。 A setting in config.yaml is wrong.",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 2 refused (the reason is on stderr)."""
    options = _parser().parse_args(arguments)
    try:
        overrides = {name: value for name in ("host", "port", "data") if (value := getattr(options, name, None))}
        config = read_config(Path(options.config), overrides)
        work: Callable[[Config, argparse.Namespace], Coroutine[Any, Any, None]] = options.run
        asyncio.run(work(config, options))
    except DomainError as error:
        print(f"keshi: {error}\n  {REMEDIES.get(error.code, '')}", file=sys.stderr)
        return EXIT_REFUSED
    except KeyboardInterrupt:
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="keshi", description="课时 Keshi：每一课时都可证明的在线课堂")
    parser.set_defaults(config="config.yaml")
    commands_of = parser.add_subparsers(required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", default="config.yaml", help="设置文件 · the settings file")
    common.add_argument("--data", help="数据文件夹，内含一切 · the folder that holds everything")

    serve = commands_of.add_parser("serve", parents=[common], help="启动服务 · serve")
    serve.add_argument("--host", help="监听地址 · address to listen on")
    serve.add_argument("--port", type=int, help="监听端口 · port to listen on")
    serve.add_argument(
        "--demo", action="store_true", help="用演示数据；首次会生成 · serve the demo, made at the first start"
    )
    serve.add_argument(
        "--demo-anywhere",
        action="store_true",
        help="允许演示监听本机以外的地址 · let the demo listen beyond this machine",
    )
    serve.set_defaults(run=commands.serve)

    init = commands_of.add_parser(
        "init", parents=[common], help="建立空库和首位管理员 · an empty store and its administrator"
    )
    init.add_argument("--name", default="管理员", help="管理员姓名 · the administrator's name")
    init.add_argument("--login", default="admin", help="管理员登录名 · and login")
    init.add_argument("--operator", default="", help="平台运营单位 · who runs this platform")
    init.add_argument("--record-number", default="", help="平台备案号 · the platform's record number with the city")
    init.set_defaults(run=commands.init)

    migrate = commands_of.add_parser("migrate", parents=[common], help="升级数据表 · bring the tables up to date")
    migrate.set_defaults(run=commands.migrate)

    demo = commands_of.add_parser("demo", parents=[common], help="只生成演示数据 · make the demo's data only")
    demo.set_defaults(run=commands.demo)

    export = commands_of.add_parser(
        "export", parents=[common], help="导出一个班的学时台账 · a class's hour ledger as a file"
    )
    export.add_argument("class_code", help="班级编号 · the class's code")
    export.add_argument("--out", required=True, help="输出文件，.xlsx 或 .csv · the file to write, .xlsx or .csv")
    export.set_defaults(run=commands.export)

    types = commands_of.add_parser("types", parents=[common], help="为网页生成类型 · write the web client's types")
    types.add_argument("--out", default="web/src/wire/types.ts", help="输出文件 · the file to write")
    types.set_defaults(run=commands.types)
    return parser


if __name__ == "__main__":
    sys.exit(main())
