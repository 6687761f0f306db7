"""Decides whether a text is an ID number (公民身份号码, GB 11643-1999) and how it may be shown. Pure.

Own check, because the common one refuses numbers that were issued: former counties, 港澳台居民居住证 (81, 82, 83) and
外国人永久居留身份证 of 2023 (first digit 9, then two digits of the province, three of the nationality).
"""

import re
import unicodedata
from datetime import date
from typing import Final

from server.core.errors import DomainError

LENGTH: Final = 18
#: first two digits of every number ever issued; which county follows is nobody's business, many were renamed
PROVINCES: Final = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
#: never issued; the demo's people have numbers that begin so
DEMO_PREFIX: Final = "999999"
OLDEST_BIRTH: Final = date(1900, 1, 1)
_FORM: Final = re.compile(r"[0-9]{17}[0-9X]")
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"


def normal(text: str) -> str:
    """The one spelling of an ID number: half-width, no blanks, capital X."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def looks_like(text: str) -> bool:
    """Whether a text has the form of an ID number, right or wrong."""
    return _FORM.fullmatch(normal(text)) is not None


def check_digit(first_17: str) -> str:
    """The last character that belongs to 17 digits (ISO 7064 MOD 11-2)."""
    return _CHECKS[sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True)) % 11]


def checked(text: str, today: date, demo: bool = False) -> str:
    """The number in its normal spelling; `today` is the day in Asia/Shanghai.

    Raises DomainError id_number_malformed (data: reason = form | place | birth | check_digit).
    """
    number = normal(text)
    if _FORM.fullmatch(number) is None:
        raise DomainError("id_number_malformed", reason="form")
    if not _place_exists(number, demo):
        raise DomainError("id_number_malformed", reason="place")
    if not _birth_possible(number[6:14], today):
        raise DomainError("id_number_malformed", reason="birth")
    if check_digit(number[:-1]) != number[-1]:
        raise DomainError("id_number_malformed", reason="check_digit")
    return number


def masked(number: str) -> str:
    """How a number is shown: the province's first three and the last four characters, `110***********1234`.

    A text of another length (somebody's slip of the pen) shows its first three at most.
    """
    if len(number) != LENGTH:
        return number[:3] + "*" * max(0, len(number) - 3)
    return f"{number[:3]}***********{number[-4:]}"


def _place_exists(number: str, demo: bool) -> bool:
    if number.startswith(DEMO_PREFIX):
        return demo
    province = number[1:3] if number[0] == "9" else number[:2]
    return PROVINCES.fullmatch(province) is not None


def _birth_possible(text: str, today: date) -> bool:
    try:
        birth = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return OLDEST_BIRTH <= birth <= today
