"""Nothing of the place where a file was written goes into the repository: no machine path, no secret, no registry."""

import re
from pathlib import Path

import pytest

from tests.house.repo import ROOT, files, read

MACHINE_PATH = re.compile(r"""(?<![\w.~$})\]-])/(?:home|root|Users|tmp|mnt|media/\w+/|opt)/\w""")
PRIVATE_KEY = re.compile(r"-{5}BEGIN [A-Z ]*PRIVATE KEY")
TOKEN = re.compile(
    r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|npm_\w{36}|pypi-[\w-]{50,}|sk-[\w-]{32,}|eyJ\w{20,}\.eyJ\w{20,})"
)
TEXTLESS = (".png", ".jpg", ".webp", ".ico", ".woff2", ".webm", ".mp4", ".ivf", ".opus", ".pdf")
LOCKS = ("requirements.lock", "requirements-dev.lock", ".ci/node.lock")


def findings(text: str) -> list[str]:
    """What in a text belongs to one machine or to nobody else."""
    here = [str(ROOT)] if len(ROOT.parts) > 2 else []  # a checkout right under / has too common a name
    found = [match[0] for pattern in (MACHINE_PATH, PRIVATE_KEY, TOKEN) for match in pattern.finditer(text)]
    return found + [path for path in here if path in text]


def test_nothing_of_this_machine_is_in_the_repository() -> None:
    found = {path: findings(read(path)) for path in files() if not path.endswith(TEXTLESS)}
    assert {path: what for path, what in found.items() if what} == {}


def test_locks_name_no_registry() -> None:
    assert [path for path in LOCKS if "://" in read(path)] == []
    assert '"resolved": "http' not in read("web/package-lock.json")
    assert "registry=" not in read("web/.npmrc")
    assert "index-url" not in read("pyproject.toml")


def test_nothing_big_or_made_is_in_the_repository() -> None:
    assert {path: size for path in files() if (size := (ROOT / path).stat().st_size) > 1_000_000} == {}
    made = ("data/", "build/", ".venv/", "web/dist/", "web/node_modules/")
    assert [path for path in files() if path.startswith(made)] == []


@pytest.mark.parametrize(
    "text",
    [
        "open('/" + "home/ann/x')",
        '"/' + "tmp/keshi.db" + '"',
        "-----BEGIN " + "EC PRIVATE KEY-----",
        "gh" + "p_" + "a" * 36,
        f"see {ROOT / 'server'}",
    ],
)
def test_the_rule_bites(text: str) -> None:
    assert findings(text) or len(ROOT.parts) <= 2


@pytest.mark.parametrize(
    "text", ["media/tmp/file", "{base}/home/", "/usr/share/fonts", "https://example.org/home/x", "./opt/x"]
)
def test_the_rule_leaves_other_paths_alone(text: str) -> None:
    assert findings(text) == []


def test_text_is_utf8_with_plain_line_ends() -> None:
    texts = [path for path in files() if not path.endswith(TEXTLESS)]
    assert [path for path in texts if b"\r\n" in Path(ROOT, path).read_bytes()] == []
