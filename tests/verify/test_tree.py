"""Proofs of RFC 6962 trees: the transparency-dev vectors, every small tree, and a tree that anybody can compute."""

import hashlib
import json
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.verify.tree import (
    EMPTY,
    Frontier,
    Refused,
    check_consistency,
    check_inclusion,
    leaf_hash,
    node_hash,
    nodes,
    prove_consistency,
    prove_inclusion,
    range_hash,
    root,
)

VECTORS = Path(__file__).parent / "vectors"
MOST = 40


def plain_root(leaves: Sequence[bytes]) -> bytes:
    """MTH as RFC 6962 2.1 writes it, without any of our code."""
    if len(leaves) < 2:
        return hashlib.sha256(b"\0" + leaves[0] if leaves else b"").digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + plain_root(leaves[:split]) + plain_root(leaves[split:])).digest()


def leaves(size: int) -> list[bytes]:
    return [bytes([number]) for number in range(size)]


def raw(text: str | None) -> bytes:
    return b64decode(text or "")


def check_vector(folder: str, vector: dict[str, Any]) -> None:
    proof = [raw(one) for one in vector["proof"] or ()]
    if folder == "inclusion":
        size, index = vector["treeSize"], vector["leafIdx"]
        check_inclusion(raw(vector["leafHash"]), index, size, proof, raw(vector["root"]))
    else:
        roots = raw(vector["root1"]), raw(vector["root2"])
        check_consistency(vector["size1"], vector["size2"], proof, *roots)


@pytest.mark.parametrize(("folder", "count"), [("inclusion", 98), ("consistency", 98)])
def test_agrees_with_the_transparency_dev_vectors(folder: str, count: int) -> None:
    paths = sorted((VECTORS / folder).rglob("*.json"))
    wrong = []
    for path in paths:
        vector = json.loads(path.read_text())
        try:
            check_vector(folder, vector)
            accepted = True
        except Refused:
            accepted = False
        if accepted == bool(vector["wantErr"]):
            wrong.append(path.name)
    assert wrong == []
    assert len(paths) == count


def test_the_empty_tree_and_one_leaf() -> None:
    assert root(()) == EMPTY == hashlib.sha256(b"").digest()
    assert root([leaf_hash(b"a")]) == hashlib.sha256(b"\0a").digest()


@pytest.mark.parametrize("size", range(MOST))
def test_roots_are_those_of_the_rfc(size: int) -> None:
    hashes = [leaf_hash(one) for one in leaves(size)]
    assert root(hashes) == plain_root(leaves(size)) == range_hash(nodes(hashes), 0, size)


@pytest.mark.parametrize("size", range(1, MOST))
def test_each_leaf_is_proven_at_its_place_and_nowhere_else(size: int) -> None:
    hashes = [leaf_hash(one) for one in leaves(size)]
    head = root(hashes)
    for index in range(size):
        proof = prove_inclusion(nodes(hashes), index, size)
        check_inclusion(hashes[index], index, size, proof, head)
        for other in set(range(size)) - {index}:
            with pytest.raises(Refused):
                check_inclusion(hashes[index], other, size, proof, head)


@pytest.mark.parametrize("size", range(1, MOST))
def test_each_beginning_is_proven_and_no_other(size: int) -> None:
    hashes = [leaf_hash(one) for one in leaves(size)]
    head = root(hashes)
    for old in range(1, size + 1):
        proof = prove_consistency(nodes(hashes), old, size)
        check_consistency(old, size, proof, root(hashes[:old]), head)
        with pytest.raises(Refused):
            check_consistency(old, size, proof, root([*hashes[: old - 1], leaf_hash(b"other")]), head)


