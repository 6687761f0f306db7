"""核验.html and a log that changed its key or began anew: it says what `keshi verify` says, and shows it."""

from dataclasses import replace
from pathlib import Path

import pytest

from server.verify.notes import Note, read_key, read_note, sign
from server.verify.words import SUCCESSOR
from tests.e2e.test_checker import checker, drop, file, keys_file, package, small
from tests.verify.evidence import SmallClass
from tests.verify.test_handover import rotated
from tests.verify.test_trust import Case, known_cases

__all__ = ["small"]

pytestmark = pytest.mark.timeout(240)


async def test_the_first_key_is_enough_and_the_change_is_shown(
    small: SmallClass, tmp_path: Path, chromium: str | None
) -> None:
    old, signer = small.world.ledger.key, small.world.signer
    new = (await rotated(small)).key
    bundle = await small.bundle()
    text = read_note(bundle.checkpoint).text
    by_the_old = replace(bundle, checkpoint=str(Note(text, (sign(text, old.name, signer),))))
    for key, shown, verdict in ((old, bundle, "holds"), (new, bundle, "holds"), (old, by_the_old, "unknown")):
        async with checker(tmp_path, chromium) as page:
            assert await drop(page, package(shown), keys_file(key)) == (verdict, [])
            assert "换过密钥" in await page.locator("[data-test=handover]").inner_text()


@pytest.mark.parametrize("one", [one for one in known_cases() if "successor, " in one.name], ids=lambda one: one.name)
async def test_a_successor_counts_only_with_its_own_key(one: Case, tmp_path: Path, chromium: str | None) -> None:
    async with checker(tmp_path, chromium) as page:
        verdict = await drop(page, file(one.evidence.encode()), keys_file(*map(read_key, one.trust)))
        assert verdict == ("holds" if one.authentic else "unknown", [])
        said = await page.locator("[data-test=verdict]").inner_text()
        assert (SUCCESSOR[0] in said) != one.authentic
