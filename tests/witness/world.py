"""A log that grows, and a witness of it."""

from pathlib import Path

from server.core.signing import FileSigner
from server.verify.notes import Checkpoint, Key, Kind, Note, encode, sign
from server.verify.tree import leaf_hash, nodes, prove_consistency, root
from server.witness.memory import Memory
from server.witness.service import Witness

ORIGIN = "keshi/0000000000000001"
AT_S = 1_788_000_000


class Log:
    """A log of small leaves; `other` makes another history from that size on."""

    def __init__(self, origin: str = ORIGIN, seed: int = 1, other: int | None = None) -> None:
        self.origin, self.signer = origin, FileSigner(bytes([seed]) * 32)
        self._other = other

    @property
    def key(self) -> Key:
        return Key(self.origin, Kind.LOG, self.signer.public)

    def note(self, size: int) -> str:
        text = str(Checkpoint(self.origin, size, root(self._hashes(size))))
        return str(Note(text, (sign(text, self.origin, self.signer),)))

    def proof(self, old: int, size: int) -> list[bytes]:
        return prove_consistency(nodes(self._hashes(size)), old, size)

    def ask(self, old: int, size: int) -> bytes:
        """The body of a request."""
        lines = [f"old {old}", *map(encode, self.proof(old, size))]
        return ("\n".join(lines) + "\n\n" + self.note(size)).encode()

    def _hashes(self, size: int) -> list[bytes]:
        forked = [b"x" if self._other is not None and at >= self._other else b"" for at in range(size)]
        return [leaf_hash(bytes([at % 256]) + mark) for at, mark in enumerate(forked)]


def witness(folder: Path, *logs: Log) -> Witness:
    """A witness of these logs."""
    return Witness("county", FileSigner(bytes(32)), [one.key for one in logs], Memory(folder), lambda: AT_S)
