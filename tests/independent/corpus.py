"""Logs as files: an honest one of two levels, and forgeries of it, each signed by a real key. Always the same bytes."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from server.core.signing import FileSigner
from server.ledger.keys import origin_of
from server.ledger.tiles import TileFolder
from server.verify import tiles
from server.verify.formats import Leaf
from server.verify.notes import Checkpoint, Key, Kind, Note, sign
from server.verify.tree import leaf_hash, root

OURS, OTHERS = FileSigner(b"o" * 32), FileSigner(b"x" * 32)
GENESIS = 29_800_000
SIZE, EARLIER = 300, 200


def key_of(signer: FileSigner) -> Key:
    """By what its notes are known."""
    return Key(origin_of(signer), Kind.LOG, signer.public)


def leaf(slot: int, credit_ms: int = 60_000) -> bytes:
    """A minute; its roots are made up."""
    return Leaf(slot, 0, 1, 1, credit_ms, leaf_hash(b"g"), bytes(32), (slot + 1) * 60_000 + 95_000, 0).pack()


def note_of(leaves: list[bytes], signer: FileSigner = OURS, **other: object) -> str:
    """A checkpoint of these leaves; `other` changes one of its lines."""
    values = {"origin": origin_of(signer), "size": len(leaves), "root": root(map(leaf_hash, leaves)), **other}
    text = str(Checkpoint(**values))  # type: ignore[arg-type]  # as they are named
    return str(Note(text, (sign(text, origin_of(signer), signer),)))


HONEST = [leaf(GENESIS + at) for at in range(SIZE)]
CHANGED = [leaf(GENESIS + at, 0 if at == 150 else 60_000) for at in range(SIZE)]


@dataclass(frozen=True)
class Forgery:
    """`leaves` as they are published and signed, then `spoil` changes files."""

    leaves: list[bytes]
    spoil: Callable[[Path], None] = lambda _folder: None
    signer: FileSigner = OURS


def lay_out(folder: Path, leaves: list[bytes], signer: FileSigner = OURS) -> Path:
    """Publish these leaves."""
    files = TileFolder(folder)
    files.grow(0, leaves)
    files.say(note_of(leaves, signer))
    return folder


def _flip(name: str, at: int) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        raw = bytearray((folder / name).read_bytes())
        raw[at] ^= 1
        (folder / name).write_bytes(raw)

    return spoil


def _note(**other: object) -> Callable[[Path], None]:
    return lambda folder: TileFolder(folder).say(note_of(HONEST, **other))  # type: ignore[arg-type]


def _cut(name: str, by: int) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).write_bytes((folder / name).read_bytes()[:-by])

    return spoil


def _gone(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _files_of(leaves: list[bytes]) -> Callable[[Path], None]:
    """Other files under an honest checkpoint."""

    def spoil(folder: Path) -> None:
        said = (folder / tiles.CHECKPOINT).read_bytes()
        shutil.rmtree(folder)
        lay_out(folder, leaves)
        (folder / tiles.CHECKPOINT).write_bytes(said)

    return spoil


FULL, PARTIAL = tiles.path(0, 0), tiles.path(0, 1, 44)
ENTRIES = tiles.path("entries", 0)
#: each of these must be refused, whoever looks, who saw the honest log at EARLIER leaves
FORGERIES = {
    "a leaf was changed, nothing signed anew": Forgery(HONEST, _flip(ENTRIES, 4 * 100 + 30)),
    "a hash in a full tile": Forgery(HONEST, _flip(FULL, 32 * 7)),
    "a hash in the last tile": Forgery(HONEST, _flip(PARTIAL, 32 * 7)),
    "a hash in an upper tile": Forgery(HONEST, _flip(tiles.path(1, 0, 1), 3)),
    "a tile is cut off": Forgery(HONEST, _cut(PARTIAL, 32)),
    "leaves are cut off": Forgery(HONEST, _cut(ENTRIES, 100)),
    "a tile is missing": Forgery(HONEST, _gone(FULL)),
    "leaves are missing": Forgery(HONEST, _gone(ENTRIES)),
    "the root is another": Forgery(HONEST, _note(root=leaf_hash(b""))),
    "the size is one more": Forgery(HONEST, _note(size=SIZE + 1)),
    "the size is one less": Forgery(HONEST, _note(size=SIZE - 1)),
    "the signature is cut": Forgery(HONEST, _cut(tiles.CHECKPOINT, 8)),
    "the note's text was changed": Forgery(HONEST, _flip(tiles.CHECKPOINT, 30)),
    "another history under the honest note": Forgery(HONEST, _files_of(CHANGED)),
    "forked: another history, signed by the same key": Forgery(CHANGED),
    "rolled back: an earlier, honest state": Forgery(HONEST[: EARLIER - 1]),
    "rebuilt with a new key": Forgery(HONEST, signer=OTHERS),
    "rebuilt with a new key, changed": Forgery(CHANGED, signer=OTHERS),
    "back-dated: begun a day earlier, signed by the same key": Forgery(
        [leaf(GENESIS - 1440 + at) for at in range(SIZE)]
    ),
    "a minute is missing, the rest moved up": Forgery([*HONEST[:120], *HONEST[121:], leaf(GENESIS + SIZE)]),
    "two minutes are swapped": Forgery([*HONEST[:120], HONEST[121], HONEST[120], *HONEST[122:]]),
}


def forge(folder: Path, name: str) -> Path:
    """The files of a forgery."""
    forgery = FORGERIES[name]
    lay_out(folder, forgery.leaves, forgery.signer)
    forgery.spoil(folder)
    return folder
