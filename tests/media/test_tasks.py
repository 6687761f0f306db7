"""No task is lost, no exception silent."""

import asyncio
from collections import Counter
from typing import Any

from media.tasks import Tasks, spare


async def test_what_a_task_raises_reaches_the_loop() -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    async def fail() -> None:
        raise RuntimeError("work")

    tasks = Tasks()
    tasks.spawn(fail(), "broken")
    await asyncio.sleep(0.01)
    assert [(each["message"], str(each["exception"])) for each in told] == [("media task broken failed", "work")]
    await tasks.close()


async def test_closing_ends_what_runs() -> None:
    tasks = Tasks()
    task = tasks.spawn(asyncio.sleep(60), "long")
    await tasks.close()
    assert task.cancelled()


async def test_what_is_spared_is_counted_and_told_once() -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    counts: Counter[str] = Counter()
    for _ in range(3):
        with spare("work", counts):
            raise RuntimeError("one")
    assert counts == {"tick_failed": 3}
    assert [(each["message"], str(each["exception"])) for each in told] == [("media: work failed", "one")]
