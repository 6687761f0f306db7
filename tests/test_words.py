"""What the server says to people is there in both languages: refusals, the command line's help, the settings file."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from server.__main__ import REMEDIES, _parser
from server.core.errors import CODES
from server.upkeep import commands as upkeep

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = ROOT / "web" / "src" / "ui" / "catalogue"
HAN, LATIN = re.compile(r"[\u3400-\u9fff]"), re.compile(r"[A-Za-z]{2}")
ALL_REMEDIES = REMEDIES | upkeep.REMEDIES


def words(*files: str) -> set[str]:
    """The keys of a catalogue's files."""
    texts = ((CATALOGUE / file).read_text(encoding="utf-8") for file in files)
    return {key for text in texts for key in re.findall(r"^  '([\w.]+)':", text, re.MULTILINE)}


def helps(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """Every text of the help, with what it is about."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                yield choice.dest, choice.help or ""
            for name, made in action.choices.items():
                for what, text in helps(made):
                    yield f"{name} {what}", text
        elif not isinstance(action, argparse._HelpAction):
            yield str(action.option_strings or action.dest), action.help or ""


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_refusal_has_words(language: str) -> None:
    known = words(*(file.name for file in CATALOGUE.glob(f"{language}.*ts") if "check" not in file.name))
    shown = {code for code in CODES if f"error.{code}" in known}
    assert CODES.keys() - shown - ALL_REMEDIES.keys() == set(), "words in the catalogue, or a remedy"


def test_every_remedy_is_in_both_languages() -> None:
    for code, (chinese, *english) in ALL_REMEDIES.items():
        assert HAN.search(chinese), code
        assert english, code
        assert any(LATIN.search(line) and not HAN.search(line) for line in english), code


def test_the_help_is_in_both_languages() -> None:
    found = dict(helps(_parser()))
    assert len(found) > 15
    for what, text in found.items():
        assert HAN.search(text), what
        assert LATIN.search(text), what


def test_the_settings_are_told_in_both_languages() -> None:
    """Each setting of config.yaml stands under a comment that has Chinese and English in it."""
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    comment: list[str] = []
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            comment.append(line)
        elif re.match(r"  \w+:", line):
            assert not comment or (HAN.search(" ".join(comment)) and LATIN.search(" ".join(comment))), line
            comment = []
        elif not line.strip():
            comment = []
    assert isinstance(yaml.safe_load(text), dict)
