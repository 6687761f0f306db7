"""A lesson attended from the second machine, without a browser: what a teacher, a trainee and an office do there.

`python -m tests.network.visitor` reads its part as JSON from the command line and prints what it met as JSON. Teacher
and trainee have an address each; whom it trusts stands in SSL_CERT_FILE.
"""

import asyncio
import json
import sys
from typing import Any

import aiohttp

from server.core.clock import elapsed_ms
from server.demo.page import Login, Page, Refused, Socket
from tests.media.clients import EncodedAudio, EncodedVideo, h264_pictures, opus_packets, publish, watch

PICTURES = 5
#: what a client may write into its requests; it must have no effect
SPOOFED = "198.51.100.1"
MEDIA_S = 20.0


async def sign_in(part: dict[str, Any], who: str, address: str) -> Login:
    """Sign in from one of the two addresses. Raises Refused."""
    http = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(local_addr=(address, 0)),
        cookie_jar=aiohttp.CookieJar(unsafe=True),
        headers={"Origin": part["url"], "X-Forwarded-For": SPOOFED},
    )
    login = Login(part["url"], http)
    login.me = await login.post("/api/v1/login", {"login": who, "password": part["password"]})
    return login


async def upload(office: Login, class_id: str, size: int) -> str:
    """How a roster of so many bytes is refused."""
    path = f"{office.url}/api/v1/classes/{class_id}/roster?filename=x.xlsx"
    async with office.http.post(path, data=b"0" * size) as response:
        if response.content_type != "application/json":
            return f"{response.status} {response.content_type}"
        return str((await response.json())["code"])


async def lesson(part: dict[str, Any], teacher: Login, trainee: Login) -> dict[str, Any]:
    """The teacher's picture reaches the trainee, who beats meanwhile."""
    control = Socket(teacher)
    await control.open()
    joined = await control.call("lesson:join", lesson_id=part["lesson_id"], device="desktop", page="the-teacher")
    await control.call("lesson:start", lesson_id=part["lesson_id"])
    page = Page(trainee, part["lesson_id"], "phone", elapsed_ms)
    entered = await page.join()
    tracks = EncodedAudio(opus_packets(50)), EncodedVideo(h264_pictures(30), rate=30)
    room = part["lesson_id"]
    sender = await publish(teacher.http, part["url"], room, joined["media"]["token"], *tracks)
    receiver, received = await watch(trainee.http, part["url"], room, entered["media"]["token"])
    async with asyncio.timeout(MEDIA_S):
        await asyncio.gather(sender.connected(), receiver.connected())
        for _ in range(PICTURES):
            await received["video"].recv()
    beat = await page.beat()
    left = [await client.delete() for client in (sender, receiver)]
    for client in (sender, receiver):
        await client.close()
    await page.drop()
    await control.close()
    return {"location": sender.location, "deleted": left, "seq": beat["seq"]}


async def main(part: dict[str, Any]) -> dict[str, Any]:
    """Everything, in order."""
    teacher = await sign_in(part, "teacher", part["first"])
    trainee = await sign_in(part, "jia", part["second"])
    office = await sign_in(part, "staff", part["second"])
    try:
        await trainee.post("/api/v1/login", {"login": "jia", "password": "wrong"})
    except Refused as refused:
        wrong = refused.code
    found = await lesson(part, teacher, trainee)
    found["cookies"] = sorted({cookie.key for cookie in teacher.http.cookie_jar})
    found["wrong"] = wrong
    found["uploads"] = [await upload(office, part["class_id"], size) for size in part["sizes"]]
    async with teacher.http.get(f"{part['url']}/learn.html") as response:
        found["page"] = response.status
        found["headers"] = dict(response.headers)
    for login in (teacher, trainee, office):
        await login.close()
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.loads(sys.argv[1])))))
