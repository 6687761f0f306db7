"""Decides who may try at a door: first by account, by address only generously, and never by keeping everybody out.

| who tries                      | is counted by            | beyond it                                         |
|--------------------------------|--------------------------|---------------------------------------------------|
| a device that signed in before | this device, this person | like any other device                             |
| any other device               | what was typed           | proof of work; 50 tries an hour, 25 for a network |
| a class's codes                | wrong ones of the class  | proof of work                                     |
| everybody                      | address; failures of all | proof of work                                     |

Proof of work becomes harder the more tries were proved.
"""

from math import ceil
from typing import Final

from server.accounts.heat import Heat
from server.accounts.limits import LimitSettings
from server.accounts.ports import Counters
from server.accounts.proof import Proofs
from server.accounts.rules import (
    ACCOUNT_TRIES,
    ADDRESS_WINDOW_S,
    ATTACK_WINDOW_S,
    CODE_TRIES,
    DEVICE_TRIES,
    FREE_TRIES,
    NETWORK_TRIES,
    PERSON_TRIES,
)
from server.core.clock import Clock
from server.core.errors import DomainError
from server.core.vault import Vault
from server.core.wire.peer import subscriber

HOUSE: Final = "house"


class Gate:
    """Counts tries. A door is named by a keyed digest of what was typed: no counter anywhere holds an ID number."""

    def __init__(self, counters: Counters, clock: Clock, vault: Vault, limits: LimitSettings) -> None:
        self._counters = counters
        self._proofs = Proofs(counters, clock, vault, limits.proof_hashes)
        self._accounts = Heat(counters, clock, *FREE_TRIES)
        self._codes = Heat(counters, clock, *CODE_TRIES)
        self._addresses = Heat(counters, clock, limits.address_per_minute, ADDRESS_WINDOW_S)
        self._house = Heat(counters, clock, limits.attack_failures, ATTACK_WINDOW_S)

    async def sign_in(self, door: str, device: str, address: str, proof: str) -> None:
        """One try at a password; `device` names the budget of a device that signed in before, or is "".

        Raises DomainError proof_needed (data: challenge), account_guarded (data: retry_after_s).
        """
        if device and await self._counters.take(device, *DEVICE_TRIES) == 0:
            return
        network = subscriber(address)
        level = max(await self._addresses.count(f"address:{network}"), self._house.level(HOUSE))
        known = self._accounts.level(door)
        if level == known == 0:
            known = await self._accounts.count(door)
        if level := max(level, known):
            await self._proofs.ask(door, level, proof)
            await self._accounts.count(door)
        for name, budget in ((f"{door}:{network}", NETWORK_TRIES), (door, ACCOUNT_TRIES)):
            if (wait_s := await self._counters.take(name, *budget)) > 0:
                raise DomainError("account_guarded", retry_after_s=ceil(wait_s))

    async def signed_in(self, door: str, device: str, address: str) -> None:
        """The try was a good one: what this account or this device has used up is given back."""
        if device:
            await self._counters.clear(device)
            return
        await self._accounts.cool(door)
        for name in (f"{door}:{subscriber(address)}", door):
            await self._counters.clear(name)

    async def failed(self, device: str) -> None:
        """A password was wrong."""
        if not device:
            await self._house.count(HOUSE)

    async def code(self, door: str, address: str, proof: str) -> None:
        """One try at a one-time code of the class `door`, or at a link ("", too long to be guessed).

        Raises DomainError proof_needed.
        """
        network = subscriber(address)
        level = await self._addresses.count(f"address:{network}")
        if level := max(level, self._codes.level(door) if door else 0):
            await self._proofs.ask(door or network, level, proof)

    async def wrong_code(self, door: str) -> None:
        """It opened nothing; good codes are not counted, so that a class can come in together."""
        if door:
            await self._codes.count(door)

    async def again(self, person_id: str) -> None:
        """One try at the own password while signed in. Raises DomainError too_many_tries (data: retry_after_s)."""
        if (wait_s := await self._counters.take(f"person:{person_id}", *PERSON_TRIES)) > 0:
            raise DomainError("too_many_tries", retry_after_s=ceil(wait_s))

    async def right_again(self, person_id: str) -> None:
        """It was right."""
        await self._counters.clear(f"person:{person_id}")

    async def forget(self, *doors: str) -> None:
        """An account begins anew."""
        for door in doors:
            await self._accounts.cool(door)
            await self._counters.clear(door)
