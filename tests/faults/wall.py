"""A wall clock of its own for a process and its children, by Debian's libfaketime; CLOCK_BOOTTIME stays as it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

LIBRARIES = "usr/lib/*/faketime/libfaketimeMT.so.1"


class Wall:
    """A wall clock that can be set while a process looks at it."""

    def __init__(self, file: Path, off_s: int) -> None:
        self._file = file
        self.set(off_s)

    def set(self, off_s: int) -> None:
        """So many seconds before or behind the machine's, from now on."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{off_s:+d}\n")
        new.replace(self._file)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Processes that are started in this block see this clock for as long as they live."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LD_PRELOAD", str(next(Path("/").glob(LIBRARIES))))
            patch.setenv("FAKETIME_TIMESTAMP_FILE", str(self._file))
            patch.setenv("FAKETIME_CACHE_DURATION", "1")  # seconds; looking each time slows a start tenfold
            patch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            patch.setenv("FAKETIME_FORCE_MONOTONIC_FIX", "0")  # for old C libraries; here it only makes waits long
            yield
