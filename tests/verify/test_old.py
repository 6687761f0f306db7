"""A package and a receipt of version 0.3 before minutes had summaries, frozen: they hold as they did.

`old/` is never made anew; a later form of records adds its own beside it.
"""

from pathlib import Path

from server.verify.program import HOLDS, verify

OLD = Path(__file__).parent / "old"


def test_an_old_package_and_its_receipt_hold() -> None:
    code, lines = verify(OLD / "evidence.json", OLD / "trust.txt", receipts=[OLD / "receipt.txt"])
    assert code == HOLDS, lines
