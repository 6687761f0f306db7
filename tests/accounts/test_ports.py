"""Before the floors above plug themselves in, nobody belongs anywhere, and nothing breaks."""

from server.accounts.ports import Nowhere, Places
from server.core.actor import Actor, Role


async def test_nowhere() -> None:
    nowhere: Places = Nowhere()
    assert await nowhere.institution_of("i1") is None
    assert await nowhere.name_of_scope("token") is None
    assert await nowhere.scope_for(Actor("p1", Role.STAFF, "s1", "i1"), "p2") is None
