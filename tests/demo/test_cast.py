"""The demo's people: distinct, fictitious, with passwords of their own, in a file that only its owner reads."""

from datetime import date
from pathlib import Path

import pytest

from server.accounts.id_number import DEMO_PREFIX, checked
from server.core.actor import Role
from server.core.errors import DomainError
from server.demo.cast import FILE, SIGNS, TRAINEES, id_number, new_accounts, read_accounts, table, write_accounts

TODAY = date(2026, 11, 23)


def test_twenty_eight_trainees_and_one_for_each_desk() -> None:
    accounts = new_accounts()
    roles = [account.role for account in accounts]
    assert roles.count(Role.TRAINEE) == TRAINEES == 28
    assert sorted(set(roles) - {Role.TRAINEE}) == ["administrator", "instructor", "regulator", "staff"]
    for attribute in ("name", "login", "password"):
        assert len({getattr(account, attribute) for account in accounts}) == len(accounts)


def test_names_say_that_they_are_not_real() -> None:
    assert all(account.name.startswith("演示·") for account in new_accounts())


def test_passwords_are_generated_anew_each_time() -> None:
    assert not {one.password for one in new_accounts()} & {one.password for one in new_accounts()}


def test_id_numbers_are_right_but_for_their_prefix() -> None:
    numbers = [id_number(f"演示·{sign}") for sign in SIGNS]
    assert len(set(numbers)) == TRAINEES
    for number in numbers:
        assert number.startswith(DEMO_PREFIX)
        assert checked(number, TODAY, demo=True) == number
        with pytest.raises(DomainError, match="id_number_malformed"):
            checked(number, TODAY, demo=False)


def test_the_file_is_for_its_owner_only_and_comes_back(tmp_path: Path) -> None:
    assert read_accounts(tmp_path) == []
    accounts = new_accounts()
    write_accounts(tmp_path, accounts)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert read_accounts(tmp_path) == accounts
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_the_table_names_every_login_and_password() -> None:
    accounts = new_accounts()
    shown = "\n".join(table(accounts))
    assert all(f"{account.login}" in shown and account.password in shown for account in accounts)
