"""No task is lost, none fails unseen."""

import asyncio
import gc

from server.core.tasks import Tasks


async def test_a_task_is_kept_alive_and_its_result_can_be_awaited() -> None:
    tasks = Tasks()

    async def work() -> int:
        await asyncio.sleep(0.01)
        return 7

    task = tasks.spawn("work", work())
    gc.collect()
    assert await task == 7
    assert tasks.failures == 0


async def test_a_failure_is_counted() -> None:
    tasks = Tasks()

    async def fail() -> None:
        raise RuntimeError("broken")

    tasks.spawn("fail", fail())
    await asyncio.sleep(0.01)
    assert tasks.failures == 1


async def test_a_failing_round_does_not_end_the_job() -> None:
    tasks, rounds = Tasks(), 0

    async def work() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise RuntimeError("once")

    tasks.every("job", 0.001, work)
    while rounds < 3:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    await tasks.close()
    assert tasks.failures == 1


async def test_close_cancels_what_runs_and_waits_for_it() -> None:
    tasks, ended = Tasks(), False

    async def work() -> None:
        nonlocal ended
        try:
            await asyncio.sleep(60)
        finally:
            ended = True

    task = tasks.spawn("work", work())
    await asyncio.sleep(0)
    await tasks.close()
    assert ended
    assert task.cancelled()
