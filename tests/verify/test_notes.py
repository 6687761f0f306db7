"""Signed notes, keys, checkpoints and cosignatures: what is written is read again, and nothing else is."""

from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from server.verify import notes
from server.verify.notes import Checkpoint, Cosigned, Key, Kind, Note
from server.verify.tree import Refused

ORIGIN, WITNESS = "keshi.example/log", "county.example"
#: an example of golang.org/x/mod/sumdb/note (BSD-3-Clause): a key, a text and its signature, made by another program
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    "\n\u2014 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


class FileKey:
    """A signer in memory."""

    def __init__(self, seed: int) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)

    @property
    def public(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


LOG, COUNTY, STRANGER = FileKey(1), FileKey(2), FileKey(3)
LOG_KEY, COUNTY_KEY = Key(ORIGIN, Kind.LOG, LOG.public), Key(WITNESS, Kind.WITNESS, COUNTY.public)
CHECKPOINT = Checkpoint(ORIGIN, 5, bytes(range(32)))
TEXT = str(CHECKPOINT)
SIGNED = Note(TEXT, (notes.sign(TEXT, ORIGIN, LOG), notes.cosign(TEXT, WITNESS, COUNTY, 1_790_000_000)))


def test_a_note_signed_by_another_program() -> None:
    key, note = notes.read_key(GO_KEY), notes.read_note(GO_NOTE)
    assert notes.check_log(note, [key]) == [key]
    assert (str(key), str(note)) == (GO_KEY, GO_NOTE)


def test_a_checkpoint_with_its_log_and_its_witness() -> None:
    note = notes.read_note(str(SIGNED))
    assert note == SIGNED
    assert notes.read_checkpoint(note.text) == CHECKPOINT
    keys = [LOG_KEY, COUNTY_KEY]
    assert notes.check_log(note, keys) == [LOG_KEY]
    assert notes.check_witnesses(note, keys) == [Cosigned(COUNTY_KEY, 1_790_000_000)]


def test_who_is_not_trusted_is_passed_over() -> None:
    stranger = Key(ORIGIN, Kind.LOG, STRANGER.public)
    assert notes.check_log(SIGNED, [stranger, COUNTY_KEY]) == []
    assert notes.check_witnesses(SIGNED, [LOG_KEY]) == []


def test_a_log_key_is_no_witness_and_a_witness_no_log() -> None:
    both = Note(TEXT, (notes.sign(TEXT, WITNESS, COUNTY),))
    assert notes.check_witnesses(both, [COUNTY_KEY]) == []
    assert notes.check_log(both, [COUNTY_KEY]) == []


@given(st.integers(0, len(TEXT.encode()) * 8 - 1))
def test_every_flipped_bit_of_the_text_is_refused(bit: int) -> None:
    raw = bytearray(TEXT.encode())
    raw[bit // 8] ^= 1 << bit % 8
    try:
        note = Note(raw.decode(), SIGNED.signatures)
    except UnicodeDecodeError:
        return
    for check in (notes.check_log, notes.check_witnesses):
        with pytest.raises(Refused, match="false"):
            check(note, [LOG_KEY, COUNTY_KEY])


@pytest.mark.parametrize("which", [0, 1])
@given(st.data())
def test_every_flipped_bit_of_a_signature_is_refused(which: int, data: st.DataObject) -> None:
    signature = SIGNED.signatures[which]
    raw = bytearray(signature.raw)
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    note = Note(TEXT, (notes.Signature(signature.name, signature.key_id, bytes(raw)),))
    check = (notes.check_log, notes.check_witnesses)[which]
    with pytest.raises(Refused, match="false"):
        check(note, [LOG_KEY, COUNTY_KEY])


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_signature_of_another_length(length: int) -> None:
    note = Note(TEXT, (notes.Signature(ORIGIN, LOG_KEY.id, bytes(length)),))
    with pytest.raises(Refused, match="false"):
        notes.check_log(note, [LOG_KEY])


@pytest.mark.parametrize(
    "line",
    [
        "",
        "name",
        "na me+00000000+AQ==",
        f"{ORIGIN}+00000000+{str(LOG_KEY).rpartition('+')[2]}",
        str(LOG_KEY)[:-1],
        str(LOG_KEY) + "A",
        f"{ORIGIN}+{LOG_KEY.id.hex()}+{notes.encode(bytes([2]) + LOG.public)}",
        f"{ORIGIN}+{LOG_KEY.id.hex()}+{notes.encode(bytes([1]) + LOG.public[:-1])}",
    ],
)
def test_what_is_no_key(line: str) -> None:
    with pytest.raises(Refused):
        notes.read_key(line)


def test_keys_come_back() -> None:
    assert [notes.read_key(str(key)) for key in (LOG_KEY, COUNTY_KEY)] == [LOG_KEY, COUNTY_KEY]


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT,
        TEXT + "\n",
        str(SIGNED)[:-1],
        str(SIGNED) + "more\n",
        str(SIGNED).replace("\u2014", "-"),
        str(SIGNED).replace(ORIGIN, "a\tb"),
        TEXT + "\n" + "\u2014 name AAAA\n",
        TEXT + "\n" + str(SIGNED.signatures[0]) * (notes.SIGNATURES_MOST + 1),
        TEXT + "\n" + "\u2014 name AAAAAAA\n",
        "x" * notes.NOTE_BYTES + str(SIGNED),
        "\ud800" + str(SIGNED),
    ],
)
def test_what_is_no_note(text: str) -> None:
    with pytest.raises(Refused):
        notes.read_note(text)


def test_as_many_signatures_as_there_may_be() -> None:
    text = TEXT + "\n" + str(SIGNED.signatures[0]) * notes.SIGNATURES_MOST
    assert len(notes.read_note(text).signatures) == notes.SIGNATURES_MOST


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n5\n",
        TEXT[:-1],
        TEXT.replace("\n5\n", "\n05\n"),
        TEXT.replace("\n5\n", "\n-5\n"),
        TEXT.replace("\n5\n", f"\n{2**63}\n"),
        TEXT.replace("\n5\n", "\n\u0665\n"),
        TEXT.replace("\n5\n", "\n\n5\n"),
        TEXT + "\n",
        f"{ORIGIN}\n5\n{notes.encode(bytes(31))}\n",
        f"{ORIGIN}\n5\n!\n",
    ],
)
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(Refused):
        notes.read_checkpoint(text)


@pytest.mark.parametrize("size", [0, notes.SIZE_MOST])
def test_checkpoints_at_their_edges_and_with_more_lines(size: int) -> None:
    checkpoint = Checkpoint(ORIGIN, size, bytes(32), ("one", "two"))
    assert notes.read_checkpoint(str(checkpoint)) == checkpoint


@pytest.mark.parametrize("text", ["A", "AA=", "AB==", "AA==\n", " AA==", "A-==", "AA"])
def test_base64_has_one_form(text: str) -> None:
    with pytest.raises(Refused):
        notes.decode(text)


def test_base64_itself() -> None:
    assert notes.decode("AA==") == b64decode("AA==") == b"\0"
    assert notes.encode(b"\0") == "AA=="


def test_a_witness_from_after_the_end_of_time() -> None:
    late = notes.cosign(TEXT, WITNESS, COUNTY, notes.TIME_MOST + 1)
    with pytest.raises(Refused, match="false"):
        notes.check_witnesses(Note(TEXT, (late,)), [COUNTY_KEY])
