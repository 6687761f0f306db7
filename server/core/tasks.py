"""Decides how work runs beside requests: no task is ever lost, and none fails unseen. The only home of create_task."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

log = structlog.get_logger("tasks")


class Tasks:
    """A group of running tasks that is closed as one."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self.failures = 0

    def spawn(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `work` now; a failure is logged with the task's name and counted."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def every(self, name: str, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` again and again with `seconds` between; a failing round is logged and the next one still comes."""

        async def rounds() -> None:
            while True:
                await asyncio.sleep(seconds)
                try:
                    await work()
                except Exception as error:  # noqa: BLE001  one bad round must not end the job
                    self._failed(name, error)

        self.spawn(name, rounds())

    async def close(self) -> None:
        """Cancel everything and wait until it has ended."""
        running = [task for task in self._running if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(task.get_name(), error)

    def _failed(self, name: str, error: BaseException) -> None:
        self.failures += 1
        log.error("task_failed", task=name, error=type(error).__name__, exc_info=error)
