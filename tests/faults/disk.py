"""A small disk that a test can fill: a tmpfs where we may mount one, else no file of a process may grow any more."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

SIZE_MB: Final = 64
BALLAST: Final = "ballast"
BLOCK: Final = 1 << 16


class Disk:
    """Where a server works."""

    def __init__(self, folder: Path, own: bool) -> None:
        self.folder = folder
        self._own = own

    @contextmanager
    def full(self, process: int) -> Iterator[None]:
        """Not a byte is left for this process while the block runs."""
        if not self._own:
            _, most = resource.prlimit(process, resource.RLIMIT_FSIZE)
            resource.prlimit(process, resource.RLIMIT_FSIZE, (0, most))
            yield
            resource.prlimit(process, resource.RLIMIT_FSIZE, (most, most))
            return
        ballast = self.folder / BALLAST
        try:
            self._fill(ballast)
            yield
        finally:
            ballast.unlink(missing_ok=True)

    def _fill(self, ballast: Path) -> None:
        size = BLOCK
        with ballast.open("wb", buffering=0) as file:
            while size:
                try:
                    file.write(b"\0" * size)
                except OSError:
                    size //= 2


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """An empty folder, on a small disk if this machine lets us make one."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "keshi-test", str(folder)]
    own = os.geteuid() == 0 and subprocess.run(words, capture_output=True, check=False).returncode == 0
    try:
        yield Disk(folder, own)
    finally:
        if own:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        with suppress(OSError):
            folder.rmdir()
