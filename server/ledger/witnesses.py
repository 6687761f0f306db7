"""Decides how a log asks its witnesses: each sees it grow, signs that it did, or says that it knows another history.

https://c2sp.org/tlog-witness over HTTP. A witness that does not answer keeps nobody from sealing; one that knows more
of the log than the store does keeps us from signing anything: then the store was put back, or somebody else signs.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Final

import aiohttp
import structlog

from server.core.clock import Clock, elapsed_ms
from server.verify.notes import Checkpoint, Key, Note, Signature, check_witnesses, encode, read_note
from server.verify.tree import Node, Refused, prove_consistency

log = structlog.get_logger("witnesses")

#: a witness has so long to answer
ANSWER_S: Final = 5.0
ANSWER_BYTES: Final = 16_384
#: silent for longer: the house says so (evidence.md)
SILENCE_MS: Final = 300_000
#: a witness whose clock and ours differ by more: one of them dates minutes wrongly
CLOCK_MS: Final = 30_000
OTHER_SIZE: Final = 409
NO_PROOF: Final = 422
SILENT, CLOCK, REFUSES = "silent", "clock_differs", "refuses"


@dataclass(frozen=True, slots=True)
class Known:
    """A witness of ours: where it answers, without a slash at the end, and by what its signatures are known."""

    url: str
    key: Key


class Contradicted(Exception):
    """A witness knows another history of this log, or more of it than the store has."""

    def __init__(self, code: str, witness: str) -> None:
        super().__init__(code)
        self.code, self.witness = code, witness


BEHIND: Final = "ledger_behind_witness"
FORKED: Final = "ledger_forked"


class Witnesses:
    """Those that are asked for every checkpoint. `elapsed` is a clock of milliseconds that nobody sets; `heard` is told
    how much later than ours the witnesses' clocks are, None while all of them are silent.
    """

    def __init__(
        self,
        known: Sequence[Known],
        clock: Clock,
        elapsed: Callable[[], float] = elapsed_ms,
        heard: Callable[[float | None], None] = lambda _offset_ms: None,
    ) -> None:
        self._clock, self._elapsed, self._heard = clock, elapsed, heard
        begun_ms = elapsed()
        self._each = [_Witness(one, begun_ms) for one in known]

    @property
    def keys(self) -> list[Key]:
        """By what their signatures are known."""
        return [one.known.key for one in self._each]

    @property
    def awaited(self) -> bool:
        """Whether one has not answered since we began and may still do so: until then nothing new is signed."""
        return any(not one.heard and not self._silent(one) for one in self._each)

    async def problem(self) -> str | None:
        """None, or a word for what is wrong with one of them: refuses, silent, clock_differs."""
        if any(one.refused for one in self._each):
            return REFUSES
        if any(self._silent(one) for one in self._each):
            return SILENT
        return CLOCK if any(abs(one.offset_ms) > CLOCK_MS for one in self._each) else None

    async def cosign(self, note: Note, checkpoint: Checkpoint, node: Node) -> list[Signature]:
        """What they sign of a checkpoint; a silent one nothing. Raises Contradicted."""
        if not self._each:
            return []
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            asks = [self._ask(http, one, note, checkpoint, node) for one in self._each]
            found = await asyncio.gather(*asks, return_exceptions=True)
        offsets = [one.offset_ms for one in self._each if one.heard and not self._silent(one)]
        self._heard(median_low(offsets) if offsets else None)
        for answer in found:
            if isinstance(answer, BaseException):
                raise answer
        return [answer for answer in found if isinstance(answer, Signature)]

    async def _ask(
        self, http: aiohttp.ClientSession, one: "_Witness", note: Note, checkpoint: Checkpoint, node: Node
    ) -> Signature | None:
        try:
            sent_ms = self._clock.ms()
            status, text = await _post(http, one, note, checkpoint, node)
            if status == OTHER_SIZE:
                one.size = _size(text)
                if one.size > checkpoint.size:
                    raise Contradicted(BEHIND, one.known.key.name)
                sent_ms = self._clock.ms()
                status, text = await _post(http, one, note, checkpoint, node)
            if status in (OTHER_SIZE, NO_PROOF):
                raise Contradicted(FORKED, one.known.key.name)
            one.refused = status != 200
            if one.refused:
                raise Refused(f"status {status}")
            signature, at_s = _signature(note, text, one.known.key)
        except (aiohttp.ClientError, OSError, TimeoutError, Refused) as error:
            log.warning("witness_failed", witness=one.known.key.name, error=type(error).__name__)
            return None
        one.size, one.heard, one.heard_ms = checkpoint.size, True, self._elapsed()
        one.offset_ms = later_by(at_s, sent_ms, self._clock.ms())
        return signature

    def _silent(self, one: "_Witness") -> bool:
        return self._elapsed() - one.heard_ms > SILENCE_MS


@dataclass
class _Witness:
    known: Known
    #: when it answered last, or when we began
    heard_ms: float
    heard: bool = False
    #: up to where it knows the log, as far as we know
    size: int = 0
    refused: bool = False
    #: its clock less ours
    offset_ms: int = 0


async def _post(
    http: aiohttp.ClientSession, one: _Witness, note: Note, checkpoint: Checkpoint, node: Node
) -> tuple[int, str]:
    old = min(one.size, checkpoint.size)
    proof = await asyncio.to_thread(prove_consistency, node, old, checkpoint.size)
    body = "\n".join([f"old {old}", *map(encode, proof)]) + f"\n\n{note}"
    async with http.post(f"{one.known.url}/add-checkpoint", data=body.encode(), allow_redirects=False) as answer:
        return answer.status, (await answer.content.read(ANSWER_BYTES)).decode("utf-8", "replace")


def later_by(at_s: int, sent_ms: int, received_ms: int) -> int:
    """How much later another's clock is, which showed this whole second somewhen between sending and receipt; 0 when
    both may be right.
    """
    return max(at_s * 1000 - received_ms, 0) + min((at_s + 1) * 1000 - sent_ms, 0)


def _size(text: str) -> int:
    if not text.strip().isdecimal():
        raise Refused("a witness said no size")
    return int(text)


def _signature(note: Note, text: str, key: Key) -> tuple[Signature, int]:
    """The line that this witness signed, and when. Raises Refused."""
    answered = read_note(f"{note.text}\n{text}")
    seen = check_witnesses(answered, [key])
    if not seen:
        raise Refused("a witness signed something else")
    own = next(one for one in answered.signatures if (one.name, one.key_id) == (key.name, key.id))
    return own, seen[0].at_s