@given(st.integers(1, 300), st.data())
def test_every_flipped_bit_of_a_proof_is_refused(size: int, data: st.DataObject) -> None:
    hashes = [leaf_hash(number.to_bytes(2, "big")) for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    proof = prove_inclusion(nodes(hashes), index, size)
    parts = [hashes[index], *proof, root(hashes)]
    which, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[which] = (int.from_bytes(parts[which], "big") ^ 1 << bit).to_bytes(32, "big")
    with pytest.raises(Refused):
        check_inclusion(parts[0], index, size, parts[1:-1], parts[-1])


@given(st.integers(0, 300), st.integers(0, 50))
def test_a_frontier_grows_from_what_was_kept_of_it(size: int, more: int) -> None:
    hashes = [leaf_hash(number.to_bytes(2, "big")) for number in range(size + more)]
    kept = Frontier()
    for hashed in hashes[:size]:
        kept.add(hashed)
    again = Frontier(kept.size, kept.hashes)
    for hashed in hashes[size:]:
        again.add(hashed)
    assert again.root() == root(hashes)


def test_a_frontier_needs_a_hash_for_each_bit_of_its_size() -> None:
    with pytest.raises(Refused):
        Frontier(3, [EMPTY])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(Refused):
        prove_inclusion(nodes([]), index, size)


@pytest.mark.parametrize(("old", "size"), [(-1, 3), (4, 3)])
def test_a_tree_only_grows(old: int, size: int) -> None:
    with pytest.raises(Refused, match="only grows"):
        prove_consistency(nodes([]), old, size)
    with pytest.raises(Refused, match="only grows"):
        check_consistency(old, size, [EMPTY], EMPTY, EMPTY)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_hash_has_32_bytes(length: int) -> None:
    with pytest.raises(Refused, match="32 bytes"):
        check_inclusion(bytes(length), 0, 1, [], bytes(length))
    with pytest.raises(Refused, match="32 bytes"):
        check_consistency(1, 2, [bytes(length)], EMPTY, EMPTY)


def test_no_byte_moves_from_one_hash_to_its_neighbour() -> None:
    """The bytes behind each other are the same, and so would be the root."""
    left, right = leaf_hash(b"left"), leaf_hash(b"right")
    head = node_hash(left, right)
    check_inclusion(left, 0, 2, [right], head)
    check_consistency(1, 2, [right], left, head)
    with pytest.raises(Refused, match="32 bytes"):
        check_inclusion(left + right[:1], 0, 2, [right[1:]], head)
    with pytest.raises(Refused, match="32 bytes"):
        check_consistency(1, 2, [right[1:]], left + right[:1], head)


def test_a_proof_has_exactly_the_length_that_it_must_have() -> None:
    one, two = leaf_hash(b"one"), leaf_hash(b"two")
    for proof, wrong in (([], "too short"), ([two, two], "too long")):
        with pytest.raises(Refused, match=wrong):
            check_inclusion(one, 0, 2, proof, node_hash(one, two))
        with pytest.raises(Refused, match=wrong):
            check_consistency(1, 2, proof, one, node_hash(one, two))


def test_a_node_is_hashed_apart_from_a_leaf() -> None:
    assert node_hash(EMPTY, EMPTY) == hashlib.sha256(b"\1" + EMPTY + EMPTY).digest() != leaf_hash(EMPTY + EMPTY)


def test_nodes_are_the_perfect_subtrees() -> None:
    hashes = [leaf_hash(bytes([at])) for at in range(13)]
    node = nodes(hashes)
    for level in range(4):
        for index in range(len(hashes) >> level):
            assert node(level, index) == root(hashes[index << level : (index + 1) << level])


def test_any_leaves_behind_each_other_have_a_hash() -> None:
    hashes = [leaf_hash(one) for one in leaves(13)]
    for begin in range(14):
        for end in range(begin, 14):
            assert range_hash(nodes(hashes), begin, end) == plain_root(leaves(13)[begin:end])


def test_a_tree_is_its_own_beginning_and_the_empty_one_has_one_root() -> None:
    other = leaf_hash(b"other")
    check_consistency(0, 0, [], EMPTY, EMPTY)
    check_consistency(5, 5, [], other, other)
    for size, proof, old_root in ((0, [], other), (5, [], EMPTY), (5, [other], other)):
        with pytest.raises(Refused):
            check_consistency(size, size, proof, old_root, other)


def test_nothing_is_said_of_an_empty_tree_and_of_the_same_one() -> None:
    node = nodes([leaf_hash(bytes([at])) for at in range(5)])
    assert (prove_consistency(node, 0, 5), prove_consistency(node, 5, 5)) == ([], [])
    assert prove_consistency(nodes([]), 0, 0) == []
