"""Decides when somebody else saw the log, as far as the reader knows them, and which minutes they saw in time. Pure."""

from collections.abc import Iterable
from typing import Final

from server.verify.bundle import Bundle
from server.verify.handover import shown_by
from server.verify.notes import Checkpoint, Key, Kind, Note, check_log, check_witnesses, read_checkpoint, read_note
from server.verify.tree import Refused, check_consistency

#: a minute is sealed and shown to witnesses about two minutes after it ends; who saw it later cannot tell when it was
SEEN_S: Final = 900
#: clocks of witnesses may differ so much
SKEW_S: Final = 30


def times_of(bundle: Bundle, last: Note, keys: Iterable[Key], checkpoint: Checkpoint) -> list[tuple[int, int]]:
    """When a known witness saw the log at which size. Raises Refused for a checkpoint of another history."""
    known, found = list(keys), []
    names = {checkpoint.origin, *(one.before.name for one in shown_by(bundle))}
    for seen in (*bundle.seen, None):
        note = read_note(seen.note) if seen else last
        said = read_checkpoint(note.text) if seen else checkpoint
        if seen:
            if said.origin not in names:
                raise Refused("a checkpoint of another log")
            check_log(note, known)
            check_consistency(said.size, checkpoint.size, seen.path, said.root, checkpoint.root)
        found += [(said.size, one.at_s) for one in check_witnesses(note, known)]
    return found


def seen_in_time(slot: int, genesis: int, times: Iterable[tuple[int, int]]) -> bool:
    """Whether a witness saw the leaf after its minute, and soon. One that saw it before it was over saw a forgery."""
    end_s = (slot + 1) * 60
    return any(genesis + size > slot and end_s - SKEW_S <= at_s <= end_s + SEEN_S for size, at_s in times)


def never_seen(slots: Iterable[int], genesis: int, times: Iterable[tuple[int, int]], keys: Iterable[Key]) -> int:
    """How many of these minutes no witness of the reader's has seen at all, if the reader named any.

    What a witness has not seen, whoever holds the log's key can make anew, as often as they like.
    """
    if all(key.kind is not Kind.WITNESS for key in keys):
        return 0
    until = genesis + max((size for size, _ in times), default=0)
    return sum(1 for slot in slots if slot >= until)
