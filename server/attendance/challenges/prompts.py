"""随机互动核验: decides what a prompt challenge asks and which answer is right, from its 32 drawn bytes alone. Pure.

A code to type, or a small sum with four choices; which of them, the draw says. A code's last digit is its check digit
by Damm (2004): every single wrong digit and every two neighbours that changed places are noticed by the page before
anything is sent. The first four drawn bytes say when the challenge comes (verify/schedule) and are not used here.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

from server.attendance.challenges.provider import Prompt, Question

#: digits of a code, with the check digit
CODE_DIGITS: Final = 6
CHOICES: Final = 4
#: the terms of a sum: nobody needs paper
LEAST, MOST = 2, 9
#: Damm's quasigroup of order ten: its diagonal is zero, so what ends with its check digit comes out as zero
DAMM: Final = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


class Prompts:
    """The provider: asks and judges, keeps nothing."""

    async def prompt(self, question: Question) -> Prompt:
        """What is asked."""
        return prompt_of(question.drawn)

    async def judge(self, question: Question, answer: str) -> bool:
        """Whether the answer is right."""
        return is_right(question.drawn, answer)


def prompt_of(drawn: bytes) -> Prompt:
    """What these 32 bytes ask: `text` is the code, or the sum without its answer."""
    if drawn[4] % 2 == 0:
        return Prompt(code_of(drawn), kind="code")
    first, second = _terms(drawn)
    return Prompt(f"{first} + {second}", [str(one) for one in _choices(drawn)], "sum")


def is_right(drawn: bytes, answer: str) -> bool:
    """Whether an answer is right; blanks and full-width digits are as good as any."""
    said = "".join(unicodedata.normalize("NFKC", answer).split())
    return said == (code_of(drawn) if drawn[4] % 2 == 0 else str(sum(_terms(drawn))))


def code_of(drawn: bytes) -> str:
    """The code: its digits and their check digit."""
    width = CODE_DIGITS - 1
    digits = f"{int.from_bytes(drawn[8:16], 'big') % 10**width:0{width}}"
    return digits + str(check_digit(digits))


def check_digit(digits: Iterable[str]) -> int:
    """Damm's digit after these; 0 after digits that end with theirs."""
    interim = 0
    for digit in digits:
        interim = DAMM[interim][int(digit)]
    return interim


def _terms(drawn: bytes) -> tuple[int, int]:
    width = MOST - LEAST + 1
    return LEAST + drawn[5] % width, LEAST + drawn[6] % width


def _choices(drawn: bytes) -> list[int]:
    """The sum and three near it, smallest first: where the right one stands, the draw says."""
    least = sum(_terms(drawn)) - drawn[7] % CHOICES
    return [least + at for at in range(CHOICES)]
