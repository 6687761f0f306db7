"""A log as files: paths of the specification, proofs out of tiles alone, and tiles that are missing or cut."""

import pytest

from server.verify import tiles
from server.verify.tree import (
    Refused,
    check_consistency,
    check_inclusion,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    range_hash,
    root,
)


def lay_out(leaves: list[bytes]) -> dict[str, bytes]:
    """The files of a log, level by level, straight from the specification."""
    files: dict[str, bytes] = {}
    hashes, level = [leaf_hash(one) for one in leaves], 0
    while hashes:
        for index, width in tiles.widths(len(leaves), level):
            files[tiles.path(level, index, width)] = b"".join(hashes[index * 256 : index * 256 + width])
        hashes = [root(hashes[at : at + 256]) for at in range(0, len(hashes) // 256 * 256, 256)]
        level += 1
    for index, width in tiles.widths(len(leaves), 0):
        files[tiles.path("entries", index, width)] = tiles.bundle(leaves[index * 256 : index * 256 + width])
    return files


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (1, 5, 1, "tile/1/005.p/1"),
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        ("entries", 999, 255, "tile/entries/999.p/255"),
        ("entries", 1000, 256, "tile/entries/x001/000"),
    ],
)
def test_paths_are_those_of_the_specification(level: int | str, index: int, width: int, path: str) -> None:
    assert tiles.path(level, index, width) == path


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700, 65_537])
def test_proofs_come_out_of_tiles_alone(size: int) -> None:
    leaves = [number.to_bytes(4, "big") for number in range(size)]
    hashes = [leaf_hash(one) for one in leaves]
    node = tiles.Tiles(size, lay_out(leaves).__getitem__).node
    head = root(hashes)
    assert range_hash(node, 0, size) == head
    for index in {0, size // 2, size - 1}:
        check_inclusion(hashes[index], index, size, prove_inclusion(node, index, size), head)
    for old in {1, size // 2 or 1, size}:
        check_consistency(old, size, prove_consistency(node, old, size), root(hashes[:old]), head)


def test_widths_of_a_level() -> None:
    assert list(tiles.widths(700, 0)) == [(0, 256), (1, 256), (2, 188)]
    assert list(tiles.widths(700, 1)) == [(0, 2)]
    assert list(tiles.widths(700, 2)) == []


def test_leaves_come_back_out_of_their_bundle() -> None:
    leaves = [b"", b"a", bytes(tiles.ENTRY_MOST)]
    assert tiles.entries(tiles.bundle(leaves), 3) == leaves


def test_a_leaf_that_is_too_long() -> None:
    with pytest.raises(Refused):
        tiles.bundle([bytes(tiles.ENTRY_MOST + 1)])


@pytest.mark.parametrize("cut", [1, 2, 3, 5])
def test_a_bundle_that_is_cut_off(cut: int) -> None:
    raw = tiles.bundle([b"abc", b"de"])
    with pytest.raises(Refused):
        tiles.entries(raw[:-cut], 2)


@pytest.mark.parametrize("width", [1, 3])
def test_a_bundle_of_another_width(width: int) -> None:
    with pytest.raises(Refused):
        tiles.entries(tiles.bundle([b"abc", b"de"]), width)


def test_a_tile_that_is_missing_is_named() -> None:
    with pytest.raises(Refused, match=r"tile/0/000\.p/3"):
        tiles.Tiles(3, dict[str, bytes]().__getitem__).node(0, 0)


@pytest.mark.parametrize("length", [0, 64, 95, 97, 128])
def test_a_tile_of_another_size_is_named(length: int) -> None:
    with pytest.raises(Refused, match=r"tile/0/000\.p/3"):
        tiles.Tiles(3, {"tile/0/000.p/3": bytes(length)}.__getitem__).node(0, 0)


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 513, 1000, 1300])
def test_the_summit_is_the_root(size: int) -> None:
    hashes = [leaf_hash(number.to_bytes(4, "big")) for number in range(size)]
    whole = size // 256 * 256
    above = b"".join(root(hashes[at : at + 256]) for at in range(0, whole, 256))
    assert tiles.summit(above, b"".join(hashes[whole:])) == (size, root(hashes))


@pytest.mark.parametrize(("above", "rest"), [(b"x", b""), (b"", bytes(31)), (b"", bytes(32 * 256))])
def test_a_summit_that_is_cut_off(above: bytes, rest: bytes) -> None:
    with pytest.raises(Refused):
        tiles.summit(above, rest)
