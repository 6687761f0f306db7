"""Which minutes somebody else saw in time, rule by rule; of a log with a real witness: test_witnessed.py."""

from dataclasses import replace

import pytest

from server.core.signing import FileSigner
from server.verify.bundle import FORMAT, Bundle, Seen
from server.verify.notes import Checkpoint, Key, Kind, Note, cosign, sign
from server.verify.tree import Refused, leaf_hash, nodes, prove_consistency, root
from server.verify.witnessed import SEEN_S, SKEW_S, never_seen, seen_in_time, times_of

GENESIS = 29_000_000
OURS, COUNTY, TOWN = (FileSigner(bytes([at]) * 32) for at in (1, 2, 3))
LOG = Key("keshi/a", Kind.LOG, OURS.public)
SEES, SEES_TOO = Key("county", Kind.WITNESS, COUNTY.public), Key("town", Kind.WITNESS, TOWN.public)
LEAVES = [leaf_hash(bytes([at])) for at in range(5)]
END_S = (GENESIS + 1) * 60


def checkpoint(size: int, origin: str = "keshi/a") -> Checkpoint:
    return Checkpoint(origin, size, root(LEAVES[:size]))


def note(said: Checkpoint, at_s: int, *, name: str = "county", by: FileSigner = COUNTY) -> Note:
    text = str(said)
    return Note(text, (sign(text, said.origin, OURS), cosign(text, name, by, at_s)))


def earlier(size: int, at_s: int, origin: str = "keshi/a") -> Seen:
    path = prove_consistency(nodes(LEAVES), size, len(LEAVES))
    return Seen(str(note(checkpoint(size, origin), at_s)), tuple(path))


def bundle(*seen: Seen) -> Bundle:
    return Bundle(FORMAT, GENESIS, "", (), (), (), (), seen)


LAST = checkpoint(5)


def test_each_time_a_known_witness_saw_the_log_in_order_of_time() -> None:
    both = bundle(earlier(3, 300), earlier(2, 200))
    keys = [LOG, SEES]
    assert times_of(both, note(LAST, 250), keys, LAST) == [(2, 200), (5, 250), (3, 300)]
    assert times_of(both, note(LAST, 250), [LOG], LAST) == []
    town = note(LAST, 250, name="town", by=TOWN)
    assert times_of(both, town, keys, LAST) == [(2, 200), (3, 300)]
    assert times_of(bundle(), town, [LOG, SEES_TOO], LAST) == [(5, 250)]


@pytest.mark.parametrize(
    "wrong",
    [
        earlier(3, 300, "keshi/b"),
        replace(earlier(3, 300), path=()),
        replace(earlier(3, 300), path=earlier(2, 300).path),
        replace(earlier(3, 300), note=str(Note(str(checkpoint(3)), (sign("x\n1\nAA==\n", "keshi/a", OURS),)))),
    ],
)
def test_what_another_history_shows_is_refused(wrong: Seen) -> None:
    with pytest.raises(Refused):
        times_of(bundle(wrong), note(LAST, 250), [LOG, SEES], LAST)


@pytest.mark.parametrize(
    ("times", "in_time"),
    [
        ([], False),
        ([(1, END_S)], True),
        ([(1, END_S + SEEN_S)], True),
        ([(1, END_S + SEEN_S + 1)], False),
        ([(1, END_S - SKEW_S)], True),
        ([(1, END_S - SKEW_S - 1)], False),
        ([(0, END_S)], False),
        ([(1, 0), (0, END_S), (2, END_S + 1)], True),
        ([(1, 0), (0, END_S), (1, END_S + SEEN_S + 1)], False),
    ],
)
def test_in_time_is_after_the_minute_and_soon(times: list[tuple[int, int]], in_time: bool) -> None:
    assert (SEEN_S, SKEW_S) == (900, 30)
    assert seen_in_time(GENESIS, GENESIS, times) is in_time


SLOTS = [GENESIS, GENESIS + 1, GENESIS + 2]


@pytest.mark.parametrize(
    ("times", "keys", "unseen"),
    [
        ([], [LOG], 0),
        ([], [LOG, SEES], 3),
        ([(1, 0)], [SEES], 2),
        ([(2, 0), (1, 9)], [SEES], 1),
        ([(3, 0)], [SEES], 0),
        ([(1, 0)], [LOG], 0),
    ],
)
def test_minutes_that_no_witness_of_the_readers_has_seen(
    times: list[tuple[int, int]], keys: list[Key], unseen: int
) -> None:
    assert never_seen(SLOTS, GENESIS, times, keys) == unseen
