"""核验.html and what pages signed: it says what `keshi verify` says, and says so where a browser cannot look."""

import base64
import random
from dataclasses import replace
from pathlib import Path

import pytest

from server.verify.bundle import Bundle, write
from server.verify.check import check
from server.verify.notes import decode
from server.verify.pages import head_text
from server.verify.signatures import Signed
from tests.attendance.page_key import PageKey
from tests.e2e.test_checker import _expected, checker, drop, file, keys_file, package, sheet, small
from tests.ledger.world import GENESIS, LESSON
from tests.verify.evidence import SmallClass
from tests.verify.test_signatures import EPOCH, FORGED, JIA, ONLY, YI, Keyed, link

__all__ = ["small"]

pytestmark = pytest.mark.timeout(240)

FLIPS = 60
#: a page's file without Web Crypto, as some browsers open it
NO_CRYPTO = "Object.defineProperty(globalThis.crypto, 'subtle', { value: undefined })"


async def test_signatures_are_counted_and_a_browser_that_cannot_look_says_so(
    small: SmallClass, tmp_path: Path, chromium: str | None
) -> None:
    bundle, keys = await Keyed(small).attend(), [small.world.ledger.key]
    async with checker(tmp_path, chromium) as page:
        assert await drop(page, package(bundle, sheet(bundle)), keys_file(*keys)) == ("holds", [])
        assert await page.locator("[data-test=pages]").inner_text() == "8 个学员分钟里，8 个有学员自己页面的签名"
        await page.add_init_script(NO_CRYPTO)
        await page.reload()
        assert await drop(page, package(bundle, sheet(bundle)), keys_file(*keys)) == ("partly", [])
        assert "页面签名没有核对" in await page.locator("[data-test=verdict]").inner_text()
        assert "没有核对" in await page.locator("[data-test=pages]").inner_text()
        forged = without_texts(bundle)
        assert await drop(page, file(write(forged))) == _expected(write(forged), keys)


def without_texts(bundle: Bundle) -> Bundle:
    return replace(bundle, shown=())


async def test_false_signatures_are_named_as_by_keshi_verify(
    small: SmallClass, tmp_path: Path, chromium: str | None
) -> None:
    """Each way to forge one in a minute of its own; the others are right."""
    keyed = Keyed(small)

    def forge(slot: int, one: Signed) -> Signed:
        return FORGED[slot // 2](2, one) if slot % 2 and slot // 2 < len(FORGED) else one

    keyed.forge = forge
    bundle, keys = await keyed.attend(2 * len(FORGED) + 1), [small.world.ledger.key]
    expected = _expected(write(bundle), keys)
    assert len(expected[1]) >= len(FORGED)
    report = check(bundle, keys)
    async with checker(tmp_path, chromium) as page:
        assert await drop(page, file(write(bundle)), keys_file(*keys)) == expected
        counted = f"{report.n_credited} 个学员分钟里，{report.n_signed} 个"
        assert (await page.locator("[data-test=pages]").inner_text()).startswith(counted)


async def test_swapped_keys_old_signatures_and_few_beats_are_named(
    small: SmallClass, tmp_path: Path, chromium: str | None
) -> None:
    keyed, keys = Keyed(small), [small.world.ledger.key]
    await keyed.grant(JIA)
    await keyed.grant(YI, public="")
    for slot in range(9):
        if slot == 6:  # before its key
            await keyed.sign(slot, [keyed.signed(YI, 3, EPOCH + 1)])
        if slot >= 7:
            await keyed.sign(slot, [keyed.signed(JIA, 1 if slot == 7 else 5)])
        await keyed.spend(slot)
    await keyed.grant(YI, 9, EPOCH + 1)
    keyed.keys[YI] = PageKey()
    await keyed.sign(9, [keyed.signed(JIA, 9), keyed.signed(YI, 4, EPOCH + 1)])
    await keyed.spend(9)
    await keyed.sign(10, [standing(keyed, 12, link(9))])
    await keyed.spend(10)
    await keyed.sign(11, [standing(keyed, 12, link(13))])
    await keyed.spend(11)
    bundle = await small.bundle(ONLY)
    expected = _expected(write(bundle), keys)
    told = [(one.slot - GENESIS, one.seat) for one in check(bundle, keys).findings if one.code.startswith("page_sig")]
    assert told == [(6, 18), (7, 17), (9, 18), (10, 17), (11, 17)]
    async with checker(tmp_path, chromium) as page:
        assert await drop(page, file(write(bundle)), keys_file(*keys)) == expected


def standing(keyed: Keyed, seq: int, at: bytes) -> Signed:
    """Seat 17 signs this link, whichever it signed before."""
    text = head_text(LESSON, EPOCH, seq, at)
    return Signed(JIA, EPOCH, seq, at, decode(keyed.keys[JIA].sign(text)))


async def test_damage_to_what_is_shown_is_told_as_by_keshi_verify(
    small: SmallClass, tmp_path: Path, chromium: str | None
) -> None:
    """Bits of the texts themselves, each still in good base64."""
    bundle, keys = await Keyed(small).attend(3), [small.world.ledger.key]
    draw, raw, outcomes = random.Random(17), write(bundle), set()
    async with checker(tmp_path, chromium) as page:
        await drop(page, file(raw), keys_file(*keys))
        for _ in range(FLIPS):
            text = bytearray(whole := draw.choice(bundle.shown))
            text[draw.randrange(len(text))] ^= 1 << draw.randrange(8)
            damaged = raw.replace(base64.b64encode(whole), base64.b64encode(bytes(text)))
            expected = _expected(damaged, keys)
            assert await drop(page, file(damaged)) == expected
            outcomes.add(expected[1][0].split(" ")[-1])
    assert len(outcomes) == 2
