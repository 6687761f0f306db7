"""What is not documented does not exist: every route, command, push and code has its line, its type and its words."""

import ast
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from media.whip import STATUS
from server.app import House
from server.core.errors import CODES
from tests.house.repo import ROOT, read, sources
from tests.school import school
from tests.wire.world import key_of

#: told at the handshake of a socket, which no declaration covers
HANDSHAKE = {"too_many_connections"}
OPERATORS = "### At the start and on the command line"
CATALOGUE = ROOT / "web/src/ui/catalogue"
LANGUAGES = ("zh-CN", "en")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with school(tmp_path) as running:
        yield running.house


def _lines(text: str) -> set[str]:
    """What has a line of its own: the first cell of the tables."""
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def _reachable(house: House) -> frozenset[str]:
    return house.declarations.refusals | HANDSHAKE


def _words(language: str) -> set[str]:
    texts = "".join(file.read_text(encoding="utf-8") for file in CATALOGUE.glob(f"{language}*.ts"))
    return set(re.findall(r"'error\.(\w+)'", texts))


def _literals() -> Iterator[str]:
    for source in sources("server"):
        if source.path != "server/core/errors.py":
            yield from (
                node.value
                for node in ast.walk(source.tree)
                if isinstance(node, ast.Constant) and node.value.__class__ is str
            )


#: served by a demo alone
DEMO = {"POST /api/v1/demo/lesson", "POST /api/v1/demo/tamper.zip"}


def test_every_route_command_and_push_has_its_line(house: House) -> None:
    table, told = house.declarations, _lines(read("docs/protocol.md"))
    assert {key_of(route) for route in table.routes} - told == set()
    assert {command.event for command in table.commands} - told == set()
    assert {push.event for push in table.pushes} - told == set()


def test_no_line_is_about_what_is_gone(house: House) -> None:
    table = house.declarations
    known = {key_of(route) for route in table.routes} | {command.event for command in table.commands}
    known |= {push.event for push in table.pushes} | CODES.keys() | STATUS.keys() | DEMO
    assert _lines(read("docs/protocol.md")) - known == set()


def test_every_code_has_its_line_with_its_status(house: House) -> None:
    pages, _, operators = read("docs/protocol.md").partition(OPERATORS)
    lines = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", pages, re.MULTILINE))
    assert lines == {code: str(status) for code, status in {**CODES, **STATUS}.items() if code in lines}
    assert STATUS.keys() - lines.keys() == set()
    assert _reachable(house) - lines.keys() == set()
    assert CODES.keys() - lines.keys() - set(re.findall(r"`(\w+)`", operators)) == set()


def test_every_code_that_a_page_may_get_has_words_in_both_languages(house: House) -> None:
    for language in LANGUAGES:
        assert _reachable(house) - _words(language) == set(), language


def test_every_code_is_raised_somewhere() -> None:
    assert CODES.keys() - set(_literals()) == set()


def test_every_route_command_push_and_code_has_its_type(house: House) -> None:
    table, types = house.declarations, read("web/src/wire/types.ts")
    names = (
        [key_of(route) for route in table.routes]
        + [one.event for one in table.commands]
        + [one.event for one in table.pushes]
    )
    assert [name for name in names if f"  '{name}': " not in types] == []
    (codes,) = re.findall(r"export type Code = (.*)", types)
    assert {code.strip(" '") for code in codes.split("|")} >= _reachable(house) - HANDSHAKE
