"""Decides what secrets look like: tokens for browsers and links, short codes for printed slips."""

import secrets
import unicodedata
from typing import Final

TOKEN_BYTES: Final = 24
#: no 0 O, 1 I L, 2 Z, 5 S, 8 B: a printed code is read aloud and typed on a phone
ALPHABET: Final = "34679ACDEFGHJKMNPQRTUVWXY"
CODE_LENGTH: Final = 10
LOGIN_DIGITS: Final = 8


def new_id() -> str:
    """An id of sixteen hex digits."""
    return secrets.token_hex(8)


def new_token() -> str:
    """A secret of 192 bits for a cookie or a link."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def new_code() -> str:
    """A one-time code of a slip, `ACDEF-GHJKM`: 46 bits, which the limit on tries makes enough for its thirty days."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    return f"{code[:5]}-{code[5:]}"


def new_login() -> str:
    """A trainee's login: eight digits, which a phone types easily."""
    return str(secrets.randbelow(9 * 10 ** (LOGIN_DIGITS - 1)) + 10 ** (LOGIN_DIGITS - 1))


def scope_of(secret: str) -> str:
    """The part of an invitation's secret before the colon: a class's token, or "" for a link."""
    return secret.partition(":")[0] if ":" in secret else ""


def normal_secret(secret: str) -> str:
    """The one spelling of an invitation's secret: a code may be typed small, with any dash or none."""
    if ":" not in secret:
        return secret.strip()
    scope, _, code = secret.partition(":")
    letters = "".join(letter for letter in unicodedata.normalize("NFKC", code) if letter.isalnum()).upper()
    return f"{scope.strip()}:{letters}"
