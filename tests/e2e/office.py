"""A school set up through the doors only, without any demo: init, one-time links, class, roster, slips, first login."""

from dataclasses import dataclass
from typing import Any

from server.accounts.id_number import check_digit
from server.core.clock import MINUTE_MS, iso
from server.demo.page import Answer, Login, Socket, browser, sign_in

PASSWORD = "a-long-enough-password"


@dataclass
class Office:
    """Everybody who sits at a desk, signed in, and their class."""

    url: str
    administrator: Login
    staff: Login
    instructor: Login
    class_id: str

    async def close(self) -> None:
        for login in (self.administrator, self.staff, self.instructor):
            await login.close()

    async def lesson(self, number: int, start_ms: int) -> str:
        """Plan a lesson of an hour."""
        plan = {"planned_start": iso(start_ms), "planned_end": iso(start_ms + 60 * MINUTE_MS)}
        fields = {"number": number, "title": f"第 {number} 课", "subject_kind": "theory", **plan}
        fields["instructor_id"] = self.instructor.me["id"]
        made: str = (await self.staff.post(f"/api/v1/classes/{self.class_id}/lessons", fields))["id"]
        return made

    async def roster(self, names: list[str]) -> Answer:
        """Upload a roster as .csv."""
        rows = [f"{name},{id_number(at)},1380000{at:04d}" for at, name in enumerate(names)]
        return await self.upload("\r\n".join(["姓名,身份证号,联系电话", *rows]).encode())

    async def upload(self, content: bytes) -> Answer:
        path = f"{self.url}/api/v1/classes/{self.class_id}/roster?filename=roster.csv"
        async with self.staff.http.post(path, data=content) as response:
            assert response.status == 200, await response.text()
            answer: Answer = await response.json()
            return answer

    async def trainees(self) -> dict[str, Login]:
        """Print the slips and let everybody set a password with their code; signed in, by name."""
        printed = await self.staff.post(f"/api/v1/classes/{self.class_id}/slips", {"person_ids": None})
        found = {}
        for slip in printed["slips"]:
            secret = f"{printed['class_token']}:{slip['code']}"
            found[slip["name"]] = await first_login(self.url, secret)
        return found

    async def stage(self, lesson_id: str) -> Socket:
        """The instructor at the stage: joined, not started."""
        control = Socket(self.instructor)
        await control.open()
        await control.call("lesson:join", lesson_id=lesson_id, device="desktop", page="the-instructor")
        return control

    async def rows(self, lesson_id: str) -> dict[str, Any]:
        """The lesson's strips by name."""
        strips = await self.staff.get(f"/api/v1/lessons/{lesson_id}/strips")
        return {row["name"]: row for row in strips["rows"]}


async def first_login(url: str, secret: str) -> Login:
    """Open a one-time secret and set a password."""
    opened = browser(url)
    assert (await opened.post("/api/v1/invitations/open", {"secret": secret}))["needs"] == "password"
    opened.me = await opened.post("/api/v1/invitations/redeem", {"secret": secret, "password": PASSWORD})
    return opened


async def set_up(url: str, secret: str) -> Office:
    """From the administrator's one-time link to an empty class."""
    administrator = await first_login(url, secret)
    home = await administrator.post("/api/v1/institutions", {"name": "测试学校", "area": "371525"})
    people = {"institution_id": home["id"], "area": None}
    person = {"role": "staff", "name": "教务", "login": "office", **people}
    staff = await first_login(url, _secret(await administrator.post("/api/v1/people", person)))
    person = {"role": "instructor", "name": "讲师", "login": "lecturer", **people}
    instructor = await first_login(url, _secret(await staff.post("/api/v1/people", person)))
    fields = {"code": "C-1", "name": "测试班", "institution_id": None, "occupation": "养老护理员", "level": "五级"}
    days = {"starts_on": "2026-01-01", "ends_on": "2027-12-31", "required_hours": 40}
    made = await staff.post("/api/v1/classes", {**fields, **days})
    return Office(url, administrator, staff, instructor, made["id"])


async def again(url: str, login: Login) -> Login:
    """The same person in another browser."""
    return await sign_in(url, login.me["login"], PASSWORD)


def id_number(serial: int) -> str:
    """A well-formed number with an invented day of birth."""
    body = f"11010119700101{serial + 1:03d}"
    return body + check_digit(body)


def _secret(made: Answer) -> str:
    link: str = made["link"]
    return link.rpartition("/")[2]
