"""Decides what makes a valid name, login, password and area, and when an invitation still opens. Pure."""

import re
import unicodedata
from typing import Final

from server.core.actor import Role
from server.core.errors import DomainError

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
DAY_MS: Final = 24 * 60 * MINUTE_MS

#: a class day: from the first lesson's early arrival until after an evening lesson, without a second password
SESSION_MS: Final = 14 * 60 * MINUTE_MS
#: a login that nobody uses ends: learners and teachers have long breaks, desks show other people's data
IDLE_MS: Final = 6 * 60 * MINUTE_MS
DESK_IDLE_MS: Final = 2 * 60 * MINUTE_MS
LINK_MS: Final = 7 * DAY_MS
SLIP_MS: Final = 30 * DAY_MS

PASSWORD_MINIMUM: Final = 8
PASSWORD_MAXIMUM: Final = 128
NAME_MAXIMUM: Final = 60
PHONE_FORM: Final = re.compile(r"\+?[0-9]{5,20}")

#: a chosen login starts with a letter, so that it is never a trainee's number or an ID number
LOGIN_FORM: Final = re.compile(r"[a-z][a-z0-9._-]{1,31}")
AREA_FORM: Final = re.compile(r"[0-9]{6}")

#: tries in a window of seconds. One account's without work, from devices that have not signed in before
FREE_TRIES: Final = (10, 900)
#: the same in an hour, the proved ones included; and of these, from one network (ASVS: at most 100 an hour)
ACCOUNT_TRIES: Final = (50, 3_600)
NETWORK_TRIES: Final = (25, 3_600)
#: of one device that has signed in before, and of one person who is signed in and asked again
DEVICE_TRIES: Final = (10, 900)
PERSON_TRIES: Final = (10, 900)
#: wrong codes of one class before work is asked for
CODE_TRIES: Final = (100, 900)
#: after so many seconds a calm address, a calm house
ADDRESS_WINDOW_S: Final = 60
ATTACK_WINDOW_S: Final = 300

#: a device is remembered for so long after it last signed in
DEVICE_MS: Final = 180 * DAY_MS
#: people whom one device remembers: a school's computer is shared
DEVICE_PEOPLE: Final = 8

#: roles of people who work at an institution
AT_INSTITUTION: Final = frozenset({Role.TRAINEE, Role.INSTRUCTOR, Role.STAFF})


def idle_ms(role: Role) -> int:
    """How long a login of this role stands without being used."""
    return IDLE_MS if role in (Role.TRAINEE, Role.INSTRUCTOR) else DESK_IDLE_MS


def checked_text(text: str, field: str, maximum: int) -> str:
    """Text of people: NFC, single blanks, no control characters. Raises DomainError bad_request when too long."""
    cleaned = " ".join(unicodedata.normalize("NFC", text).split())
    if len(cleaned) > maximum:
        raise DomainError("bad_request", field=field, problem=f"at most {maximum} characters")
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"} for character in cleaned):
        raise DomainError("bad_request", field=field, problem="control characters")
    return cleaned


def checked_name(text: str, field: str = "name", maximum: int = NAME_MAXIMUM) -> str:
    """A person's or an organisation's name, or a title. Raises DomainError name_missing (data: field), bad_request."""
    name = checked_text(text, field, maximum)
    if not name:
        raise DomainError("name_missing", field=field)
    return name


def checked_login(text: str) -> str:
    """A chosen login name in its one spelling. Raises DomainError login_malformed."""
    login = normal_login(text)
    if LOGIN_FORM.fullmatch(login) is None:
        raise DomainError("login_malformed")
    return login


def normal_login(text: str) -> str:
    """How a login name is compared: half-width, lower case, no blanks around."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def checked_area(text: str) -> str:
    """Six digits of an administrative area. Raises DomainError area_malformed."""
    if AREA_FORM.fullmatch(text) is None:
        raise DomainError("area_malformed")
    return text


def checked_phone(text: str) -> str:
    """A phone number without blanks and hyphens, "" for none. Raises DomainError phone_malformed."""
    phone = re.sub(r"[\s()-]", "", unicodedata.normalize("NFKC", text))
    if phone and PHONE_FORM.fullmatch(phone) is None:
        raise DomainError("phone_malformed")
    return phone


def check_password(password: str, login: str) -> None:
    """Raises DomainError password_weak (data: minimum, maximum, reason = short | long | login)."""
    if len(password) < PASSWORD_MINIMUM:
        reason = "short"
    elif len(password) > PASSWORD_MAXIMUM:
        reason = "long"
    elif normal_login(password) == login:
        reason = "login"
    else:
        return
    raise DomainError("password_weak", minimum=PASSWORD_MINIMUM, maximum=PASSWORD_MAXIMUM, reason=reason)


def check_invitation(expires_ms: int, used_ms: int | None, now_ms: int) -> None:
    """Raises DomainError invitation_used, invitation_expired."""
    if used_ms is not None:
        raise DomainError("invitation_used")
    if now_ms >= expires_ms:
        raise DomainError("invitation_expired")


def check_belongs(role: Role, institution_id: str | None, area: str | None) -> None:
    """Who works at an institution has one, a regulator has an area.

    Raises DomainError institution_needed, area_malformed.
    """
    if role in AT_INSTITUTION and not institution_id:
        raise DomainError("institution_needed")
    if role is Role.REGULATOR:
        checked_area(area or "")
