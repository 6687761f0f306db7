"""When somebody else saw a minute: in time, late, never, or before it was over; and only one history of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from server.core.clock import ManualClock
from server.core.signing import FileSigner
from server.ledger.rules import MINUTE_MS
from server.ledger.service import Ledger
from server.ledger.witnesses import Known, Witnesses
from server.verify.bundle import Bundle, Seen, write
from server.verify.check import check
from server.verify.notes import Key, Note, cosign, read_note
from server.verify.program import HOLDS, UNKNOWN, _told, verify
from server.verify.report import Report
from server.verify.tree import Refused
from server.verify.witnessed import SEEN_S, SKEW_S
from server.witness.api import witnessing
from server.witness.memory import Memory
from server.witness.service import Witness
from tests.ledger.world import GENESIS, LESSON, OTHER
from tests.verify.evidence import LESSONS, SmallClass

BOTH_STORES = False
COUNTY = FileSigner(b"c" * 32)


@asynccontextmanager
async def seen_by_the_county(small: SmallClass, folder: Path, true: ManualClock | None = None) -> AsyncIterator[Key]:
    """The class's log with a witness; `true` is the witness's clock where the log's is turned back."""
    world = small.world
    witness = Witness("county", COUNTY, [world.ledger.key], Memory(folder), lambda: (true or world.clock).ms() // 1000)
    async with witnessing(witness, "127.0.0.1", 0) as url:
        asked = Witnesses([Known(url, witness.key)], world.clock)
        world.ledger = Ledger(world.database, world.clock, world.folder, world.signer, asked)
        await world.ledger.round()
        yield witness.key


def keys(small: SmallClass, *more: Key) -> list[Key]:
    return [small.world.ledger.key, *more]


def told(report: Report) -> str:
    return "\n".join(_told(report))


async def test_minutes_that_were_seen_in_time(small: SmallClass, tmp_path: Path) -> None:
    async with seen_by_the_county(small, tmp_path) as county:
        await small.attend()
        bundle = await small.bundle()
    report = check(bundle, keys(small, county))
    assert (report.authentic, report.unwitnessed, [one.key for one in report.witnesses]) == (True, (), [county])
    assert "见证 · witnesses: county" in told(report)


async def test_nobody_saw_them(small: SmallClass) -> None:
    await small.attend()
    report = check(await small.bundle(), keys(small))
    assert (report.authentic, len(report.unwitnessed)) == (True, 3)
    assert "无外部见证" in told(report)


async def test_a_witness_that_is_not_trusted_did_not_see_them(small: SmallClass, tmp_path: Path) -> None:
    async with seen_by_the_county(small, tmp_path):
        await small.attend()
        report = check(await small.bundle(), keys(small))
    assert (report.witnesses, len(report.unwitnessed)) == ((), 3)


async def test_a_witness_of_the_operator_is_called_so(small: SmallClass, tmp_path: Path) -> None:
    await small.attend()
    bundle = await small.bundle()
    own = Key("not-independent/demo", county_key().kind, COUNTY.public)
    text = read_note(bundle.checkpoint)
    seen = cosign(text.text, own.name, COUNTY, (GENESIS + 4) * 60)
    signed = replace(bundle, checkpoint=str(Note(text.text, (*text.signatures, seen))))
    report = check(signed, keys(small, own))
    assert "见证方非独立" in told(report)
    assert "无外部见证" not in told(report)


async def test_a_log_that_was_made_up_a_week_later_was_not_seen_in_time(small: SmallClass, tmp_path: Path) -> None:
    """Back-dated: a real key signs a log whose clock was turned back; the witness dates it by its own."""
    true = ManualClock((GENESIS + 7 * 24 * 60) * MINUTE_MS)
    async with seen_by_the_county(small, tmp_path, true) as county:
        await small.attend()
        report = check(await small.bundle(), keys(small, county))
    assert report.unwitnessed == (GENESIS, GENESIS + 1, GENESIS + 2)
    assert "未及时见证的分钟 · minutes not witnessed in time: 3" in told(report)


def county_key() -> Key:
    return Witness("county", COUNTY, [], Memory(Path("build/unused")), lambda: 0).key


async def test_what_no_witness_of_the_readers_saw_does_not_hold(small: SmallClass, tmp_path: Path) -> None:
    """Whoever has store and key makes the log anew: the witness signs nothing of it, and its line is left out."""
    async with seen_by_the_county(small, tmp_path / "seen") as county:
        await small.attend(2)
        seen = await small.bundle()
        small.world.ledger = Ledger(small.world.database, small.world.clock, small.world.folder, small.world.signer)
        await small.spend(LESSON, GENESIS + 2)
        await small.spend(OTHER, GENESIS + 2)
        small.world.to(2, 95_000)
        await small.world.ledger.round()
        longer = await small.bundle()
    without = _without_witnesses(seen)
    for bundle, unseen in ((seen, 0), (longer, 3), (without, 2)):
        report = check(bundle, keys(small, county))
        assert (report.consistent, report.n_unseen, report.authentic) == (True, unseen, not unseen)
        assert check(bundle, keys(small)).authentic, "who named no witness asked for none"
        (tmp_path / "evidence.json").write_bytes(write(bundle))
        (tmp_path / "keys").write_text("".join(f"{one}\n" for one in keys(small, county)))
        code, lines = verify(tmp_path / "evidence.json", tmp_path / "keys")
        assert (code, "none of your witnesses" in lines[-1]) == (UNKNOWN if unseen else HOLDS, bool(unseen))


async def test_a_whole_log_that_no_witness_of_the_readers_saw_does_not_hold(small: SmallClass, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("".join(f"{one}\n" for one in keys(small, county_key())))
    await small.attend()
    code, lines = verify(tmp_path / "log", tmp_path / "keys")
    assert (code, "none of your witnesses" in lines[-1]) == (UNKNOWN, True)
    (tmp_path / "keys").write_text(f"{small.world.ledger.key}\n")
    assert verify(tmp_path / "log", tmp_path / "keys")[0] == HOLDS


def _without_witnesses(bundle: Bundle) -> Bundle:
    note = read_note(bundle.checkpoint)
    (log,) = (one for one in note.signatures if one.name == note.text.split("\n")[0])
    return replace(bundle, checkpoint=str(Note(note.text, (log,))), seen=())


@pytest.mark.parametrize(
    ("late_s", "in_time"), [(SEEN_S, True), (SEEN_S + 1, False), (-SKEW_S, True), (-SKEW_S - 1, False)]
)
async def test_what_in_time_means(small: SmallClass, late_s: int, in_time: bool) -> None:
    await small.attend(1)
    bundle, county = await small.bundle(), county_key()
    note = read_note(bundle.checkpoint)
    seen = cosign(note.text, "county", COUNTY, (GENESIS + 1) * 60 + late_s)
    report = check(replace(bundle, checkpoint=str(Note(note.text, (*note.signatures, seen)))), keys(small, county))
    assert (report.unwitnessed == ()) is in_time


async def test_each_stretch_has_its_own_signature(small: SmallClass, tmp_path: Path) -> None:
    """Two lessons a day apart: each is seen when it was held, not only at the end."""
    async with seen_by_the_county(small, tmp_path) as county:
        await small.attend(2, {LESSON: LESSONS[LESSON]})
        small.world.to(1500, 95_000)
        await small.spend(OTHER, GENESIS + 1500)
        await small.world.ledger.round()
        bundle = await small.bundle()
    assert len(bundle.seen) == 2
    assert check(bundle, keys(small, county)).unwitnessed == ()
    assert len(check(replace(bundle, seen=()), keys(small, county)).unwitnessed) == 2


async def test_a_checkpoint_of_another_history_or_log_is_refused(small: SmallClass, tmp_path: Path) -> None:
    async with seen_by_the_county(small, tmp_path) as county:
        await small.attend()
        bundle = await small.bundle()
    (seen,) = bundle.seen
    for other in _others(bundle, seen):
        with pytest.raises(Refused):
            check(replace(bundle, seen=(other,)), keys(small, county))


def _others(bundle: Bundle, seen: Seen) -> list[Seen]:
    note = read_note(seen.note)
    origin, size, root, *rest = note.text.split("\n")
    texts = ["\n".join([f"{origin}x", size, root, *rest]), "\n".join([origin, size, "A" * 43 + "=", *rest])]
    return [
        *(Seen(str(Note(text, (cosign(text, "county", COUNTY, 0),))), seen.path) for text in texts),
        Seen(seen.note, (*seen.path, bytes(32))),
        Seen(seen.note.replace("— county ", "— county A", 1), seen.path),
        Seen("", ()),
    ]
