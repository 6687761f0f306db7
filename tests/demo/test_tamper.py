"""改一条试试: a change that root can make in the database is found at its minute, and nothing real is touched."""

import zipfile
from functools import partial
from pathlib import Path

import pytest

from server.app import _package_of_copy
from server.core.actor import Actor, Role
from server.core.errors import DomainError
from server.core.wire.declaration import Call
from server.demo.tamper import Tamper
from server.exchange.api import LedgerRequest
from server.settings import Config
from server.verify.program import CHANGED, HOLDS, verify
from tests.exchange.test_evidence import sealed, taught
from tests.school import School, school


def tamper_of(served: School) -> Tamper:
    store = served.house.store
    config = Config.model_validate({"server": {"data": store.folder}})
    package = partial(_package_of_copy, config, store, served.url)
    return Tamper(store.database, served.house.training, store.folder, package)


async def test_one_changed_minute_is_found_at_its_place(tmp_path: Path) -> None:
    async with school(tmp_path / "data") as served:
        await taught(served)
        await sealed(served)
        call, request = Call(Actor(served.ids["admin"], Role.ADMINISTRATOR, "")), LedgerRequest(served.class_id)
        made = await tamper_of(served).try_it(call, request)
        honest = await served.house.exchange.package(served.class_id)
        (tmp_path / "trust").write_text(str(served.house.log.key))
        left = [path.name for path in served.house.store.folder.iterdir() if path.name.startswith("copy-")]
    assert (made.filename, left) == (f"改一条试试-{honest.filename}", [])
    for name, content, expected in (("honest", honest.content, HOLDS), ("made", made.content, CHANGED)):
        (tmp_path / name).write_bytes(content)
        code, lines = verify(tmp_path / name, tmp_path / "trust")
        assert code == expected, lines
    assert any(line.startswith("✗ 第 1 课次 ") and line.endswith("学员 #1 被改动") for line in lines), lines
    with zipfile.ZipFile(tmp_path / "made") as one, zipfile.ZipFile(tmp_path / "honest") as other:
        sheet = next(name for name in one.namelist() if name.endswith(".csv"))
        assert one.read(sheet) != other.read(sheet), "the ledger that is handed in says the new time"
    assert sum("被改动" in line and line.startswith("✗ 第") for line in lines) == 1


async def test_nothing_to_change_yet(tmp_path: Path) -> None:
    async with school(tmp_path / "data") as served:
        call = Call(Actor(served.ids["admin"], Role.ADMINISTRATOR, ""))
        with pytest.raises(DomainError, match="lesson_not_sealed"):
            await tamper_of(served).try_it(call, LedgerRequest(served.class_id))
        with pytest.raises(DomainError, match="not_found"):
            await tamper_of(served).try_it(call, LedgerRequest("0" * 16))
