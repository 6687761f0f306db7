"""Decides how a background task is kept: never lost to the collector, its exception never silent."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def spare(what: str, counts: Counter[str]) -> Iterator[None]:
    """What goes wrong in here is counted (`tick_failed`) and the first time told; what comes after it goes on."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is: others must not suffer by it
        counts["tick_failed"] += 1
        if counts["tick_failed"] == 1:
            told = {"message": f"media: {what} failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(told)


class Tasks:
    """The tasks of one plane. Whatever one of them raises goes to the loop's exception handler."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled() or task.exception() is None:
            return
        task.get_loop().call_exception_handler(
            {"message": f"media task {task.get_name()} failed", "exception": task.exception(), "task": task}
        )

    async def drain(self, seconds: float) -> None:
        """Let what still runs come to its end, but wait no longer; then cancel it."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)
        await self.close()

    async def close(self) -> None:
        """Cancel what still runs and wait for it."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
