"""The doctor's words: each level has its maker, and the worst one is the exit status."""

from server.upkeep.finding import Level, broken, look, well


def test_levels_are_exit_statuses_and_ordered() -> None:
    found = [make("x", "中", "e").level for make in (well, look, broken)]
    assert [int(level) for level in found] == [0, 1, 2]
    assert max(found) is Level.BROKEN
