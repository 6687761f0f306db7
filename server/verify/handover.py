"""Decides when a log is signed by another key, or goes on under another name: the old key says so, and so does the new.

A handover is a signed note (notes.py) in the log and beside it. Of the same name on both sides: the key was changed.
Of another name: what was seen of the log cannot be continued, and a successor began; `seen` is the last that was seen.
Only a changed key is trusted for the sake of the old one, because the history stays the same one. A successor is
another history, which whoever holds the old key could have made at any time: it counts with its own key alone.
Pure.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from server.verify.bundle import Bundle, evidence_of
from server.verify.formats import ID_BYTES, RECORD_BYTES, Kind
from server.verify.notes import (
    Checkpoint,
    Key,
    Note,
    Signer,
    check_log,
    decode,
    encode,
    read_checkpoint,
    read_key,
    read_note,
    sign,
)
from server.verify.tiles import Fetch
from server.verify.tree import EMPTY, Refused

FORMAT: Final = "keshi-handover/v1"
#: the group of what a log says of itself
GROUP: Final = sha256(b"log").digest()[:ID_BYTES]
#: beside a log's checkpoint: all handovers, as a JSON list of notes
FILE: Final = "handovers"
NOTHING: Final = "-"
KINDS: Final = (Kind.KEY_ROTATION, Kind.SUCCESSOR)


@dataclass(frozen=True, slots=True)
class Handover:
    """From one key to another; `seen` is the signed checkpoint from which it starts, "" before there was one."""

    before: Key
    after: Key
    seen: str

    def __str__(self) -> str:
        """The text that both keys sign."""
        seen = encode(self.seen.encode()) if self.seen else NOTHING
        return f"{FORMAT}\nfrom {self.before}\nto {self.after}\nseen {seen}\n"

    @property
    def succeeds(self) -> bool:
        """Whether it opens a successor; else the key alone was changed."""
        return self.before.name != self.after.name

    @property
    def last(self) -> Checkpoint:
        """What was seen last."""
        return read_checkpoint(read_note(self.seen).text) if self.seen else Checkpoint(self.before.name, 0, EMPTY)


def hand_over(before: tuple[Key, Signer], after: tuple[Key, Signer], seen: str) -> str:
    """The note, signed by both."""
    text = str(Handover(before[0], after[0], seen))
    return str(Note(text, tuple(sign(text, key.name, signer) for key, signer in (before, after))))


def read_handover(raw: str) -> Handover:
    """A note that both keys signed. Raises Refused."""
    note = read_note(raw)
    lines = note.text.split("\n")
    heads = ("", "from ", "to ", "seen ", "")
    if len(lines) != len(heads) or lines[0] != FORMAT or not all(map(str.startswith, lines, heads)):
        raise Refused("not a handover")
    before, after = read_key(lines[1].removeprefix("from ")), read_key(lines[2].removeprefix("to "))
    said = lines[3].removeprefix("seen ")
    try:
        found = Handover(before, after, "" if said == NOTHING else decode(said).decode())
    except UnicodeDecodeError as error:
        raise Refused("not a handover: what was seen") from error
    if str(found) != note.text or before == after or set(check_log(note, (before, after))) != {before, after}:
        raise Refused("a handover that its keys did not sign")
    if found.last.origin != before.name or (found.seen and not check_log(read_note(found.seen), [before])):
        raise Refused("a handover from what the old key did not sign")
    return found


def shown_by(bundle: Bundle) -> list[Handover]:
    """The handovers behind the log's own records; what is none is found where records are looked at."""
    found = []
    for part in (part for leaf in bundle.leaves for part in leaf.groups if part.group[:ID_BYTES] == GROUP):
        count = len(part.records) // RECORD_BYTES
        for at, text in enumerate(evidence_of(part.evidence, count)):
            if text and part.records[at * RECORD_BYTES] in KINDS:
                found += _readable([text.decode("utf-8", "replace")])
    return found


def published(fetch: Fetch) -> list[Handover]:
    """The handovers beside a log's checkpoint. Raises Refused."""
    return [read_handover(one) for one in notes_beside(fetch)]


def notes_beside(fetch: Fetch) -> list[str]:
    """The same as they lie there. Raises Refused."""
    try:
        raw = json.loads(fetch(FILE))
    except KeyError:
        return []
    except (ValueError, RecursionError) as error:
        raise Refused(f"{FILE} cannot be read") from error
    if not isinstance(raw, list) or not all(isinstance(one, str) for one in raw):
        raise Refused(f"{FILE} is no list")
    return list(raw)


def _readable(notes: Iterable[str]) -> list[Handover]:
    found = []
    for raw in notes:
        try:
            found.append(read_handover(raw))
        except Refused:
            continue
    return found


def reached(keys: Iterable[Key], handovers: Sequence[Handover]) -> list[Key]:
    """These keys, and those to which they were changed; never a successor's."""
    changes: dict[Key, list[Key]] = {}
    for one in handovers:
        if not one.succeeds:
            changes.setdefault(one.before, []).append(one.after)
    found = list(keys)
    known = set(found)
    for key in found:
        for after in changes.get(key, ()):
            if after not in known:
                known.add(after)
                found.append(after)
    return found


def valid(key: Key, size: int, handovers: Iterable[Handover]) -> bool:
    """Whether a checkpoint of this size may be signed by a key: an old one signs nothing after it was changed."""
    return not any(one.before == key and not one.succeeds and size > one.last.size for one in handovers)


def signers_of(note: Note, said: Checkpoint, keys: Iterable[Key], handovers: Sequence[Handover]) -> tuple[Key, ...]:
    """Which of these keys count as signers of a checkpoint. Raises Refused when a signature is false."""
    signed = [key for key in check_log(note, keys) if key.name == said.origin]
    return tuple(key for key in signed if valid(key, said.size, handovers))
