"""Decides about certificate files that somebody else renews: checked at the start, taken up when they change."""

from pathlib import Path
from typing import Final, TypeAlias

import structlog

from server.core.clock import Clock
from server.core.errors import DomainError
from server.tls.context import Context
from server.tls.pair import read_pair

log = structlog.get_logger("tls.files")

LOOK_S: Final = 10
Stamp: TypeAlias = tuple[tuple[int, int, int], ...]


class Files:
    """A pair of PEM files for one host."""

    def __init__(self, certificate: Path, key: Path, host: str, clock: Clock, context: Context) -> None:
        self._certificate, self._key, self._host = certificate, key, host
        self._clock, self._context = clock, context
        self._seen: Stamp = ()

    def load(self) -> None:
        """Serve them. Raises DomainError certificate_unreadable, _mismatch, _expired or _host."""
        self._seen = self._stamp()
        read_pair(self._certificate, self._key).check(self._host, self._clock.ms())
        self._context.use(self._certificate, self._key)

    async def look(self) -> None:
        """Take up changed files. What may not be served is told once, and what was served goes on."""
        if self._stamp() == self._seen:
            return
        try:
            self.load()
            log.info("certificate_taken_up", host=self._host)
        except DomainError as error:
            log.error("certificate_refused", code=error.code, data=error.data)

    def _stamp(self) -> Stamp:
        """What changes with a file; nothing for a file that is not there, as between two steps of a renewal."""
        found = []
        for file in (self._certificate, self._key):
            try:
                status = file.stat()
            except OSError:
                continue
            found.append((status.st_mtime_ns, status.st_size, status.st_ino))
        return tuple(found)
