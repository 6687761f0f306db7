"""Decides how passwords are kept: Argon2id at 19 MiB, two passes, one lane, on one low-priority thread.

The library's own default costs several times as much; a class of a thousand that signs in at nine would wait for it.
"""

import asyncio
import os
import threading
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.accounts.rules import PASSWORD_MAXIMUM
from server.core.clock import elapsed_ms

MEMORY_KIB: Final = 19 * 1024
PASSES: Final = 2
LANES: Final = 1
NICENESS: Final = 5
#: before anything was measured; then each measurement weighs so much
USUAL_MS: Final = 40.0
WEIGHT: Final = 0.1
_SALT: Final = b64encode(bytes(16)).decode().rstrip("=")
_HASH: Final = b64encode(bytes(32)).decode().rstrip("=")
#: no password has it; checking it costs as much as checking a real one, so that nobody learns which logins exist
NOBODY: Final = f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${_SALT}${_HASH}"


class Passwords:
    """Hashes and checks passwords beside the event loop."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="passwords", initializer=_stand_back)
        self._mean_ms = USUAL_MS

    @property
    def mean_ms(self) -> float:
        """Milliseconds that one check or hash took lately, beside everything else the machine does."""
        return self._mean_ms

    async def hash(self, password: str) -> str:
        """A salted hash that carries its parameters."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, self._hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password belongs to the hash; takes the same time when there is none."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, self._verify, stored, password)

    def close(self) -> None:
        """Let the thread end."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _hash(self, password: str) -> str:
        with self._timed():
            return self._hasher.hash(password)

    def _verify(self, stored: str | None, password: str) -> bool:
        with self._timed():
            try:
                return self._hasher.verify(stored or NOBODY, password[: PASSWORD_MAXIMUM + 1])
            except (VerificationError, InvalidHashError):
                return False

    @contextmanager
    def _timed(self) -> Iterator[None]:
        begun = elapsed_ms()
        yield
        self._mean_ms += (elapsed_ms() - begun - self._mean_ms) * WEIGHT


def _stand_back() -> None:
    """Packets and beats go first (Linux gives each thread its own niceness)."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
