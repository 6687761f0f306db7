"""Decides who is in the demo: fictitious people with generated passwords, kept in `accounts.json` beside the data.

Nobody's name is one that people have, and the ID numbers begin as no issued number does.
"""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from server.accounts.codes import ALPHABET
from server.accounts.id_number import DEMO_PREFIX, check_digit
from server.core.actor import Role

FILE: Final = "accounts.json"
PASSWORD_LENGTH: Final = 10
#: ten stems, twelve branches, six of the eight trigrams: twenty-eight names that nobody has
SIGNS: Final = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥乾坤震巽坎离"
TRAINEES: Final = len(SIGNS)


@dataclass(frozen=True, slots=True)
class Account:
    """A line of accounts.json."""

    role: str
    name: str
    login: str
    password: str


def new_accounts() -> list[Account]:
    """Everybody, each with a password of their own."""
    desk = [
        Account(Role.ADMINISTRATOR, "演示·平台管理员", "admin", _password()),
        Account(Role.STAFF, "演示·教务", "staff", _password()),
        Account(Role.INSTRUCTOR, "演示·讲师", "teacher", _password()),
        Account(Role.REGULATOR, "演示·监管", "regulator", _password()),
    ]
    return desk + [
        Account(Role.TRAINEE, f"演示·{sign}", trainee_login(at), _password()) for at, sign in enumerate(SIGNS)
    ]


def trainee_login(index: int) -> str:
    """The login of the trainee at `index` (from 0): trainee01 to trainee28."""
    return f"trainee{index + 1:02d}"


def id_number(name: str) -> str:
    """The ID number of a trainee by name: the never-issued prefix, an invented day of birth, a serial number."""
    index = SIGNS.index(name[-1])
    body = f"{DEMO_PREFIX}{1966 + index:04d}{index % 12 + 1:02d}{index + 1:02d}{index + 1:03d}"
    return body + check_digit(body)


def read_accounts(folder: Path) -> list[Account]:
    """The accounts of a data folder; none when there is no file."""
    path = folder / FILE
    return [Account(**line) for line in json.loads(path.read_text(encoding="utf-8"))] if path.exists() else []


def write_accounts(folder: Path, accounts: list[Account]) -> None:
    """Write the file whole or not at all, readable by its owner only."""
    draft = folder / f"{FILE}.{secrets.token_hex(4)}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump([asdict(account) for account in accounts], file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / FILE)


def table(accounts: list[Account]) -> list[str]:
    """The accounts for the terminal: a line each for the desks, trainees three a line."""
    roles = {
        Role.ADMINISTRATOR: "平台管理员",
        Role.STAFF: "机构教务",
        Role.INSTRUCTOR: "讲师",
        Role.REGULATOR: "监管",
    }
    lines = ["演示数据，人物均为虚构。登录名与密码（也在 accounts.json）· fictitious people, login and password:"]
    lines += [
        f"  {account.login:<11}{account.password:<13}{roles[Role(account.role)]}"
        for account in accounts
        if account.role != Role.TRAINEE
    ]
    trainees = [f"{one.login} {one.password}" for one in accounts if one.role == Role.TRAINEE]
    lines.append("  学员 · trainees:")
    return lines + ["  " + "   ".join(trainees[at : at + 3]) for at in range(0, len(trainees), 3)]


def _password() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(PASSWORD_LENGTH)).lower()
