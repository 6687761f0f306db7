"""Decides what an acknowledgement promises that a page was given in a lesson, and whether records keep it. Pure.

It is a signed note (notes.py): of the minutes before `sealed` so many milliseconds were credited for good, and in each
later minute the page was in front for at least so many while it held its lease. Of those a record may leave out only
what the lesson was not open: credit >= front - (60,000 - delivered).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.verify.notes import decode, encode
from server.verify.tree import HASH_BYTES, Refused

FORMAT: Final = "keshi-ack/v1"
MINUTE_MS: Final = 60_000
#: so many minutes are not sealed yet at most when an acknowledgement is given
MINUTES_MOST: Final = 8
#: stands for the chain of a page that has no key
NO_LINK: Final = "-"
_NUMBER: Final = r"(?:0|[1-9][0-9]{0,12})"
_FORM: Final = re.compile(
    rf"{FORMAT}\n(?P<origin>[^\s+]+)\nlesson (?P<lesson_id>[0-9a-f]{{16}})\nperson (?P<person_id>[0-9a-f]{{16}})\n"
    rf"lease (?P<epoch>{_NUMBER}) (?P<seq>{_NUMBER}) (?P<link>\S+)\n"
    rf"sealed (?P<slot>{_NUMBER}) (?P<credit_ms>{_NUMBER})\n"
    rf"(?P<minutes>(?:minute {_NUMBER} {_NUMBER}\n){{0,{MINUTES_MOST}}})"
)


@dataclass(frozen=True, slots=True)
class Ack:
    """`link` is the chain of the page's beats after beat `seq` of lease `epoch`, empty without a key."""

    origin: str
    lesson_id: str
    person_id: str
    epoch: int
    seq: int
    link: bytes
    sealed_slot: int
    sealed_ms: int
    minutes: tuple[tuple[int, int], ...]

    def __str__(self) -> str:
        """The text that is signed."""
        lines = [
            FORMAT,
            self.origin,
            f"lesson {self.lesson_id}",
            f"person {self.person_id}",
            f"lease {self.epoch} {self.seq} {encode(self.link) if self.link else NO_LINK}",
            f"sealed {self.sealed_slot} {self.sealed_ms}",
            *(f"minute {slot} {front_ms}" for slot, front_ms in self.minutes),
        ]
        return "".join(f"{line}\n" for line in lines)


def read_ack(text: str) -> Ack:
    """The text of a note as an acknowledgement. Raises Refused."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise Refused("not an acknowledgement")
    said = found.groupdict()
    link = b"" if said["link"] == NO_LINK else decode(said["link"])
    if len(link) not in (0, HASH_BYTES):
        raise Refused("not an acknowledgement: its chain")
    minutes = [line.split(" ") for line in said["minutes"].splitlines()]
    return Ack(
        said["origin"],
        said["lesson_id"],
        said["person_id"],
        int(said["epoch"]),
        int(said["seq"]),
        link,
        int(said["slot"]),
        int(said["credit_ms"]),
        tuple((int(slot), int(front_ms)) for _, slot, front_ms in minutes),
    )


def keeps(ack: Ack, credit_ms: Mapping[int, int], delivered_ms: Mapping[int, int]) -> bool:
    """Whether a trainee's credited milliseconds by minute keep what was acknowledged; `delivered_ms`: the lesson's."""
    sealed = sum(ms for slot, ms in credit_ms.items() if slot < ack.sealed_slot)
    return sealed == ack.sealed_ms and all(
        credit_ms.get(slot, 0) >= front_ms - (MINUTE_MS - delivered_ms.get(slot, 0)) for slot, front_ms in ack.minutes
    )
