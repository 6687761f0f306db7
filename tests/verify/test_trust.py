"""Who a package is from after its log changed its key or began anew: Python and the pages say the same of one file.

`handovers.json` is read by web/src/verify/handover.test.ts too. `cases` makes it anew, from a log that really ran.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from server.core.signing import FileSigner
from server.ledger.rules import SEAL_AFTER_MS
from server.ledger.service import Ledger
from server.ledger.witnesses import Known, Witnesses
from server.verify.bundle import Bundle, read, write
from server.verify.check import check
from server.verify.handover import hand_over
from server.verify.notes import Key, Kind, Note, read_key, read_note, sign
from server.verify.program import HOLDS, UNKNOWN, verify
from server.witness.api import witnessing
from server.witness.memory import Memory
from server.witness.service import Witness
from tests.ledger.world import GENESIS
from tests.verify.evidence import LESSONS, SmallClass

BOTH_STORES = False

FILE = Path(__file__).parent / "handovers.json"
COUNTY, NEXT = FileSigner(b"c" * 32), FileSigner(b"n" * 32)


@dataclass(frozen=True)
class Case:
    """A package, what its reader trusts, and what is to be said of it."""

    name: str
    trust: list[str]
    evidence: str
    authentic: bool
    witnesses: list[str]
    unwitnessed: int


def case(name: str, bundle: Bundle, trust: Iterable[Key], authentic: bool) -> Case:
    known = list(trust)
    report = check(bundle, known)
    assert report.consistent
    names = [one.key.name for one in report.witnesses]
    return Case(name, list(map(str, known)), write(bundle).decode(), authentic, names, len(report.unwitnessed))


def resigned(bundle: Bundle, key: Key, signer: FileSigner) -> Bundle:
    text = read_note(bundle.checkpoint).text
    return replace(bundle, checkpoint=str(Note(text, (sign(text, key.name, signer),))))


async def handed(small: SmallClass, folder: Path, after: Key, signer: FileSigner) -> tuple[Bundle, Key]:
    """A class whose log was handed over after its first minute; a witness saw it before and afterwards."""
    world = small.world
    before = world.ledger.key
    county = Witness("county", COUNTY, [before, after], Memory(folder), lambda: world.clock.ms() // 1000)
    async with witnessing(county, "127.0.0.1", 0) as url:
        asked = Witnesses([Known(url, county.key)], world.clock)
        world.ledger = Ledger(world.database, world.clock, world.folder, world.signer, asked)
        await small.attend(1)
        note = hand_over((before, world.signer), (after, signer), world.folder.said() or "")
        world.ledger = Ledger(world.database, world.clock, world.folder, signer, asked, [note])
        for slot in (1, 2):
            for lesson_id in LESSONS:
                await small.spend(lesson_id, GENESIS + slot)
            world.to(slot, SEAL_AFTER_MS)
            await world.ledger.round()
    return await small.bundle(), county.key


async def cases_of_a_changed_key(small: SmallClass, folder: Path) -> list[Case]:
    old, signer = small.world.ledger.key, small.world.signer
    new = Key(old.name, Kind.LOG, NEXT.public)
    bundle, county = await handed(small, folder, new, NEXT)
    forged = resigned(bundle, old, signer)
    return [
        case("changed key, the old one trusted", bundle, [old, county], True),
        case("changed key, the new one trusted", bundle, [new, county], True),
        case("changed key, none trusted", bundle, [], False),
        case("signed later by the key that was replaced", forged, [old, county], False),
        case("signed later by the key that was replaced, both trusted", forged, [old, new, county], False),
    ]


async def cases_of_a_successor(small: SmallClass, folder: Path) -> list[Case]:
    old, signer = small.world.ledger.key, small.world.signer
    new = Key(f"{old.name}/2", Kind.LOG, signer.public)
    bundle, county = await handed(small, folder, new, signer)
    alone = replace(bundle, seen=())
    return [
        case("successor, the old key trusted", bundle, [old, county], False),
        case("successor that nobody saw before, the old key trusted", alone, [old], False),
        case("successor, its own key trusted", bundle, [new, county], True),
        case("successor, both keys trusted", bundle, [old, new, county], True),
    ]


def known_cases() -> list[Case]:
    return [Case(**one) for one in json.loads(FILE.read_text(encoding="utf-8"))]


def same(one: Case) -> tuple[str, bool, list[str], int]:
    return one.name, one.authentic, one.witnesses, one.unwitnessed


@pytest.mark.parametrize("one", known_cases(), ids=lambda one: one.name)
def test_what_is_said_of_the_files_that_the_pages_read_too(one: Case) -> None:
    report = check(read(one.evidence.encode()), map(read_key, one.trust))
    found = ([seen.key.name for seen in report.witnesses], len(report.unwitnessed))
    assert (report.consistent, report.authentic, *found) == (True, one.authentic, one.witnesses, one.unwitnessed)


async def test_a_log_that_changes_its_key_today_is_judged_as_those_files(small: SmallClass, tmp_path: Path) -> None:
    made = await cases_of_a_changed_key(small, tmp_path / "seen")
    assert [same(one) for one in made] == [same(one) for one in known_cases()[: len(made)]]


async def test_a_log_that_begins_anew_today_is_judged_as_those_files(small: SmallClass, tmp_path: Path) -> None:
    made = await cases_of_a_successor(small, tmp_path / "seen")
    assert [same(one) for one in made] == [same(one) for one in known_cases()[-len(made) :]]


async def test_a_log_made_anew_with_other_minutes_is_not_confirmed_by_the_old_key(
    small: SmallClass, tmp_path: Path
) -> None:
    """Whoever has root, store and key makes all leaves anew and calls it a successor."""
    world = small.world
    old = world.ledger.key
    new = Key(f"{old.name}/2", Kind.LOG, world.signer.public)
    note = hand_over((old, world.signer), (new, world.signer), "")
    world.ledger = Ledger(world.database, world.clock, world.folder, world.signer, handovers=[note])
    await small.attend()
    (tmp_path / "evidence.json").write_bytes(write(await small.bundle()))
    for key, expected in ((old, UNKNOWN), (new, HOLDS)):
        (tmp_path / "keys.txt").write_text(f"{key}\n")
        for target in (tmp_path / "evidence.json", tmp_path / "log"):
            code, lines = verify(target, tmp_path / "keys.txt")
            assert code == expected, lines
            assert ("NOT authenticated: this is a successor log" in lines[-1]) == (expected == UNKNOWN)
