"""The table and the file of `make bench` have the promised form."""

from tests.bench.__main__ import asked_for, modules, shown, table

FIGURE = {"name": "fanout.vs_relay", "value": 4.56789, "unit": "us", "peer": "decode and encode", "ratio": 120.0}


def test_a_figure_is_asked_for_by_its_name_or_its_group() -> None:
    assert asked_for(FIGURE, [])
    assert asked_for(FIGURE, ["fanout"])
    assert asked_for(FIGURE, ["beat.us", "fanout.vs_relay"])
    assert not asked_for(FIGURE, ["fanout.vs"])


def test_numbers_keep_four_digits_and_nothing_is_a_dash() -> None:
    assert [shown(value) for value in (4.56789, 12, None, 0.000123456)] == ["4.568", "12", "-", "0.0001235"]


def test_the_table_is_aligned() -> None:
    head, row, bare = table([FIGURE, FIGURE | {"name": "x", "peer": None, "ratio": None}]).splitlines()
    assert row.index("us", 20) == head.index("unit")
    assert row.endswith("120")
    assert bare.endswith("-")


def test_the_runner_does_not_measure_itself() -> None:
    assert "__main__" not in modules([])
