"""Decides what a tree of hashes proves: RFC 6962 (section 2.1), the same at each of our three tiers. Pure.

Hashes are 32 bytes of SHA-256. Proofs are lists of hashes from the leaf towards the root, in the RFC's order.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final

HASH_BYTES: Final = 32
EMPTY: Final = sha256(b"").digest()

#: the hash of the perfect subtree of 2**level leaves that begins at leaf index * 2**level
Node = Callable[[int, int], bytes]


class Refused(ValueError):
    """A proof, note or file that proves nothing; `str` says what was wrong, in English."""


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that grows at its right edge and knows its root: one hash for each perfect subtree, largest first."""

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if len(self.hashes) != size.bit_count():
            raise Refused("a frontier has one hash for each bit of its size")

    def add(self, hashed: bytes) -> None:
        """Append the hash of one more leaf."""
        size = self.size
        while size & 1:
            hashed = node_hash(self.hashes.pop(), hashed)
            size >>= 1
        self.hashes.append(hashed)
        self.size += 1

    def root(self) -> bytes:
        """The tree's hash."""
        if not self.hashes:
            return EMPTY
        *rest, found = self.hashes
        for left in reversed(rest):
            found = node_hash(left, found)
        return found


def root(hashes: Iterable[bytes]) -> bytes:
    """The root over hashes of leaves: level by level, a last one without a neighbour goes up as it is.

    A copy of a hash that has begun, and two updates of it, cost less than to begin anew with all bytes in one.
    """
    level, begun = list(hashes), sha256(b"\x01").copy
    while len(level) > 1:
        above = []
        for left, right in zip(level[::2], level[1::2], strict=False):
            one = begun()
            one.update(left)
            one.update(right)
            above.append(one.digest())
        level = above + level[len(above) * 2 :]
    return level[0] if level else EMPTY


def range_hash(node: Node, begin: int, end: int) -> bytes:
    """MTH of the leaves begin..end-1, whichever; `node` knows the perfect subtrees."""
    size = end - begin
    if size <= 0:
        return EMPTY
    if size & (size - 1) == 0 and begin % size == 0:
        return node(size.bit_length() - 1, begin // size)
    split = 1 << ((size - 1).bit_length() - 1)
    return node_hash(range_hash(node, begin, begin + split), range_hash(node, begin + split, end))


def nodes(hashes: Sequence[bytes]) -> Node:
    """The perfect subtrees over hashes of leaves that are all at hand."""
    return lambda level, index: root(hashes[index << level : (index + 1) << level])


def prove_inclusion(node: Node, index: int, size: int) -> list[bytes]:
    """The audit path of a leaf in the tree of `size` leaves. Raises Refused when there is no such leaf."""
    if not 0 <= index < size:
        raise Refused("no such leaf")
    proof: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        split = begin + (1 << ((end - begin - 1).bit_length() - 1))
        if index < split:
            proof.append(range_hash(node, split, end))
            end = split
        else:
            proof.append(range_hash(node, begin, split))
            begin = split
    return proof[::-1]


def prove_consistency(node: Node, old: int, size: int) -> list[bytes]:
    """Why the tree of `old` leaves is the beginning of that of `size` leaves; empty for 0 and for the same size."""
    if not 0 <= old <= size:
        raise Refused("a tree only grows")
    if old in (0, size):
        return []
    proof: list[bytes] = []
    begin, end = 0, size
    while end != old:
        split = begin + (1 << ((end - begin - 1).bit_length() - 1))
        if old <= split:
            proof.append(range_hash(node, split, end))
            end = split
        else:
            proof.append(range_hash(node, begin, split))
            begin = split
    if begin:
        proof.append(range_hash(node, begin, end))
    return proof[::-1]


def check_inclusion(hashed: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> None:
    """The leaf of this hash stands at `index` of the tree with this root (RFC 9162, 2.1.3.2). Raises Refused."""
    if root_of_inclusion(hashed, index, size, proof) != expected:
        raise Refused("the path does not lead to the root")


def root_of_inclusion(hashed: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root to which a path leads. Raises Refused when it has not exactly the length that it must have."""
    if not 0 <= index < size:
        raise Refused("no such leaf")
    _check_hashes([hashed, *proof])
    at, last, found = index, size - 1, hashed
    for sibling in proof:
        if last == 0:
            raise Refused("the path is too long")
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise Refused("the path is too short")
    return found


def check_consistency(old: int, size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """The tree of `old` leaves is the beginning of that of `size` (RFC 9162, 2.1.4.2). Raises Refused."""
    if not 0 <= old <= size:
        raise Refused("a tree only grows")
    if old == size:
        _check_same(size, proof, old_root, new_root)
        return
    if old == 0:
        raise Refused("nothing is proven of an empty tree")
    _check_hashes([old_root, new_root, *proof])
    first, second = _roots_of_consistency(old, size, [old_root, *proof] if old & (old - 1) == 0 else proof)
    if first != old_root:
        raise Refused("the proof does not lead to the old root")
    if second != new_root:
        raise Refused("the proof does not lead to the new root")


def _check_same(size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    if proof:
        raise Refused("the proof is too long")
    if old_root != new_root or (size == 0 and new_root != EMPTY):
        raise Refused("the same size has another root")


def _roots_of_consistency(old: int, size: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The roots of both trees to which a path leads. Raises Refused when it has not exactly the length it must have."""
    if not path:
        raise Refused("the proof is too short")
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise Refused("the proof is too long")
        if at & 1 or at == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise Refused("the proof is too short")
    return first, second


def _check_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(one) != HASH_BYTES for one in hashes):
        raise Refused("a hash has 32 bytes")
