"""Names, logins, passwords, areas, phones and invitations at their edges."""

import pytest

from server.accounts import rules
from server.core.actor import Role
from server.core.errors import DomainError


def code(call: object, *arguments: object) -> str:
    with pytest.raises(DomainError) as refused:
        call(*arguments)  # type: ignore[operator]
    return refused.value.code


@pytest.mark.parametrize("length", [rules.PASSWORD_MINIMUM, rules.PASSWORD_MAXIMUM])
def test_passwords_of_these_lengths_pass(length: int) -> None:
    rules.check_password("密" * length, "login")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "short"),
        ("x" * (rules.PASSWORD_MINIMUM - 1), "short"),
        ("x" * (rules.PASSWORD_MAXIMUM + 1), "long"),
        ("12345678", "login"),
    ],
)
def test_weak_passwords_say_why(password: str, reason: str) -> None:
    with pytest.raises(DomainError, match="password_weak") as refused:
        rules.check_password(password, "12345678")
    assert refused.value.data == {"minimum": 8, "maximum": 128, "reason": reason}


def test_a_password_is_not_the_login_in_other_letters() -> None:
    assert code(rules.check_password, "TEACHER-ONE", "teacher-one") == "password_weak"


@pytest.mark.parametrize(("typed", "kept"), [("演示·甲", "演示·甲"), ("  Ann \u3000 Lee ", "Ann Lee")])
def test_names_are_kept_in_one_spelling(typed: str, kept: str) -> None:
    assert rules.checked_name(typed) == kept


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("", "name_missing"),
        (" \u3000\t", "name_missing"),
        ("甲" * (rules.NAME_MAXIMUM + 1), "bad_request"),
        ("a\x00b", "bad_request"),
        ("a\u202eb", "bad_request"),  # turns what follows around
        ("a\u200bb", "bad_request"),  # shows nothing
    ],
)
def test_bad_names(name: str, refused: str) -> None:
    assert code(rules.checked_name, name) == refused


def test_the_longest_name_passes() -> None:
    assert rules.checked_name("甲" * rules.NAME_MAXIMUM)


@pytest.mark.parametrize(
    ("typed", "kept"), [("Teacher.One", "teacher.one"), (" ｓｔａｆｆ_1 ", "staff_1"), ("ab", "ab")]
)
def test_logins_have_one_spelling(typed: str, kept: str) -> None:
    assert rules.checked_login(typed) == kept


@pytest.mark.parametrize("login", ["", "a", "1ab", "12345678", "a b", "张三", "a" * 33, "-ab", "a@b"])
def test_bad_logins(login: str) -> None:
    assert code(rules.checked_login, login) == "login_malformed"


@pytest.mark.parametrize("area", ["", "37150", "3715000", "37150x", "３７１５００"])
def test_bad_areas(area: str) -> None:
    assert code(rules.checked_area, area) == "area_malformed"


@pytest.mark.parametrize(
    ("typed", "kept"), [("", ""), ("138-0000 0000", "13800000000"), ("(0635)8888888", "06358888888")]
)
def test_phones(typed: str, kept: str) -> None:
    assert rules.checked_phone(typed) == kept


@pytest.mark.parametrize("phone", ["1234", "无", "1" * 21, "138x0000000"])
def test_bad_phones(phone: str) -> None:
    assert code(rules.checked_phone, phone) == "phone_malformed"


def test_an_invitation_opens_once_and_until_its_last_millisecond() -> None:
    rules.check_invitation(1_000, None, 999)
    assert code(rules.check_invitation, 1_000, None, 1_000) == "invitation_expired"
    assert code(rules.check_invitation, 1_000, 5, 999) == "invitation_used"


def test_people_belong_somewhere() -> None:
    rules.check_belongs(Role.ADMINISTRATOR, None, None)
    rules.check_belongs(Role.REGULATOR, None, "371500")
    rules.check_belongs(Role.STAFF, "i1", None)
    assert code(rules.check_belongs, Role.REGULATOR, None, None) == "area_malformed"
    for role in (Role.TRAINEE, Role.INSTRUCTOR, Role.STAFF):
        assert code(rules.check_belongs, role, None, None) == "institution_needed"
