"""Makes calls of this process to the disk fail, or makes it die in the middle of one. Only the driver is broken so."""

import errno
import os
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from server.core.database import Database

Call = Callable[..., Any]
TROUBLES = (errno.EIO, errno.ENOSPC)


@dataclass
class Broken:
    """`die_at`: at this call of ours the process dies, before, in the middle of, or after it.

    `failing`: one of `one_in` calls does not succeed, though it may have been done.
    """

    chance: random.Random
    die_at: int | None = None
    failing: bool = False
    one_in: int = 2
    calls: int = 0

    def install(self, database: Database) -> None:
        """From now on, for writes, syncs, renames and commits."""
        for name in ("write", "fsync", "replace"):
            setattr(os, name, self._around(getattr(os, name), name == "write"))
        event.listen(database.engine.sync_engine, "commit", lambda _connection: self._count())

    def _around(self, real: Call, writes: bool) -> Call:
        def call(*arguments: Any, **named: Any) -> Any:
            dies = self._count(wait=True)
            if dies and writes and self.chance.random() < 0.5:
                real(arguments[0], arguments[1][: len(arguments[1]) // 2])
                _die()
            if dies and self.chance.random() < 0.5:
                _die()
            if not dies and self.failing and self.chance.randrange(self.one_in) == 0:
                return self._fail(real, writes, arguments, named)
            done = real(*arguments, **named)
            if dies:
                _die()
            return done

        return call

    def _count(self, wait: bool = False) -> bool:
        """Whether this is the call to die at; who does not wait dies before it."""
        self.calls += 1
        dies = self.calls == self.die_at
        if dies and not wait:
            _die()
        return dies

    def _fail(self, real: Call, writes: bool, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Nothing is done, or half of it, with or without a word, or all of it and nobody can know."""
        how = self.chance.randrange(4)
        if writes and how < 2:
            done = real(arguments[0], arguments[1][: max(len(arguments[1]) // 2, 1)])
            if how == 0:
                return done
        elif how == 2:
            real(*arguments, **named)
        raise OSError(self.chance.choice(TROUBLES), "broken on purpose")


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
