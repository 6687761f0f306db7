"""Decides how a program that reads others' files runs: after everybody else, first to go, within limits."""

import os
import resource
from contextlib import suppress
from pathlib import Path
from typing import Final

LOWEST: Final = 19
#: whoever uses up the machine's memory is ended before the server is
OOM_SCORE: Final = Path("/proc/self/oom_score_adj")


def lower(memory_bytes: int, cpu_seconds: int, file_bytes: int) -> None:
    """Give up what this process does not need, for good; `file_bytes` is the largest file that it may write."""
    os.setpriority(os.PRIO_PROCESS, 0, LOWEST)
    with suppress(OSError):
        OOM_SCORE.write_text("1000")
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
