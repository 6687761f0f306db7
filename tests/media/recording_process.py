"""A media process that records the room `lesson` in the folder of its first argument until it is killed."""

import asyncio
import sys
from pathlib import Path

from media.api import MediaSettings
from tests.media.conftest import served


async def serve(folder: Path) -> None:
    async with served(MediaSettings(recordings=folder), lambda _event: None) as (_, base):
        print(base, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
