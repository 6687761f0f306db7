"""An acknowledgement that a page kept, against a package: kept, broken by a minute less, of another log, no such."""

from dataclasses import replace

import pytest

from server.verify.acks import MINUTES_MOST, Ack, read_ack
from server.verify.check import check
from server.verify.tree import Refused
from tests.ledger.world import GENESIS, LESSON
from tests.verify.evidence import SmallClass, _spent

BOTH_STORES = False
JIA = "00000000000000a1"
LINK = bytes(range(32))


def ack(small: SmallClass, sealed: int = 1) -> Ack:
    """Given in the third minute, of which JIA had spent the first ones so; the first `sealed` are sealed."""
    spent = [(GENESIS + slot, _spent(JIA, GENESIS + slot).credit_ms) for slot in range(3)]
    total = sum(ms for _, ms in spent[:sealed])
    return Ack(small.world.ledger.origin, LESSON, JIA, 2, 17, LINK, GENESIS + sealed, total, tuple(spent[sealed:]))


def codes(small: SmallClass, bundle: object, kept: Ack) -> list[str]:
    note = small.world.ledger.attest(str(kept))
    found = check(bundle, [small.world.ledger.key], receipts=[note])  # type: ignore[arg-type]
    assert found.receipts == 1
    return [one.code for one in found.findings]


async def test_a_package_keeps_what_was_acknowledged(small: SmallClass) -> None:
    await small.attend()
    bundle = await small.bundle()
    for sealed in range(4):
        assert codes(small, bundle, ack(small, sealed)) == []


async def test_a_minute_less_than_acknowledged_is_named(small: SmallClass) -> None:
    await small.attend()
    bundle, said = await small.bundle(), ack(small)
    (slot, ms), *rest = said.minutes
    assert codes(small, bundle, replace(said, minutes=((slot, ms + 1), *rest))) == ["receipt_differs"]
    assert codes(small, bundle, replace(said, sealed_ms=said.sealed_ms + 1)) == ["receipt_differs"]
    assert codes(small, bundle, replace(said, sealed_ms=said.sealed_ms - 1)) == ["receipt_differs"]
    assert codes(small, bundle, replace(said, person_id="00000000000000a9")) == ["receipt_differs"]


async def test_it_names_a_log_built_anew_without_a_minute(small: SmallClass) -> None:
    await small.attend(2)
    assert codes(small, await small.bundle(), ack(small, 3)) == ["receipt_differs"]


async def test_it_must_be_of_this_log_and_signed(small: SmallClass) -> None:
    await small.attend()
    bundle, note = await small.bundle(), small.world.ledger.attest(str(ack(small)))
    with pytest.raises(Refused, match="is false"):
        check(bundle, [small.world.ledger.key], receipts=[note.replace("lease 2 17", "lease 2 18")])
    elsewhere = small.world.ledger.attest(str(replace(ack(small), origin="keshi/other")))
    with pytest.raises(Refused, match="another log"):
        check(bundle, [small.world.ledger.key], receipts=[elsewhere])


@pytest.mark.parametrize(
    "change",
    [
        ("keshi-ack/v1", "keshi-ack/v2"),
        ("lease 2 17", "lease 2 017"),
        ("lease 2 17 ", "lease 2 17 A"),
        ("lease 2 17 ", "lease 2 17 AAAA\n"),
        ("sealed ", "sealed -"),
        ("minute ", "minutes "),
        ("\nperson", "\n\nperson"),
        ("minute 3 4\n", "minute 3 4\n" * (MINUTES_MOST + 1)),
    ],
)
def test_other_texts_are_no_acknowledgements(change: tuple[str, str]) -> None:
    said = Ack("keshi/x", LESSON, JIA, 2, 17, LINK, 5, 60_000, ((3, 4),))
    assert read_ack(str(said)) == said
    assert read_ack(str(replace(said, link=b"", minutes=()))) == replace(said, link=b"", minutes=())
    with pytest.raises(Refused):
        read_ack(str(said).replace(*change, 1))
