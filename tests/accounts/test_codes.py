"""Secrets that nobody guesses, and codes that people can type."""

import pytest

from server.accounts import codes


def test_codes_are_grouped_and_have_no_look_alikes() -> None:
    made = {codes.new_code() for _ in range(200)}
    assert len(made) == 200
    for code in made:
        assert (len(code), code[5]) == (11, "-")
        assert set(code.replace("-", "")) <= set(codes.ALPHABET)
    assert not set("0O1IL2Z5S8B") & set(codes.ALPHABET)


def test_a_month_of_guesses_at_a_whole_class_hardly_finds_a_code() -> None:
    guesses, open_codes = 500 * 30 * 86_400, 50
    assert guesses * open_codes * 1_000 < len(codes.ALPHABET) ** codes.CODE_LENGTH


def test_a_trainee_s_login_is_eight_digits() -> None:
    for _ in range(200):
        login = codes.new_login()
        assert login.isdigit()
        assert len(login) == codes.LOGIN_DIGITS
        assert login[0] != "0"


def test_ids_and_tokens_differ() -> None:
    assert len({codes.new_id() for _ in range(50)} | {codes.new_token() for _ in range(50)}) == 100
    assert len(codes.new_id()) == 16


@pytest.mark.parametrize(
    "typed",
    ["Tok:ACDEF-GHJKM", "Tok:acdefghjkm", " Tok : acd efg hj-km ", "Tok:ＡＣＤＥＦ－ＧＨＪＫＭ", "Tok:ACDEF—GHJKM"],
)
def test_a_code_may_be_typed_carelessly(typed: str) -> None:
    assert codes.normal_secret(typed) == "Tok:ACDEFGHJKM"


def test_a_link_s_token_is_kept_as_it_is() -> None:
    assert codes.normal_secret(" aB-_c ") == "aB-_c"
    assert (codes.scope_of("tok:code"), codes.scope_of("token")) == ("tok", "")
