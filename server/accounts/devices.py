"""Decides which devices have signed in before, by a signed cookie that each keeps: nothing about them is stored here.

Known devices guess on a budget of their own, so that strangers who guess at an account keep nobody out of it (OWASP,
"Slow Down Online Guessing Attacks with Device Cookies"). A person's mark is made of their password's hash: with a new
password every device is a stranger again, and whoever once knew the old one has gained no budget.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from server.accounts.codes import new_id
from server.accounts.records import Person
from server.accounts.rules import DEVICE_MS, DEVICE_PEOPLE
from server.core.clock import Clock
from server.core.vault import Vault

PURPOSE: Final = "device"
MARK: Final = 16
#: a cookie is shorter than this
TEXT_MAXIMUM: Final = 512


@dataclass(frozen=True, slots=True)
class _Device:
    nonce: str
    marks: tuple[str, ...]


class Devices:
    """Reads and writes the cookie `<issued ms>.<nonce>.<marks of people>.<signature>`."""

    def __init__(self, clock: Clock, vault: Vault) -> None:
        self._clock, self._vault = clock, vault

    def known(self, cookie: str, person: Person | None) -> str:
        """The name of this device's budget for this person; "" when they never signed in here."""
        device = self._read(cookie)
        if device is None or person is None or person.password_hash is None:
            return ""
        mark = self._mark(person)
        return f"device:{device.nonce}:{mark}" if mark in device.marks else ""

    def remember(self, cookie: str, person: Person) -> str:
        """The cookie after this person signed in here."""
        device = self._read(cookie) or _Device(new_id(), ())
        mark = self._mark(person)
        marks = (mark, *(other for other in device.marks if other != mark))[:DEVICE_PEOPLE]
        text = f"{self._clock.ms()}.{device.nonce}.{'-'.join(marks)}"
        return f"{text}.{self._signature(text)}"

    def _read(self, cookie: str) -> _Device | None:
        text, _, signature = cookie.rpartition(".")
        if len(cookie) > TEXT_MAXIMUM or not hmac.compare_digest(self._signature(text).encode(), signature.encode()):
            return None
        issued_ms, nonce, marks = text.split(".")  # we signed it: it has this form
        if self._clock.ms() >= int(issued_ms) + DEVICE_MS:
            return None
        return _Device(nonce, tuple(marks.split("-")))

    def _mark(self, person: Person) -> str:
        return self._vault.digest(f"{PURPOSE}.person", f"{person.id} {person.password_hash}")[:MARK]

    def _signature(self, text: str) -> str:
        return self._vault.digest(PURPOSE, text)
