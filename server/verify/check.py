"""Decides whether evidence holds: every minute up to the signed root, every total down to its minutes. Pure.

Nothing of the file is believed: not its hints, not its order, not its keys. Whoever holds the log's key and those of
its witnesses from elsewhere knows whose log it is; without them a file can only agree with itself.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from server.verify.bundle import Bundle
from server.verify.handover import reached, shown_by, signers_of
from server.verify.look import Look
from server.verify.notes import (
    Checkpoint,
    Key,
    check_witnesses,
    read_checkpoint,
    read_note,
)
from server.verify.progress import Progress, quiet, watched
from server.verify.receipts import check_receipt
from server.verify.report import Finding, Report
from server.verify.sheets import Row
from server.verify.tiles import summit
from server.verify.tree import Refused
from server.verify.witnessed import never_seen, seen_in_time, times_of

_NO_SALTS: Final[Mapping[bytes, bytes]] = MappingProxyType({})


def check(
    bundle: Bundle,
    keys: Iterable[Key] = (),
    sheets: Iterable[Iterable[Row]] = (),
    receipts: Iterable[str] = (),
    progress: Progress = quiet,
    salts: Mapping[bytes, bytes] = _NO_SALTS,
) -> Report:
    """Look at everything, also after a first fault; `sheets` are the rows of each 学时台账 that came with it,
    `receipts` what trainees kept, `salts` those of names by trainee (identity.py).

    Raises Refused when the checkpoint or its signature is false, or a receipt is none of this log.
    """
    handovers, note = shown_by(bundle), read_note(bundle.checkpoint)
    known, checkpoint = reached(keys, handovers), read_checkpoint(note.text)
    signers = signers_of(note, checkpoint, known, handovers)
    _check_tiles(bundle, checkpoint)
    looked = _looked_at(bundle, checkpoint, progress)
    times = times_of(bundle, note, known, checkpoint)
    named = looked.sheets([list(rows) for rows in sheets], salts)
    kept = [check_receipt(raw, bundle, known) for raw in receipts]
    looked.differing_receipts(one for one, holds in kept if not holds)
    return Report(
        findings=tuple(sorted(set(looked.findings), key=_worth_telling)),
        signers=signers,
        witnesses=tuple(check_witnesses(note, known)),
        size=checkpoint.size,
        unwitnessed=tuple(one.slot for one in looked.leaves if not seen_in_time(one.slot, bundle.genesis, times)),
        n_unseen=never_seen((one.slot for one in looked.leaves), bundle.genesis, times, known),
        receipts=len(kept),
        handovers=tuple(handovers),
        n_named=named,
        **looked.told_of_all(),
    )


def _looked_at(bundle: Bundle, checkpoint: Checkpoint, progress: Progress) -> Look:
    looked = Look(bundle)
    for part in watched(bundle.leaves, progress):
        looked.leaf(part, checkpoint.size, checkpoint.root)
    looked.ended(bundle.genesis + checkpoint.size - 1, progress)
    return looked


def _check_tiles(bundle: Bundle, checkpoint: Checkpoint) -> None:
    if (bundle.tiles or bundle.rest) and summit(bundle.tiles, bundle.rest) != (checkpoint.size, checkpoint.root):
        raise Refused("the log's tiles do not lead to its root")


def _worth_telling(one: Finding) -> tuple[object, ...]:
    """By minute and lesson; what names a seat before what does not, what is of no minute last."""
    return (one.slot < 0, one.slot, one.lesson < 0, one.lesson, one.seat < 0, one.seat, one.code, one.step)
