"""Import rules that look at names and files: SQLAlchemy, the inside of aiortc, the offline verifier."""

import ast
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

import pytest

from tests.house.repo import Source, sources

DATABASE_HOME = "server/core/database/"
SEAM = "media/seam.py"
PACKET_LIBRARIES = {"aiortc", "aioice", "pylibsrtp"}


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything imported, `from a import b` as a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def stray_sql(path: str, name: str) -> bool:
    """SQLAlchemy outside a capability's records and core/database."""
    place = PurePosixPath(path)
    at_home = path.startswith(DATABASE_HOME) or place.stem.startswith("records") or place.parent.name == "records"
    return name.split(".")[0] in {"sqlalchemy", "aiosqlite", "asyncpg"} and not at_home


def private_packets(path: str, name: str) -> bool:
    """Private names of the packet libraries outside the seam; ruff's SLF001 sees the private attributes.

    The server does not touch these libraries at all: it speaks to media. Only the demo does, from the other
    side: its scripted people publish as a browser would.
    """
    first, *rest = name.split(".")
    public = not any(part.startswith("_") for part in rest)
    at_home = path == SEAM or (path.startswith(("media/", "server/demo/")) and public)
    return first in PACKET_LIBRARIES and not at_home


def nosy_verifier(path: str, name: str) -> bool:
    """The offline verifier must run where no server is: nothing of the house but itself."""
    ours = name.split(".")[0] in {"server", "media"}
    return path.startswith("server/verify/") and ours and not name.startswith("server.verify")


RULES: tuple[Callable[[str, str], bool], ...] = (stray_sql, private_packets, nosy_verifier)


def broken(source: Source) -> list[str]:
    found = list(imports(source.tree))
    return [
        f"{rule.__name__} {source.path}:{line} {name}"
        for line, name in found
        for rule in RULES
        if rule(source.path, name)
    ]


def test_names_are_imported_only_at_home() -> None:
    assert [found for source in sources("server", "media") for found in broken(source)] == []


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("server/accounts/service.py", "import sqlalchemy"),
        ("server/live/rules.py", "from sqlalchemy.ext.asyncio import AsyncEngine"),
        ("media/room.py", "from pylibsrtp import _binding"),
        ("server/live/lesson.py", "from aiortc import RTCPeerConnection"),
        ("server/verify/proofs.py", "from server.core.errors import DomainError"),
    ],
)
def test_each_rule_bites(path: str, code: str) -> None:
    assert len(broken(Source(path, code))) == 1


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("server/accounts/records.py", "import sqlalchemy as sa"),
        ("server/attendance/records_minutes.py", "import sqlalchemy as sa"),
        ("server/core/database/engines.py", "from sqlalchemy.ext.asyncio import AsyncEngine"),
        ("media/seam.py", "from pylibsrtp import _binding"),
        ("media/peer.py", "from aiortc.rtp import RtpPacket"),
        ("server/verify/proofs.py", "from server.verify.tree import root"),
    ],
)
def test_each_rule_knows_its_home(path: str, code: str) -> None:
    assert broken(Source(path, code)) == []
