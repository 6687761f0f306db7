"""A 学时回执 against a package: the same, changed later, of another log, not signed, not a receipt."""

from dataclasses import replace
from pathlib import Path

import pytest

from server.attendance.evidence import own_records
from server.attendance.minutes import SealedMinute
from server.core.errors import DomainError
from server.core.signing import FileSigner
from server.verify.bundle import Bundle, write
from server.verify.check import check
from server.verify.notes import Note, sign
from server.verify.program import CHANGED, HOLDS, verify
from server.verify.receipts import FORMAT, Receipt, read_receipt, receipt_of
from server.verify.report import Report
from server.verify.tree import Refused
from tests.ledger.world import GENESIS, LESSON
from tests.verify.evidence import PEOPLE, SmallClass, _spent

BOTH_STORES = False
JIA = "00000000000000a1"


def minutes(person: str = JIA, count: int = 3) -> list[bytes]:
    """What the log was told of somebody's minutes."""
    sealed = (SealedMinute(GENESIS + slot, 60_000, (_spent(person, GENESIS + slot),)) for slot in range(count))
    return own_records(LESSON, person, sealed)


async def receipt(small: SmallClass, records: list[bytes], person: str = JIA) -> str:
    said = receipt_of(small.world.ledger.key.name, LESSON, person, records)
    return await small.world.ledger.vouch(LESSON, str(said))


def held(small: SmallClass, bundle: Bundle, kept: str) -> Report:
    return check(bundle, [small.world.ledger.key], receipts=[kept])


async def test_a_receipt_and_a_package_say_the_same(small: SmallClass) -> None:
    await small.attend()
    bundle = await small.bundle()
    for person in PEOPLE:
        report = held(small, bundle, await receipt(small, minutes(person), person))
        assert (report.authentic, report.receipts) == (True, 1)


async def test_a_correction_leaves_a_receipt_true(small: SmallClass) -> None:
    await small.attend()
    kept = await receipt(small, minutes())
    slot = next(slot for slot in range(3) if _spent(JIA, GENESIS + slot).credit_ms == 40_000)
    await small.correct(JIA, slot, 40_000, 60_000, 4)
    assert held(small, await small.bundle(), kept).consistent


@pytest.mark.parametrize("records", [minutes(count=2), minutes(count=4), minutes("00000000000000a2"), []])
async def test_what_differs_is_named(small: SmallClass, records: list[bytes]) -> None:
    await small.attend()
    report = held(small, await small.bundle(), await receipt(small, records))
    (found,) = report.findings
    assert (found.code, found.lesson, found.seat) == ("receipt_differs", 3, 17)


async def test_a_receipt_names_a_log_built_anew_without_a_minute(small: SmallClass) -> None:
    """The operator leaves a minute out and signs everything again: the package is consistent, the receipt is not."""
    await small.attend(2)
    report = held(small, await small.bundle(), await receipt(small, minutes()))
    assert [one.code for one in report.findings] == ["receipt_differs"]


async def test_whose_receipt_it_is(small: SmallClass) -> None:
    await small.attend()
    bundle, key = await small.bundle(), small.world.ledger.key
    said = receipt_of(key.name, LESSON, JIA, minutes())
    stranger = FileSigner(b"s" * 32)
    unsigned = str(Note(str(said), (sign(str(said), "keshi/other", stranger),)))
    with pytest.raises(Refused, match="did not sign"):
        check(bundle, [key], receipts=[unsigned])
    assert check(bundle, receipts=[unsigned]).receipts == 1, "a reader without keys learns nothing of who signed"
    elsewhere = str(replace(said, origin="keshi/other"))
    with pytest.raises(Refused, match="another log"):
        check(bundle, [key], receipts=[str(Note(elsewhere, (sign(elsewhere, key.name, stranger),)))])
    forged = str(Note(str(said), (sign(str(said), key.name, small.world.signer),))).replace("minutes 3", "minutes 4")
    with pytest.raises(Refused, match="is false"):
        check(bundle, [key], receipts=[forged])


@pytest.mark.parametrize(
    "change",
    [
        ("minutes 3", "minutes 03"),
        ("minutes 3", "minutes -3"),
        ("lesson ", "Lesson "),
        (FORMAT, "keshi-receipt/v2"),
        ("records ", "records A"),
        ("\nperson", "\n\nperson"),
    ],
)
def test_other_texts_are_no_receipts(change: tuple[str, str]) -> None:
    said = str(receipt_of("keshi/x", LESSON, JIA, minutes()))
    assert read_receipt(said) == receipt_of("keshi/x", LESSON, JIA, minutes())
    with pytest.raises(Refused):
        read_receipt(said.replace(*change, 1))


def test_a_digest_has_its_length() -> None:
    with pytest.raises(Refused, match="digest"):
        read_receipt(str(Receipt("keshi/x", LESSON, JIA, 0, 0, b"short")))


async def test_nothing_is_vouched_for_before_it_is_published(small: SmallClass) -> None:
    with pytest.raises(DomainError, match="lesson_not_sealed"):
        await receipt(small, [])
    await small.attend()
    await small.spend(LESSON, GENESIS + 3)
    with pytest.raises(DomainError, match="lesson_not_sealed"):
        await receipt(small, minutes())
    with pytest.raises(ValueError, match="checkpoint"):
        small.world.ledger.attest(f"{small.world.ledger.key.name}\n5\nAAAA\n")


async def test_the_program_takes_receipts(small: SmallClass, tmp_path: Path) -> None:
    await small.attend()
    package, keys, kept = (tmp_path / name for name in ("evidence.json", "keys.txt", "receipt.txt"))
    package.write_bytes(write(await small.bundle()))
    keys.write_text(str(small.world.ledger.key))
    kept.write_text(await receipt(small, minutes()), encoding="utf-8")
    code, lines = verify(package, keys, receipts=[kept])
    assert (code, "学时回执 · receipts: 1" in "\n".join(lines)) == (HOLDS, True)
    kept.write_text(await receipt(small, minutes(count=2)), encoding="utf-8")
    code, lines = verify(package, keys, receipts=[kept])
    assert (code, any("第 3 课次 学员 #17 与学员的学时回执不符" in line for line in lines)) == (CHANGED, True)
