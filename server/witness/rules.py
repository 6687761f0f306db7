"""Decides what a witness signs: the next state of a log that it knows, and never a second history of it. Pure.

https://c2sp.org/tlog-witness: `old N`, a proof of consistency, a blank line, the checkpoint as a signed note.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from server.verify.notes import Checkpoint, Key, Kind, Note, check_log, decode, read_checkpoint, read_note
from server.verify.tree import EMPTY, HASH_BYTES, Refused, check_consistency

REQUEST_BYTES: Final = 64 * 1024
#: a proof between any two trees of 2**63 leaves is not longer
PROOF_MOST: Final = 63
_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})")

MALFORMED, NOT_SIGNED, UNKNOWN_LOG, OTHER_SIZE, NO_PROOF = 400, 403, 404, 409, 422


class Declined(Exception):
    """The witness does not sign: an HTTP status of tlog-witness, and what is said with it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


@dataclass(frozen=True, slots=True)
class Ask:
    """What a log asks: `old` is the size up to which it believes that we know it."""

    old: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint


def read_ask(raw: bytes) -> Ask:
    """A request's body. Raises Declined 400."""
    try:
        head, blank, note = raw.decode().partition("\n\n")
        first, *lines = head.split("\n")
        old = _OLD.fullmatch(first)
        if not blank or old is None or len(lines) > PROOF_MOST:
            raise Refused("old SIZE, a proof, a blank line and a checkpoint are expected")
        proof = tuple(decode(line) for line in lines)
        if any(len(one) != HASH_BYTES for one in proof):
            raise Refused("a hash has 32 bytes")
        found = read_note(note)
        return Ask(int(old[1]), proof, found, read_checkpoint(found.text))
    except (Refused, UnicodeDecodeError) as error:
        raise Declined(MALFORMED, f"{error}\n") from error


def judge(ask: Ask, known: Checkpoint | None, keys: Iterable[Key]) -> None:
    """Whether the checkpoint follows what we know of its log (None: nothing yet). Raises Declined."""
    new, size = ask.checkpoint, known.size if known else 0
    ours = [key for key in keys if key.kind is Kind.LOG and key.name == new.origin]
    if not ours:
        raise Declined(UNKNOWN_LOG, "not a log of ours\n")
    if not _signed(ask.note, ours):
        raise Declined(NOT_SIGNED, "not signed by this log\n")
    if ask.old > new.size:
        raise Declined(MALFORMED, "a log only grows\n")
    if ask.old != size or (known is not None and new.size == size and new.root != known.root):
        raise Declined(OTHER_SIZE, f"{size}\n")
    _check_growth(ask, known)


def _signed(note: Note, keys: Iterable[Key]) -> bool:
    try:
        return bool(check_log(note, keys))
    except Refused:
        return False


def _check_growth(ask: Ask, known: Checkpoint | None) -> None:
    new = ask.checkpoint
    if ask.old == 0 or known is None:
        if ask.proof or (new.size == 0 and new.root != EMPTY):
            raise Declined(NO_PROOF, "nothing is proven of an empty tree\n")
        return
    try:
        check_consistency(ask.old, new.size, ask.proof, known.root, new.root)
    except Refused as error:
        raise Declined(NO_PROOF, f"{error}\n") from error
