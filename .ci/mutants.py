"""Changes the rules that money depends on, one small thing at a time, and demands that a test notices each.

mutants.py [NAME] [--workers N]    NAME: a file below, the beginning of its path, or a mutant as it is printed

A mutant that no test can notice, because it is the same program, stands in tests/mutants.txt with its reason.

For each file a process imports whatever does not need it. Each mutant is a fork of that process, in which an import
hook gives the changed text in place of the file: nothing is written, nothing imported twice, and who imports a changed
constant sees it changed. Quick tests run first; Hypothesis draws the same examples every time, and shrinks nothing.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import importlib.util
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import CodeType, ModuleType

import hypothesis
import pytest
from changes import Mutant, mutants
from hypothesis import Phase
from system import ROOT

EXCUSED = ROOT / "tests" / "mutants.txt"
#: the rules of crediting, of hours and of the ledger, and the tests that own them
TARGETS = {
    "server/attendance/attention.py": "tests/attendance/test_attention_pure.py",
    "server/attendance/awake.py": "tests/attendance/test_awake.py",
    "server/attendance/book.py": "tests/attendance/test_book.py tests/attendance/test_book_pages.py",
    "server/attendance/challenges/counting.py": "tests/attendance/challenges/test_counting.py",
    "server/attendance/challenges/rules.py": "tests/attendance/challenges/test_rules.py",
    "server/attendance/corrections/rules.py": "tests/attendance/corrections/test_rules.py",
    "server/attendance/credit.py": "tests/attendance/test_credit.py tests/attendance/test_credit_clock.py",
    "server/attendance/hours.py": "tests/attendance/test_hours.py",
    "server/attendance/intervals.py": "tests/attendance/test_intervals.py",
    "server/attendance/lease.py": "tests/attendance/test_lease.py",
    "server/attendance/minutes.py": "tests/attendance/test_minutes.py",
    "server/attendance/recorded.py": "tests/attendance/test_recorded.py",
    "server/attendance/timeline.py": "tests/attendance/test_timeline.py",
    "server/core/turns.py": "tests/core/test_turns.py",
    "server/ledger/rules.py": "tests/ledger/test_rules.py",
    "server/verify/bulk.py": "tests/verify/test_bulk_pure.py",
    "server/verify/challenges.py": "tests/verify/test_challenges_pure.py",
    "server/verify/deleted.py": "tests/verify/test_deleted.py",
    "server/verify/formats.py": "tests/verify/test_formats.py",
    "server/verify/hours.py": "tests/verify/test_hours.py",
    "server/verify/identity.py": "tests/verify/test_identity.py",
    "server/verify/minutes.py": "tests/verify/test_minutes.py",
    "server/verify/once.py": "tests/verify/test_once_pure.py",
    "server/verify/schedule.py": "tests/verify/test_schedule.py",
    "server/verify/seats.py": "tests/verify/test_seats_pure.py",
    "server/verify/sheets.py": "tests/verify/test_sheets.py",
    "server/verify/texts.py": "tests/verify/test_texts.py",
    "server/verify/tree.py": "tests/verify/test_tree.py",
    "server/verify/vouched.py": "tests/verify/test_vouched.py",
    "server/verify/walk.py": "tests/verify/test_walk_pure.py",
    "server/verify/witnessed.py": "tests/verify/test_witnessed_pure.py",
}
FORK = multiprocessing.get_context("fork")
#: tests of rules need no conftest
OPTIONS = ("-q", "-x", "--noconftest", "--assert=plain", "--hypothesis-profile=mutants")
#: of processor time, of a run without any change; a mutant may take this plus three times as much as such a run
LIMIT_S, MORE_S = 300, 3
#: a mutant that waits for ever, without work
LONGEST_S = 1_800
MOST_MEMORY = 8 << 30
PASSED = 0


def excused() -> dict[str, str]:
    """The mutants that are the same program, with the reason."""
    lines = EXCUSED.read_text(encoding="utf-8").splitlines()
    known = [line.partition("  # ") for line in lines if line and not line.startswith("#")]
    return {name: reason for name, _, reason in known}


# ---- a process in which all is ready but the file and what needs it


class Changed(SourceFileLoader):
    """Loads the file as if it read otherwise."""

    def __init__(self, name: str, path: Path, text: str) -> None:
        super().__init__(name, str(path))
        self.text = text

    def get_code(self, _fullname: str) -> CodeType:
        code: CodeType = compile(self.text, self.path, "exec", dont_inherit=True)
        return code


class Hook(MetaPathFinder):
    """Withholds one module until it has a text."""

    def __init__(self, file: str) -> None:
        self.file, self.name = file, _module(file)
        self.text: str | None = None

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        if self.text is None:
            raise ImportError(f"{fullname} is withheld")
        path = ROOT / self.file
        return importlib.util.spec_from_file_location(fullname, path, loader=Changed(fullname, path, self.text))


class Watch:
    """pytest's plugin: the quickest tests first; remembers how long each took."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self.seconds.get(item.nodeid, 0.0))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration


