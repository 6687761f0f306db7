"""Decides what lies in a class's package: the 学时台账 in both forms, and the evidence to check it offline."""

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final, Protocol

from server.attendance.views import Evidence
from server.ledger.proofs import Proofs
from server.ledger.rules import split
from server.training.rules import Lesson
from server.verify import bundle
from server.verify.bundle import Bundle, Claim, LessonName, Seat
from server.verify.formats import Kind, read_record
from server.verify.notes import Key
from server.verify.tree import HASH_BYTES

#: `keshi verify` looks for it in a package
FILE: Final = "evidence.json"
#: opens with a double click and checks the package that it came in (web/verify.html)
CHECKER: Final = "核验.html"
#: a package says nothing of when it was packed: the same content is the same file
PACKED: Final = (1980, 1, 1, 0, 0, 0)


class Log(Protocol):
    """What the log can show."""

    async def proofs(
        self, group_ids: Iterable[str], evidence: Mapping[bytes, bytes], partly: Iterable[str] = ()
    ) -> Proofs:
        """All of these groups, and of those named `partly` what is published. Raises DomainError lesson_not_sealed."""
        ...

    async def vouch(self, group_id: str, text: str) -> str:
        """A text about a group, signed. Raises DomainError lesson_not_sealed."""
        ...

    @property
    def key(self) -> Key:
        """By what its signatures are known."""
        ...


def make_bundle(
    proofs: Proofs, lessons: Sequence[Lesson], seats: Sequence[Seat], known: Evidence, shown: Sequence[bytes] = ()
) -> Bundle:
    """The evidence of a class; it names nobody. What was sealed before there was a log is not in it."""
    begun = _begun(proofs)
    sums: dict[tuple[str, str], int] = {}
    for (lesson, person, slot), ms in known.credit_ms.items():
        if slot >= begun.get(lesson, proofs.genesis):
            sums[lesson, person] = sums.get((lesson, person), 0) + ms
    return Bundle(
        bundle.FORMAT,
        proofs.genesis,
        proofs.checkpoint,
        tuple(LessonName(one.id, one.number) for one in lessons),
        tuple(seats),
        tuple(Claim(lesson, person, ms) for (lesson, person), ms in sorted(sums.items())),
        proofs.leaves,
        proofs.seen,
        proofs.tiles,
        proofs.rest,
        tuple(shown),
    )


def make_part(
    proofs: Proofs, lesson: Lesson, seats: Sequence[Seat], known: Evidence, shown: Sequence[bytes] = ()
) -> Bundle:
    """The evidence of a lesson as far as it is published: what is on its way to the log claims nothing yet."""
    published = {
        (record.resource.hex(), record.subject.hex(), record.slot)
        for leaf in proofs.leaves
        for part in leaf.groups
        for record in map(read_record, split(part.records))
        if record.kind == Kind.MINUTE
    }
    claimed = {key: ms for key, ms in known.credit_ms.items() if key in published}
    return make_bundle(proofs, [lesson], seats, Evidence(known.texts, claimed), shown)


def published(proofs: Proofs, texts: Iterable[bytes]) -> list[bytes]:
    """Those of these texts that a record of the proofs names: what is on its way to the log is none of it yet."""
    packed = (raw for leaf in proofs.leaves for part in leaf.groups for raw in split(part.records))
    named = {raw[-HASH_BYTES:] for raw in packed if raw[0] in (Kind.SETTLEMENT, Kind.SCHEME)}
    return [text for text in texts if sha256(text).digest() in named]


def _begun(proofs: Proofs) -> dict[str, int]:
    """The first minute of each lesson that the log knows."""
    found: dict[str, int] = {}
    for raw in (raw for leaf in proofs.leaves for part in leaf.groups for raw in split(part.records)):
        if raw[0] == Kind.LESSON_MINUTE:
            record = read_record(raw)
            lesson = record.resource.hex()
            found[lesson] = min(record.slot, found.get(lesson, record.slot))
    return found


def pack(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Files as one .zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files:
            package.writestr(zipfile.ZipInfo(name, PACKED), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
