"""Use-cases of seeds: committed to the log once a lesson is planned, encrypted until it is over, then revealed."""

import secrets
from collections.abc import Mapping
from typing import Final

import structlog

from server.attendance.challenges import records
from server.attendance.register import Register
from server.core.vault import Vault
from server.training.rules import ChallengeRule
from server.verify.schedule import SEED_BYTES

SEAL: Final = "challenge.seed"
#: so often it is looked whether a planned lesson lacks one: an older version planned it, or nothing could be written
ROUND_S: Final = 60.0

log = structlog.get_logger("attendance.challenges")


class Seeds:
    """Each lesson with challenges has one seed, drawn once."""

    def __init__(self, register: Register, vault: Vault) -> None:
        self._register, self._vault = register, vault

    async def planned(self, lesson_id: str, rule: ChallengeRule) -> None:
        """Commit to a seed for a lesson that was just planned. What fails is made good by the next round."""
        try:
            await self.commit(lesson_id, rule)
        except Exception as error:  # noqa: BLE001  the lesson is planned, whatever this was
            log.error("challenge_seed_late", lesson=lesson_id, error=type(error).__name__)

    async def round(self, to_come: Mapping[str, ChallengeRule]) -> None:
        """Commit to the seeds that planned lessons lack."""
        async with self._register.database.read() as connection:
            known = await records.committed(connection, to_come)
        for lesson_id in sorted(to_come.keys() - known):
            await self.commit(lesson_id, to_come[lesson_id])

    async def commit(self, lesson_id: str, rule: ChallengeRule, *, owned: bool = False) -> None:
        """Commit to a seed, unless there is one; `owned`: as the process that has the lesson."""
        seed = secrets.token_bytes(SEED_BYTES)
        sealed = self._vault.seal(SEAL, seed.hex(), lesson_id)
        async with self._register.database.write(f"challenge:{lesson_id}") as connection:
            if await records.sealed_seed(connection, lesson_id) is None:
                if owned:
                    await self._register.owners.require(connection, lesson_id)
                await records.add_seed(connection, lesson_id, seed, sealed, rule, self._register.clock.ms())

    def opened(self, lesson_id: str, sealed: bytes) -> bytes:
        """A lesson's seed, for whoever asks by it."""
        return bytes.fromhex(self._vault.open(SEAL, sealed, lesson_id))

    async def reveal(self, lesson_id: str, seed: bytes, rule: ChallengeRule) -> None:
        """Show a lesson's seed once it is over."""
        async with self._register.database.write(f"challenge:{lesson_id}") as connection:
            await self._register.owners.require(connection, lesson_id)
            if await records.revealed(connection, lesson_id) is None:
                await records.add_reveal(connection, lesson_id, seed, rule, self._register.clock.ms())
