"""Decides when somebody's device has worked for a try: ALTCHA's challenges, made and checked here, nobody else asked.

A challenge is good for one door, one level or less, a few minutes and one use. The page solves it by itself in the
background: no picture, no puzzle. https://altcha.org/docs/proof-of-work
"""

import base64
import binascii
import json
from typing import Any, Final
from urllib.parse import parse_qsl

from altcha.v1 import ChallengeOptions, create_challenge, verify_solution

from server.accounts.ports import Counters
from server.core.clock import Clock
from server.core.errors import DomainError
from server.core.vault import Vault

PURPOSE: Final = "proof"
PROOF_MS: Final = 5 * 60_000
#: a solved challenge is shorter than this
TEXT_MAXIMUM: Final = 1_024
_TEXTS: Final = ("algorithm", "challenge", "salt", "signature")


class Proofs:
    """Makes and checks challenges. `hashes`: what the easiest one takes at most."""

    def __init__(self, counters: Counters, clock: Clock, vault: Vault, hashes: int) -> None:
        self._counters, self._clock, self._hashes = counters, clock, hashes
        self._key = vault.key(PURPOSE)

    async def ask(self, door: str, level: int, solved: str) -> None:
        """Let pass whoever solved a challenge for this door and level, or for the level that it may just have left.

        Raises DomainError proof_needed (data: challenge, see `challenge`).
        """
        if not await self._good(door, level, solved):
            raise DomainError("proof_needed", challenge=self.challenge(door, level))

    def challenge(self, door: str, level: int) -> dict[str, Any]:
        """`{algorithm, challenge, maxNumber, salt, signature}`: find the number whose SHA-256 behind the salt it is."""
        params = {"level": str(level), "door": door, "until": str(self._clock.ms() + PROOF_MS)}
        hashes = self._hashes << max(0, level - 1)
        made = create_challenge(ChallengeOptions(hmac_key=self._key, max_number=hashes, params=params))
        return dict(made.to_dict())

    async def _good(self, door: str, level: int, solved: str) -> bool:
        payload = _payload(solved)
        if payload is None or not verify_solution(payload, self._key, check_expires=False)[0]:
            return False
        said = dict(parse_qsl(payload["salt"].rstrip("&").partition("?")[2]))
        if said.keys() != {"level", "door", "until"} or said["door"] != door:
            return False
        if int(said["level"]) < level - 1 or self._clock.ms() >= int(said["until"]):
            return False
        return await self._counters.take(f"proof:{payload['signature']}", 1, PROOF_MS / 1_000) == 0


def _payload(solved: str) -> Any:
    """A solved challenge as the page sends it, base64 of JSON; None for anything else."""
    if not solved or len(solved) > TEXT_MAXIMUM:
        return None
    try:
        found = json.loads(base64.b64decode(solved, validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return None
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in _TEXTS):
        return None
    return found if type(found.get("number")) is int and found["algorithm"] == "SHA-256" else None
