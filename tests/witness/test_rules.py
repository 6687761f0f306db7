"""What a witness signs and what it declines, with the status that tlog-witness asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.verify.notes import Checkpoint, Key, Kind, Note, read_checkpoint, read_note, sign
from server.witness.rules import Declined, judge, read_ask
from tests.witness.world import Log

LOG = Log()


def known(size: int, log: Log = LOG) -> Checkpoint:
    return read_checkpoint(read_note(log.note(size)).text)


def declined(raw: bytes, before: Checkpoint | None, *keys: Key) -> tuple[int, str]:
    with pytest.raises(Declined) as caught:
        judge(read_ask(raw), before, keys or (LOG.key,))
    return caught.value.status, caught.value.text


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_log_that_grows_is_signed(old: int, more: int) -> None:
    before = known(old) if old else None
    judge(read_ask(LOG.ask(old, old + more)), before, [LOG.key])


@given(st.integers(1, 100), st.integers(1, 100), st.data())
def test_another_history_is_never_signed(old: int, more: int, data: st.DataObject) -> None:
    fork = Log(other=data.draw(st.integers(0, old - 1)))
    assert declined(fork.ask(old, old + more), known(old))[0] == 422
    assert declined(fork.ask(old, old), known(old))[0] == 409


def test_sizes_that_do_not_fit_are_told_ours() -> None:
    assert declined(LOG.ask(4, 9), known(5)) == (409, "5\n")
    assert declined(LOG.ask(6, 9), known(5)) == (409, "5\n")
    assert declined(LOG.ask(0, 3), known(5)) == (409, "5\n"), "rolled back"
    assert declined(LOG.ask(3, 9), None) == (409, "0\n")


def test_strangers_and_forgers() -> None:
    stranger = Log(origin="keshi/0000000000000002")
    assert declined(stranger.ask(0, 3), None)[0] == 404
    rebuilt = Log(seed=2)
    assert declined(rebuilt.ask(0, 3), None)[0] == 403, "the same name, another key"
    note = read_note(LOG.note(3))
    forged = Note(note.text.replace("\n3\n", "\n4\n"), note.signatures)
    assert declined(b"old 0\n\n" + str(forged).encode(), None)[0] == 403
    as_witness = Key(LOG.origin, Kind.WITNESS, LOG.signer.public)
    assert declined(LOG.ask(0, 3), None, as_witness)[0] == 404


def test_a_proof_that_proves_nothing() -> None:
    good = LOG.ask(5, 9)
    lines = good.split(b"\n")
    assert declined(b"\n".join([lines[0], *lines[2:]]), known(5))[0] == 422
    assert declined(b"\n".join([lines[0], lines[1], *lines[1:]]), known(5))[0] == 422
    assert declined(b"\n".join([b"old 0", lines[1], *LOG.ask(0, 9).split(b"\n")[1:]]), None)[0] == 422
    empty = str(Checkpoint(LOG.origin, 0, bytes(32)))
    signed = str(Note(empty, (sign(empty, LOG.origin, LOG.signer),)))
    assert declined(b"old 0\n\n" + signed.encode(), None)[0] == 422, "an empty tree has one root"


@pytest.mark.parametrize(
    "head",
    [
        b"", b"old", b"old -1", b"old 01", b"old 1.0", b"old 1 ", b"new 0", b"old 0\nAAAA", b"old 0\n!",
        b"old 99999999999999999999", b"\xff", b"old 0\n" + b"\n".join([b"A" * 43 + b"="] * 64),
    ],
)  # fmt: skip
def test_what_is_malformed(head: bytes) -> None:
    assert declined(head + b"\n\n" + LOG.note(3).encode(), None)[0] == 400


def test_what_is_no_checkpoint_or_shrinks() -> None:
    assert declined(b"old 0", None)[0] == 400
    assert declined(b"old 0\n\nhello\n", None)[0] == 400
    assert declined(b"old 9\n\n" + LOG.note(5).encode(), known(9))[0] == 400
    assert read_ask(LOG.ask(0, 0)).checkpoint.size == 0
