"""The house as a whole: no door stands twice, none takes without bound. Who may not pass is walked in tests/wire."""

from pathlib import Path

from server.app import build, open_store
from server.core.clock import SystemClock, is_wrong
from server.core.signing import FileSigner, open_signer
from server.core.wire.declaration import JSON_LIMIT_BYTES
from server.settings import Config
from server.verify.notes import Checkpoint, Note, sign
from server.verify.tree import EMPTY
from server.witness.api import witnessing
from server.witness.memory import Memory
from server.witness.service import Witness
from tests.school import school


async def test_no_two_routes_or_events_are_the_same_and_bodies_are_bounded(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        declared = served.house.declarations
        routes = [(route.method, route.path) for route in declared.routes]
        assert len(routes) == len(set(routes))
        events = [command.event for command in declared.commands]
        assert len(events) == len(set(events))
        assert all((route.body_limit or JSON_LIMIT_BYTES) <= 5 * 1024 * 1024 for route in declared.routes)


async def test_a_witness_whose_clock_is_far_from_ours_stops_lessons(tmp_path: Path) -> None:
    clock = SystemClock()
    data = {"server": {"data": str(tmp_path)}}
    store = open_store(Config.model_validate(data), clock)
    house = build(Config.model_validate(data), store, "http://127.0.0.1", frozenset(), demo=False)
    own = FileSigner(bytes(32))
    ahead = Witness("county", own, [house.log.key], Memory(tmp_path / "seen"), lambda: clock.ms() // 1000 + 40)
    async with witnessing(ahead, "127.0.0.1", 0) as url:
        config = Config.model_validate({**data, "ledger": {"witnesses": [{"url": url, "key": str(ahead.key)}]}})
        seen = build(config, open_store(config, clock), "http://127.0.0.1", frozenset(), demo=False)
        said = Checkpoint(seen.log.key.name, 0, EMPTY)
        note = Note(str(said), (sign(str(said), seen.log.key.name, open_signer(tmp_path / "keys")),))
        await seen.log.witnesses.cosign(note, said, lambda _level, _index: EMPTY)
    assert is_wrong(clock)
    for one in (house, seen):
        one.accounts.close()
        await one.store.database.close()
