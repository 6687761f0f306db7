"""Whoever does not trust our verifier has others: Go's own packages, and a library of somebody else."""

import os
import shutil
import subprocess
from pathlib import Path

import pymerkle  # type: ignore[import-untyped]  # it brings no types
import pytest

from server.verify.program import CHANGED, HOLDS, UNKNOWN, verify
from server.verify.tree import leaf_hash, nodes, prove_inclusion, root
from tests.independent.corpus import EARLIER, FORGERIES, HONEST, OURS, SIZE, forge, key_of, lay_out, note_of

SOURCE = Path(__file__).with_name("check.go")
#: where Debian keeps sources of Go packages
GOPATH = "/usr/share/gocode"


@pytest.fixture(scope="session")
def go_checker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program, built without any network."""
    go = shutil.which("go")
    assert go is not None, "make test installs it"
    folder = tmp_path_factory.mktemp("go")
    made = {"GOPATH": GOPATH, "GO111MODULE": "off", "GOCACHE": str(folder / "cache"), "GOFLAGS": "-p=2"}
    command = [go, "build", "-o", str(folder / "check"), str(SOURCE)]
    done = subprocess.run(command, env={**os.environ, **made}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "check"


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    """The note of the honest log at EARLIER leaves."""
    path = tmp_path / "seen.note"
    path.write_text(note_of(HONEST[:EARLIER]))
    return path


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    path = tmp_path / "keys.txt"
    path.write_text(f"{key_of(OURS)}\n")
    return path


def by_go(checker: Path, folder: Path, seen: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [checker, folder, str(key_of(OURS)), seen], capture_output=True, text=True, check=False, timeout=60
    )


def test_go_accepts_what_we_publish(go_checker: Path, tmp_path: Path, seen: Path) -> None:
    for size in (EARLIER, 255, 256, 257, SIZE):
        found = by_go(go_checker, lay_out(tmp_path / str(size), HONEST[:size]), seen)
        assert (found.returncode, found.stdout) == (0, f"ok {size}\n")


def test_so_do_we(tmp_path: Path, seen: Path, trust: Path) -> None:
    folder = lay_out(tmp_path / "log", HONEST)
    assert verify(folder, trust, seen)[0] == HOLDS
    code, lines = verify(folder, None)
    assert (code, "NOT authenticated" in lines[-1]) == (UNKNOWN, True)


#: Go's proofs need no upper tile while the log has two; whoever reads every tile sees it
BEYOND_GO = {"a hash in an upper tile"}


@pytest.mark.parametrize("name", FORGERIES)
def test_every_forgery_is_refused(name: str, go_checker: Path, tmp_path: Path, seen: Path, trust: Path) -> None:
    folder = forge(tmp_path / "log", name)
    code, lines = verify(folder, trust, seen)
    assert code == CHANGED, lines
    if name not in BEYOND_GO:
        found = by_go(go_checker, folder, seen)
        assert found.returncode == 1, found.stdout


def test_a_library_of_somebody_else_makes_the_same_roots_and_proofs() -> None:
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    hashes: list[bytes] = []
    for at in range(130):
        theirs.append_entry(HONEST[at])
        hashes.append(leaf_hash(HONEST[at]))
        assert theirs.get_root() == root(hashes)
        for index in {0, at // 3, at}:
            ours = prove_inclusion(nodes(hashes), index, at + 1)
            proof = theirs.prove_inclusion(index + 1)
            assert [bytes.fromhex(one) for one in proof.serialize()["path"]] == [hashes[index], *ours]
