"""How far work has come: said now and then and at the end, and in one line where somebody sits."""

import pytest

from server.verify.bundle import Bundle
from server.verify.check import check
from server.verify.progress import STEPS, for_people, quiet, shown, watched
from tests.verify.evidence import MINUTES, SmallClass


@pytest.mark.parametrize("count", [0, 1, 7, STEPS, 3 * STEPS + 1])
def test_it_is_said_now_and_then_and_at_the_end(count: int) -> None:
    said: list[tuple[int, int]] = []
    assert list(watched(range(count), lambda *at: said.append(at))) == list(range(count))
    assert said[-1:] == ([(count, count)] if count else [])
    assert len(said) <= STEPS + STEPS // 2 + 1


def test_one_line_on_a_terminal_and_nothing_elsewhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown(1, 2)
    shown(2, 2)
    assert capsys.readouterr().err == "\r1 / 2\r2 / 2\n"
    assert for_people() is quiet
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert for_people() is shown


async def test_a_package_is_looked_at_minute_by_minute(small: SmallClass) -> None:
    await small.attend()
    bundle: Bundle = await small.bundle()
    said: list[tuple[int, int]] = []
    assert check(bundle, progress=lambda *at: said.append(at)).consistent
    assert said[-1] == (MINUTES, MINUTES)
