"""Decides when somebody else saw the log, as far as the reader knows them, and which minutes they saw in time. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Final

from server.verify.bundle import Bundle
from server.verify.handover import shown_by
from server.verify.notes import Checkpoint, Key, Kind, Note, check_log, check_witnesses, read_checkpoint, read_note
from server.verify.tree import Refused, check_consistency

#: a minute is sealed and shown to witnesses about two minutes after it ends; who saw it later cannot tell when it was
SEEN_S: Final = 900
#: clocks of witnesses may differ so much
SKEW_S: Final = 30
#: of a size and the time when it was seen
_AT_S: Final = itemgetter(1)


def times_of(bundle: Bundle, last: Note, keys: Iterable[Key], checkpoint: Checkpoint) -> list[tuple[int, int]]:
    """When a known witness saw the log at which size, in order of time. Raises Refused for a checkpoint of another
    history.
    """
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
    return sorted(found, key=_AT_S)


def seen_in_time(slot: int, genesis: int, times: Sequence[tuple[int, int]]) -> bool:
    """Whether a witness saw the leaf after its minute, and soon; `times` are in order of time. One that saw it before
    it was over saw a forgery.
    """
    end_s = (slot + 1) * 60
    first = bisect_left(times, end_s - SKEW_S, key=_AT_S)
    last = bisect_right(times, end_s + SEEN_S, key=_AT_S)
    return any(genesis + size > slot for size, _ in times[first:last])


def never_seen(slots: Iterable[int], genesis: int, times: Iterable[tuple[int, int]], keys: Iterable[Key]) -> int:
    """How many of these minutes no witness of the reader's has seen at all, if the reader named any.

    What a witness has not seen, whoever holds the log's key can make anew, as often as they like.
    """
    if all(key.kind is not Kind.WITNESS for key in keys):
        return 0
    until = genesis + max((size for size, _ in times), default=0)
    return sum(1 for slot in slots if slot >= until)
