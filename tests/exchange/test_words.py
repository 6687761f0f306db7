"""A ledger says the same in both languages: as many columns and lines, the same blanks, nothing of the other one."""

import re
from dataclasses import fields

import pytest

from server.attendance.minutes import Reason
from server.exchange.words import CHINESE, ENGLISH, WORDS, Language, Words

HAN = re.compile(r"[\u3400-\u9fff\u3000-\u303f\uff00-\uffef]")


def texts(words: Words) -> list[str]:
    """Every text of a language."""
    found = []
    for one in fields(words):
        value = getattr(words, one.name)
        if isinstance(value, str):
            found.append(value)
        elif one.name != "wide":
            found += value.values() if hasattr(value, "values") else value
    return [*found, *words.wide]


def test_both_say_as_much() -> None:
    assert set(WORDS) == set(Language)
    assert len(CHINESE.columns) == len(ENGLISH.columns) == len(set(ENGLISH.columns))
    for ours, theirs in zip(CHINESE.head, ENGLISH.head, strict=True):
        assert sorted(re.findall(r"\{\w+\}", ours)) == sorted(re.findall(r"\{\w+\}", theirs))


@pytest.mark.parametrize("words", WORDS.values())
def test_each_names_every_reason_and_knows_its_wide_columns(words: Words) -> None:
    assert words.reasons.keys() == set(Reason)
    assert words.wide.keys() <= set(words.columns)


def test_english_is_english() -> None:
    assert [text for text in texts(ENGLISH) if HAN.search(text)] == []
    assert [text for text in texts(CHINESE) if not HAN.search(text)] == []
