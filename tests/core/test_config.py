"""A bad setting is refused with its line."""

from pathlib import Path

import pytest

from server.core.config import Settings, load
from server.core.errors import DomainError


class Port(Settings):
    number: int = 1
    names: tuple[int, ...] = ()


class Whole(Settings):
    port: Port = Port()


def _load(tmp_path: Path, text: str, overrides: dict[str, dict[str, object]] | None = None) -> Whole:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    return load(file, Whole, overrides)


def test_an_empty_file_means_defaults_and_overrides_win(tmp_path: Path) -> None:
    assert _load(tmp_path, "# nothing\n") == Whole()
    assert _load(tmp_path, "port:\n  number: 2\n", {"port": {"number": 3}}).port.number == 3
    assert _load(tmp_path, "port:\n", {"port": {"number": 3}}).port.number == 3


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("port:\n  number: many\n", 2, "port.number"),
        ("# a\n\nport:\n  # b\n  nmber: 1\n", 5, "port.nmber"),
        ("prt: {}\n", 1, "prt"),
        ("port:\n  names:\n    - 1\n    - x\n", 4, "port.names.1"),
        ("port: 5\n", 1, "port"),
        ("- a\n", 1, ""),
    ],
)
def test_the_error_names_line_and_key(tmp_path: Path, text: str, line: int, key: str) -> None:
    with pytest.raises(DomainError, match="config_invalid") as refused:
        _load(tmp_path, text)
    assert (refused.value.data["line"], refused.value.data["key"]) == (line, key)
    assert refused.value.data["problem"]


def test_a_bad_value_of_the_command_line_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="config_invalid") as refused:
        _load(tmp_path, "port:\n  number: 1\n", {"port": {"number": "many"}})
    assert refused.value.data["file"] == "command line"
    assert "line" not in refused.value.data


def test_yaml_that_cannot_be_read_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="config_unreadable") as refused:
        _load(tmp_path, "port:\n  number: [1\nx: 2\n")
    assert refused.value.data["line"] in (2, 3)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_missing_or_binary_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "config.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DomainError, match="config_unreadable") as refused:
        load(file, Whole)
    assert refused.value.data["file"] == "config.yaml"
