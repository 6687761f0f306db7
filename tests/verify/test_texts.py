"""A name that stands twice in an object is refused; web/src/verify/json.test.ts reads the same cases."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from server.verify import identity
from server.verify.bundle import read
from server.verify.texts import parsed
from server.verify.tree import Refused

HERE = Path(__file__).parent
CASES = json.loads((HERE / "doubled.json").read_text())
EVIDENCE = json.loads((HERE / "deleted.json").read_text())[0]["evidence"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_no_name_stands_twice(case: dict[str, Any]) -> None:
    if case["holds"]:
        assert parsed(case["text"]) == parsed(case["text"].encode()) == json.loads(case["text"])
        return
    with pytest.raises(Refused):
        parsed(case["text"])


@pytest.mark.parametrize("name", ["format", "genesis", "number", "seat", "credit_ms", "index", "records", "path"])
def test_no_field_of_evidence_stands_twice(name: str) -> None:
    field = re.search(rf'"{name}":(?:"[^"]*"|\d+|\[\])', EVIDENCE)
    assert field is not None
    with pytest.raises(Refused):
        read(EVIDENCE.replace(field[0], f"{field[0]},{field[0]}", 1).encode())


def test_nobody_has_two_salts() -> None:
    raw = identity.write({"00000000000000a1": bytes(16)})
    pair = raw[raw.index(b'"00') : -2]
    with pytest.raises(Refused):
        identity.read(raw.replace(pair, pair + b"," + pair))
