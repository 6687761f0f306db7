"""The actors of a demo lesson as a process of their own: `python -m server.demo.players`, the plan on its input.

It ends with the lesson, or as soon as its input is closed: it never outlives the server that started it.
"""

import asyncio
import json
import sys

from server.core.clock import SystemClock
from server.core.tasks import Tasks
from server.demo.scripts import SCRIPTS
from server.demo.stage import Part, Plan, Stage, read_plan
from server.demo.teacher import teach


async def perform(plan: Plan) -> None:
    """Play the whole lesson. A trainee who fails is noted and does not stop the others; without a teacher it ends."""
    stage = Stage(plan, SystemClock())
    tasks = Tasks()
    try:
        trainees = [tasks.spawn(part.script, _play(stage, part)) for part in plan.trainees]
        await teach(stage, plan.teacher)
        await asyncio.gather(*trainees)
    except Exception as error:
        stage.say(plan.teacher, f"演示课中止：{type(error).__name__} {error}")
        raise
    finally:
        await tasks.close()
        await stage.close()


async def _play(stage: Stage, part: Part) -> None:
    try:
        await SCRIPTS[part.script](stage, part)
    except Exception as error:  # noqa: BLE001  one actor who fails does not end the play
        stage.say(part, f"没有演完：{type(error).__name__} {error}")


async def main() -> None:
    """Read the plan, play it, stop when the other end of the pipe is gone."""
    loop = asyncio.get_running_loop()
    pipe = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(pipe), sys.stdin)
    plan = read_plan(json.loads(await pipe.readline()))
    tasks = Tasks()
    play = tasks.spawn("perform", perform(plan))
    await asyncio.wait({play, tasks.spawn("parent", pipe.read())}, return_when=asyncio.FIRST_COMPLETED)
    await tasks.close()


if __name__ == "__main__":
    asyncio.run(main())
