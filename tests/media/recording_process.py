"""A media process that records the room `lesson` in the folder of its first argument until it is killed."""

import asyncio
import sys
from pathlib import Path

from aiohttp import web

from media.api import MediaSettings, build
from tests.media.conftest import KEY


async def serve(folder: Path) -> None:
    media = build(MediaSettings(recordings=folder), KEY, lambda _event: None)
    await media.start()
    await media.open_room("lesson")
    app = web.Application()
    media.routes(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
