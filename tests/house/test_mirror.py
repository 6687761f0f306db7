"""Every source of the server and of media has its test beside it in the mirrored tree, or a reason here why not."""

from pathlib import PurePosixPath

import pytest

from tests.house.repo import Source, files, sources

# Path → why no test file bears its name. A reason names where it is tested instead.
TESTED_ELSEWHERE: dict[str, str] = {
    "server/__main__.py": "tests/test_commands.py runs it as a person does",
    "server/attendance/api.py": "tests/attendance/test_views.py and tests/live/test_api.py speak to it",
    "server/attendance/challenges/api.py": "tests/attendance/challenges/test_page.py speaks to it",
    "server/attendance/challenges/lesson.py": "tests/attendance/challenges/test_trouble.py sees what it keeps",
    "server/attendance/challenges/provider.py": "a port; tests/attendance/challenges/scripted.py is its adapter",
    "server/attendance/corrections/api.py": "tests/attendance/corrections/test_service.py speaks to it",
    "server/attendance/records_erased.py": "tests/oversight/test_retention.py counts the rows of each table",
    "server/attendance/settlements/api.py": "tests/attendance/settlements/test_service.py speaks to it",
    "server/attendance/settlements/records.py": "tests/attendance/settlements/test_service.py writes to it",
    "server/attendance/settlements/audit.py": "tests/attendance/settlements/test_service.py sees what it finds",
    "server/attendance/settlements/counting.py": "tests/attendance/settlements/test_service.py counts by it",
    "server/core/cluster/owners.py": "a port and its adapter for one process, which all tests of attendance use",
    "server/core/cluster/records.py": "tests/core/cluster/test_member.py writes and reads its rows",
    "server/verify/look.py": "tests/verify/test_check.py and those beside it see what it finds",
    "server/several.py": "tests/cluster runs it between two servers",
    "server/ledger/records.py": "tests/ledger/test_service.py writes and reads its rows",
    "server/live/acts/question_forms.py": "tests/live/acts/test_questions.py says each of them",
    "server/core/files/lowered.py": "tests/core/files/test_pages.py sees programs end by it",
    "server/live/acts/port.py": "what every activity is made of; their tests go through it",
    "server/live/acts/records.py": "tests/live/acts/test_log.py writes and reads its rows",
    "server/core/files/rules.py": "what the program and who begins it agree on; tests/core/files/test_pages.py",
    "server/live/files/api.py": "tests/live/files/test_service.py speaks to it",
    "server/live/files/records.py": "tests/live/files/test_service.py writes and reads its rows",
    "server/live/records.py": "tests/live/test_service.py restarts from it",
    "server/oversight/api.py": "tests/oversight/test_service.py speaks to it",
    "server/oversight/records.py": "tests/oversight/test_service.py reads what it wrote",
    "server/verify/report.py": "what tests/verify/test_check.py asks of every check",
    "server/oversight/records_retention.py": "tests/oversight/test_retention.py writes and reads its rows",
}


def homes(path: str) -> list[str]:
    """Beginnings of the test files that may hold the tests of this source.

    server/attendance/credit.py → tests/attendance/test_credit; the files of a nested package may also share
    one: server/core/wire/rest.py → tests/core/test_wire.
    """
    parts = PurePosixPath(path).with_suffix("").parts
    *folder, stem = parts[1:] if parts[0] == "server" else parts
    stem = stem.strip("_")
    nested = len(folder) > 1
    own = "/".join(["tests", *folder, f"test_{stem}"])
    return [own, "/".join(["tests", *folder[:-1], f"test_{folder[-1]}"])] if nested else [own]


def has_test(path: str, tests: set[str]) -> bool:
    """Whether one of its homes exists: test_credit.py, or parts of it as test_credit_edges.py."""
    return any(test == f"{home}.py" or test.startswith(f"{home}_") for home in homes(path) for test in tests)


def has_code(source: Source) -> bool:
    """A docstring alone needs no test; an __init__ only wires its capability, which all tests of it go through."""
    return len(source.tree.body) > 1 and not source.path.endswith("/__init__.py")


def untested() -> set[str]:
    tests = {path for path in files() if path.startswith("tests/") and path.endswith(".py")}
    return {
        source.path for source in sources("server", "media") if has_code(source) and not has_test(source.path, tests)
    }


def test_every_source_has_its_test() -> None:
    assert untested() - TESTED_ELSEWHERE.keys() == set()


def test_the_list_of_exceptions_is_not_stale() -> None:
    assert TESTED_ELSEWHERE.keys() - untested() == set()


@pytest.mark.parametrize(
    ("path", "test"),
    [
        ("server/attendance/credit.py", "tests/attendance/test_credit.py"),
        ("server/attendance/credit.py", "tests/attendance/test_credit_edges.py"),
        ("server/core/wire/rest.py", "tests/core/test_wire.py"),
        ("server/core/wire/rest.py", "tests/core/wire/test_rest.py"),
        ("server/app.py", "tests/test_app.py"),
        ("server/__main__.py", "tests/test_main.py"),
        ("media/room.py", "tests/media/test_room.py"),
    ],
)
def test_a_source_finds_its_test(path: str, test: str) -> None:
    assert has_test(path, {test})


@pytest.mark.parametrize(
    "test", ["tests/live/test_credit.py", "tests/attendance/test_creditor.py", "tests/attendance/credit.py"]
)
def test_the_rule_bites(test: str) -> None:
    assert not has_test("server/attendance/credit.py", {test})
