"""Two institutions: enrolling somebody gives no hold on the account that they have elsewhere."""

from pathlib import Path

from server.accounts.people import NewPerson
from server.core.actor import Actor, Role
from server.training.service import NewClass
from tests.school import PASSWORD, school


async def test_another_institution_cannot_reset_or_give_slips_to_somebody_with_a_password(tmp_path: Path) -> None:
    async with school(tmp_path) as served:
        house, administrator = served.house, Actor("", Role.ADMINISTRATOR, "")
        other = await house.training.create_institution("另一所学校", "371525")
        staff = await house.accounts.create_person(NewPerson(Role.STAFF, "另", "neighbour", other.id))
        await house.accounts.set_password(staff.id, PASSWORD)
        new = NewClass("D-1", "另一班", other.id, "养老护理员", "五级", "2026-11-01", "2026-12-31", 40)
        theirs = await house.training.create_class(administrator, new)
        jia = served.ids["jia"]
        await house.training.enrol_all(theirs.id, [jia])
        async with served.http("neighbour") as session:
            for path, body in ((f"people/{jia}/reset", {}), (f"classes/{theirs.id}/slips", {"person_ids": [jia]})):
                async with session.post(f"/api/v1/{path}", json=body) as answer:
                    assert (answer.status, (await answer.json())["code"]) == (404, "not_found"), path
        async with served.http("jia"):
            pass  # the old password still opens
        for who in ("staff", "admin"):
            async with served.http(who) as session, session.post(f"/api/v1/people/{jia}/reset", json={}) as answer:
                assert answer.status == 200, who
