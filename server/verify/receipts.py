"""Decides whether a 学时回执 and a package say the same of a trainee's lesson. Pure.

A receipt is a signed note (notes.py) that the log's key signs once a lesson is sealed: so many milliseconds in so many
minutes, and the digest of the records of all of them. Who keeps one can tell whether a minute was changed or left out
later, whatever became of the log. An acknowledgement that a page kept in the lesson (acks.py) is held against it too.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from server.verify.acks import FORMAT as ACK
from server.verify.acks import Ack, keeps, read_ack
from server.verify.bundle import Bundle
from server.verify.formats import RECORD_BYTES, Kind
from server.verify.handover import shown_by
from server.verify.notes import Key, Note, check_log, decode, encode, read_checkpoint, read_note
from server.verify.tree import HASH_BYTES, Refused

FORMAT: Final = "keshi-receipt/v1"
_FORM: Final = re.compile(
    rf"{FORMAT}\n(?P<origin>[^\s+]+)\nlesson (?P<lesson_id>[0-9a-f]{{16}})\nperson (?P<person_id>[0-9a-f]{{16}})\n"
    r"credit_ms (?P<credit_ms>0|[1-9][0-9]{0,12})\nminutes (?P<minutes>0|[1-9][0-9]{0,6})\nrecords (?P<digest>\S+)\n"
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a trainee has of a lesson; `digest` is over the records of all their minutes in it, in order."""

    origin: str
    lesson_id: str
    person_id: str
    credit_ms: int
    minutes: int
    digest: bytes

    def __str__(self) -> str:
        """The text that is signed."""
        lines = [
            FORMAT,
            self.origin,
            f"lesson {self.lesson_id}",
            f"person {self.person_id}",
            f"credit_ms {self.credit_ms}",
            f"minutes {self.minutes}",
            f"records {encode(self.digest)}",
        ]
        return "".join(f"{line}\n" for line in lines)


def receipt_of(origin: str, lesson_id: str, person_id: str, records: Iterable[bytes]) -> Receipt:
    """The receipt of these packed minutes, which are in order."""
    known = list(records)
    credit_ms = sum(map(_ms, known))
    return Receipt(origin, lesson_id, person_id, credit_ms, len(known), sha256(b"".join(known)).digest())


def read_receipt(text: str) -> Receipt:
    """The text of a note as a receipt. Raises Refused."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise Refused("not a receipt")
    said = found.groupdict()
    digest = decode(said["digest"])
    if len(digest) != HASH_BYTES:
        raise Refused("not a receipt: its digest")
    return Receipt(
        said["origin"], said["lesson_id"], said["person_id"], int(said["credit_ms"]), int(said["minutes"]), digest
    )


def check_receipt(raw: str, bundle: Bundle, keys: Iterable[Key]) -> tuple[Receipt | Ack, bool]:
    """A receipt or an acknowledgement, and whether the package keeps it. Raises Refused where it is not of this log."""
    note, known = read_note(raw), list(keys)
    receipt = read_ack(note.text) if note.text.startswith(ACK) else read_receipt(note.text)
    names = {read_checkpoint(read_note(bundle.checkpoint).text).origin, *(one.before.name for one in shown_by(bundle))}
    if receipt.origin not in names:
        raise Refused("a receipt of another log")
    if not _signed(note, known):
        raise Refused("a receipt that this log did not sign")
    said = list(_said(bundle, receipt.lesson_id))
    minutes = _minutes(said, receipt.person_id)
    if isinstance(receipt, Ack):
        delivered = {_slot(raw): _ms(raw) for raw in said if raw[0] == Kind.LESSON_MINUTE}
        return receipt, keeps(receipt, {_slot(raw): _ms(raw) for raw in minutes}, delivered)
    return receipt, receipt == receipt_of(receipt.origin, receipt.lesson_id, receipt.person_id, minutes)


def _signed(note: Note, keys: list[Key]) -> bool:
    """By a log that the reader knows; a reader without keys learns nothing of who signed."""
    return not keys or bool(check_log(note, keys))


def _said(bundle: Bundle, lesson_id: str) -> Iterator[bytes]:
    """All packed records of a lesson."""
    lesson = bytes.fromhex(lesson_id)
    for part in (part for leaf in bundle.leaves for part in leaf.groups if part.group[:8] == lesson):
        for at in range(0, len(part.records), RECORD_BYTES):
            yield part.records[at : at + RECORD_BYTES]


def _minutes(said: Iterable[bytes], person_id: str) -> list[bytes]:
    person = bytes.fromhex(person_id)
    return sorted([raw for raw in said if raw[0] == Kind.MINUTE and raw[10:18] == person], key=lambda raw: raw[2:6])


def _slot(raw: bytes) -> int:
    return int.from_bytes(raw[2:6], "big")


def _ms(raw: bytes) -> int:
    return int.from_bytes(raw[35:39], "big")