class House:
    """The process of one file: forks one child for each mutant."""

    def __init__(self, file: str, scratch: Path) -> None:
        self.hook, self.seconds = Hook(file), dict[str, float]()
        self.arguments = [*OPTIONS, "-o", f"cache_dir={scratch}", *TARGETS[file].split()]
        self.log, self.original = scratch / "log", (ROOT / file).read_text(encoding="utf-8")
        sys.meta_path.insert(0, self.hook)
        needed, _, _ = self._asked("--collect-only")
        for name in needed:
            _ready(name)
        gc.freeze()  # the children need not look at all this again
        _, self.seconds, self.cpu_s = self._asked()

    def _asked(self, *options: str) -> tuple[list[str], dict[str, float], float]:
        """What a run without any change imports, how long its tests take, and how much of a processor in all."""
        here, there = FORK.Pipe(duplex=False)
        child = self.fork(self.original, LIMIT_S, options, there)
        there.close()
        try:
            told: tuple[list[str], dict[str, float], float] = here.recv()
        except EOFError:
            raise SystemExit(f"{self.log.read_text()}\nthese tests fail without any mutant") from None
        finally:
            child.join()
        return told

    def fork(
        self, text: str, limit_s: float, options: Sequence[str] = (), tell: Connection | None = None
    ) -> ForkProcess:
        """Runs the tests with that text in place of the file; the exit code is pytest's."""
        child = FORK.Process(target=self._run, args=(text, limit_s, options, tell))
        child.start()
        return child

    def _run(self, text: str, limit_s: float, options: Sequence[str], tell: Connection | None) -> None:
        self.hook.text = text
        hypothesis.settings.register_profile(
            "mutants", deadline=None, derandomize=True, database=None, phases=(Phase.explicit, Phase.generate)
        )
        resource.setrlimit(resource.RLIMIT_CPU, (round(limit_s), round(limit_s) + 1))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        log = os.open(self.log if tell else os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        code = int(pytest.main([*self.arguments, *options], [Watch(self.seconds)]))
        if tell and code == PASSED:
            tell.send((sorted(sys.modules), self.seconds, time.process_time()))
        sys.exit(code)


def _module(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


def _ready(name: str) -> None:
    """Imports a module unless it needs the file; of a folder whose door needs it, the door is left out."""
    if name in sys.modules or name == "__main__" or name.rpartition(".")[2].startswith(("test_", "conftest")):
        return
    try:
        importlib.import_module(name)
    except ImportError:
        folder = ROOT / name.replace(".", "/")
        if folder.is_dir():
            bare = sys.modules[name] = ModuleType(name)
            bare.__path__ = [str(folder)]


# ---- what becomes of the mutants


def fates(house: House, work: Sequence[Mutant], workers: int) -> Iterator[tuple[Mutant, bool]]:
    """Each mutant and whether a test noticed it; one that never ends is noticed."""
    limit_s, waiting = MORE_S + 3 * house.cpu_s, list(reversed(work))
    running: dict[int, tuple[ForkProcess, Mutant, float]] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            mutant = waiting.pop()
            child = house.fork(mutant.text, limit_s, ("--tb=no",))
            running[child.sentinel] = child, mutant, time.monotonic() + LONGEST_S
        wait(list(running), timeout=1)
        for sentinel, (child, mutant, until) in list(running.items()):
            if child.is_alive() and time.monotonic() > until:
                child.kill()
                child.join()
            if not child.is_alive():
                del running[sentinel]
                yield mutant, child.exitcode != PASSED


def judge(file: str, wanted: argparse.Namespace, scratch: Path, tell: Connection) -> None:
    """Says what is to look at of one file, and tells how many mutants it has, are excused, and are to look at."""
    began, work = time.monotonic(), [one for one in mutants(file) if one.name.startswith(wanted.name)]
    known = {name for name in excused() if name.startswith(f"{file} ") and name.startswith(wanted.name)}
    absent, survived, needless = known - {one.name for one in work}, 0, 0
    for name in sorted(absent):
        print(f"excused, but there is no such mutant: {name}", flush=True)
    for mutant, noticed in fates(House(file, scratch), work, wanted.workers):
        if noticed is (mutant.name in known):
            survived, needless = survived + (not noticed), needless + noticed
            print(f"{'excused, but a test notices it' if noticed else 'survived'}: {mutant.name}", flush=True)
    killed = len(work) - survived - len(known) + len(absent) + needless
    outcome = f"{len(work)} mutants, {killed} killed, {len(known)} excused, {survived} survived"
    print(f"{file}: {outcome}, {time.monotonic() - began:.0f} s", flush=True)
    tell.send((len(work), len(known), len(absent) + survived + needless))


def of_file(file: str, wanted: argparse.Namespace, scratch: Path) -> tuple[int, int, int]:
    """What `judge` tells, in a process of its own."""
    here, there = FORK.Pipe(duplex=False)
    child = FORK.Process(target=judge, args=(file, wanted, scratch, there))
    child.start()
    there.close()
    try:
        told: tuple[int, int, int] = here.recv()
    except EOFError:
        raise SystemExit(f"not done: {file}") from None
    finally:
        child.join()
    return told


def main(arguments: list[str]) -> int:
    """0 when every mutant is killed or excused, and every excuse is needed."""
    options = argparse.ArgumentParser(usage="mutants.py [NAME] [--workers N]")
    options.add_argument("name", nargs="?", default="")
    options.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    wanted = options.parse_args(arguments)
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    began, count, known, open_ = time.monotonic(), 0, 0, 0
    for file in (file for file in TARGETS if file.startswith(wanted.name) or wanted.name.startswith(f"{file} ")):
        with tempfile.TemporaryDirectory() as scratch:
            told = of_file(file, wanted, Path(scratch))
        count, known, open_ = count + told[0], known + told[1], open_ + told[2]
    print(f"{count} mutants, {known} excused, {open_} to look at, {time.monotonic() - began:.0f} s")
    return 1 if open_ or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
