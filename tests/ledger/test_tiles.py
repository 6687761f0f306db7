"""The log's folder: grown in any steps it is the same, and it says which file is missing."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.ledger.tiles import TileFolder
from server.verify import tiles
from server.verify.tree import Refused, leaf_hash, range_hash, root


def leaf(number: int) -> bytes:
    return number.to_bytes(4, "big") * (number % 5)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=6))
def test_grown_in_any_steps_it_proves_the_same_root(tmp_path_factory: pytest.TempPathFactory, steps: list[int]) -> None:
    folder, size = TileFolder(tmp_path_factory.mktemp("log")), 0
    for step in steps:
        folder.grow(size, [leaf(number) for number in range(size, size + step)])
        size += step
        assert range_hash(folder.tree(size).node, 0, size) == root(leaf_hash(leaf(number)) for number in range(size))
    for index, width in tiles.widths(size, 0):
        kept = tiles.entries(folder.fetch(tiles.path("entries", index, width)), width)
        assert kept == [leaf(number) for number in range(index * 256, index * 256 + width)]


def test_growing_again_changes_nothing(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path)
    for _ in range(2):
        folder.grow(0, [leaf(number) for number in range(300)])
        folder.grow(255, [leaf(number) for number in range(255, 300)])
    assert range_hash(folder.tree(300).node, 0, 300) == root(leaf_hash(leaf(number)) for number in range(300))


@pytest.mark.parametrize("lost", ["tile/0/000.p/3", "tile/entries/000.p/3"])
def test_a_file_that_is_missing_is_named(tmp_path: Path, lost: str) -> None:
    folder = TileFolder(tmp_path)
    folder.grow(0, [leaf(number) for number in range(3)])
    (tmp_path / lost).unlink()
    with pytest.raises(Refused, match="is missing"):
        folder.grow(3, [leaf(3)])


def test_parts_go_when_their_tile_is_whole_and_can_still_be_asked_for(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path)
    for number in range(300):
        folder.grow(number, [leaf(number)])
    kept = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert [name for name in kept if "000.p/" in name and "/1/" not in name] == []
    assert range_hash(folder.tree(200).node, 0, 200) == root(leaf_hash(leaf(number)) for number in range(200))
    part = folder.fetch(tiles.path("entries", 0, 200))
    assert tiles.entries(part, 200) == [leaf(number) for number in range(200)]
    with pytest.raises(KeyError):
        folder.fetch(tiles.path(0, 2, 7))


def test_what_is_published(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path)
    assert folder.said() is None
    folder.say("one\n")
    folder.say("two\n")
    assert folder.said() == "two\n"
    assert [path.name for path in tmp_path.iterdir()] == [tiles.CHECKPOINT]
