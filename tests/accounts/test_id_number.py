"""GB 11643: what was issued passes, what was mistyped does not, and only masks are shown."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.accounts.id_number import DEMO_PREFIX, check_digit, checked, looks_like, masked, normal
from server.core.errors import DomainError

TODAY = date(2026, 11, 23)


def full(first_17: str) -> str:
    return first_17 + check_digit(first_17)


def reason(text: str, demo: bool = False) -> str:
    with pytest.raises(DomainError, match="id_number_malformed") as refused:
        checked(text, TODAY, demo)
    return str(refused.value.data["reason"])


@pytest.mark.parametrize(
    "number",
    [
        "11010519491231002X",  # the example of the standard itself
        full("37250119850214001"),  # a county that has been renamed since
        full("81000019900101001"),  # 港澳台居民居住证
        full("82000019900101001"),
        full("83000019900101001"),
        full("91184019900101001"),  # 外国人永久居留身份证 of 2023: Beijing, US
        full("11010519000101001"),  # the oldest birth
        full("11010520261123001"),  # born today
        full("11010520000229001"),  # a leap day
    ],
)
def test_issued_forms_pass(number: str) -> None:
    assert checked(number, TODAY) == number


@pytest.mark.parametrize(
    "typed", ["11010519491231002x", " 110105 1949 1231 002X ", "１１０１０５１９４９１２３１００２Ｘ"]
)
def test_one_spelling(typed: str) -> None:
    assert checked(typed, TODAY) == normal(typed) == "11010519491231002X"


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("", "form"),
        ("1101051949123100", "form"),
        ("110105491231002", "form"),  # fifteen digits, void since 2013
        ("11010519491231002XX", "form"),
        ("1101051949123100٢X", "form"),  # a digit, but not one of ours
        (full("00010519491231002"), "place"),
        (full("16010519491231002"), "place"),
        (full("84010519491231002"), "place"),
        (full("99184019900101001"), "place"),
        (full("44052418800101001"), "birth"),
        (full("11010518991231001"), "birth"),
        (full("11010520261124001"), "birth"),  # tomorrow
        (full("11010520990101001"), "birth"),
        (full("11010520230229001"), "birth"),
        (full("11010520231301001"), "birth"),
        (full("11010500000101001"), "birth"),
        ("110105194912310021", "check_digit"),
    ],
)
def test_refusals_say_why(number: str, why: str) -> None:
    assert reason(number) == why


def test_never_issued_numbers_are_for_the_demo_only() -> None:
    number = full(f"{DEMO_PREFIX}19900307001")
    assert checked(number, TODAY, demo=True) == number
    assert reason(number) == "place"
    assert reason(number[:-1] + ("0" if number[-1] != "0" else "1"), demo=True) == "check_digit"


numbers = st.builds(
    lambda day, order: full(f"371525{day:%Y%m%d}{order:03d}"),
    st.dates(date(1900, 1, 1), TODAY),
    st.integers(0, 999),
)


@given(numbers, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_every_single_slip_of_the_pen_is_noticed(number: str, at: int, other: str) -> None:
    wrong = number[:at] + other + number[at + 1 :]
    if wrong != number:
        reason(wrong)


@given(numbers, st.integers(0, 16))
def test_every_swap_of_neighbours_is_noticed(number: str, at: int) -> None:
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    if swapped != number:
        reason(swapped)


@given(numbers)
def test_a_mask_keeps_three_and_four(number: str) -> None:
    shown = masked(number)
    assert (len(shown), shown[:3], shown[3:14], shown[14:]) == (18, number[:3], "*" * 11, number[14:])


@given(st.text("0123456789X", max_size=40).filter(lambda text: len(text) != 18))
def test_a_mistyped_number_shows_three_at_most(text: str) -> None:
    assert masked(text) == text[:3] + "*" * len(text[3:])


def test_a_form_is_told_from_a_login() -> None:
    assert looks_like("110105194912310021")
    assert not looks_like("12345678")
    assert not looks_like("teacher")
