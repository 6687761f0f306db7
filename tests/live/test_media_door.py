"""Media behind live's door: tokens, rooms, and what comes back."""

import asyncio
from pathlib import Path

import jwt

from media.api import MAX_TOKEN_SECONDS, MediaEvent, MediaSettings
from media.turn import CREDENTIAL_SECONDS
from server.core.clock import ManualClock
from server.core.tasks import Tasks
from server.live.media_door import EmbeddedMedia
from tests.school import school

KEY = b"0123456789abcdef0123456789abcdef"


def _door() -> tuple[EmbeddedMedia, Tasks]:
    tasks = Tasks()
    return EmbeddedMedia(MediaSettings(), KEY, ManualClock(1_000_000), tasks), tasks


async def test_tokens_name_room_peer_and_kind_and_end_soon() -> None:
    door, _ = _door()
    for publish, kind in ((True, "publish"), (False, "watch")):
        claims = jwt.decode(door.token("room1", "peer1", publish), options={"verify_signature": False})
        assert (claims["room"], claims["sub"], claims["kind"]) == ("room1", "peer1", kind)
        assert (claims["iat"], claims["exp"]) == (1_000, 1_000 + MAX_TOKEN_SECONDS)


async def test_only_a_publisher_coming_or_going_is_passed_on() -> None:
    door, tasks = _door()
    heard: list[tuple[str, bool]] = []

    async def published(room: str, live: bool) -> None:
        heard.append((room, live))

    door.on_published.append(published)
    for kind in ("publisher_live", "viewer_live", "viewer_gone", "publisher_gone"):
        door._event(MediaEvent(kind, "room1", "peer1", 0))  # type: ignore[arg-type]
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    assert heard == [("room1", True), ("room1", False)]
    await tasks.close()


async def test_rooms_open_and_close() -> None:
    door, _ = _door()
    await door.media.start()
    try:
        await door.open_room("room1")
        assert door.media.stats("room1").viewers == ()
        await door.cut("nobody")
        await door.close_room("room1")
    finally:
        await door.media.stop()


async def test_a_page_is_told_of_turn_with_its_media(tmp_path: Path) -> None:
    (tmp_path / "turn.secret").write_bytes(b"sixteen bytes ok")
    servers = [{"urls": ["turn:a"], "secret_file": "turn.secret"}, {"urls": ["stun:b"]}]
    async with school(tmp_path, groups={"media": {"ice_servers": servers}}) as served, served.page("jia") as page:
        turn, stun = (await page.join())["media"]["ice"]
        end = served.clock.ms() // 1000 + CREDENTIAL_SECONDS
        assert (turn["urls"], turn["username"], len(turn["credential"])) == (["turn:a"], f"{end}:keshi", 28)
        assert stun == {"urls": ["stun:b"], "username": "", "credential": ""}
