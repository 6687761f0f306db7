"""A device is known for the people who signed in on it, until their password changes; its cookie cannot be made up."""

from dataclasses import replace

import pytest

from server.accounts.devices import TEXT_MAXIMUM, Devices
from server.accounts.records import Person
from server.accounts.rules import DEVICE_MS, DEVICE_PEOPLE
from server.core.actor import Role
from server.core.clock import ManualClock
from server.core.vault import KEY_BYTES, Vault
from tests.accounts.store import NOW_MS


def person(at: int = 1) -> Person:
    return Person(f"{at:016x}", Role.TRAINEE, "演示", str(at), "i1", None, NOW_MS, password_hash=f"hash {at}")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_MS)


@pytest.fixture
def devices(clock: ManualClock) -> Devices:
    return Devices(clock, Vault(bytes(KEY_BYTES)))


def test_a_device_knows_its_people_and_has_one_budget_for_each(devices: Devices) -> None:
    cookie = devices.remember(devices.remember("", person(1)), person(2))
    budgets = {devices.known(cookie, person(at)) for at in (1, 2)}
    assert len(budgets - {""}) == 2
    assert devices.known(cookie, person(3)) == ""
    assert devices.known(cookie, None) == ""
    assert devices.known("", person(1)) == ""
    assert devices.known(devices.remember("", person(1)), person(1)) not in budgets


def test_a_new_password_makes_every_device_a_stranger(devices: Devices) -> None:
    cookie = devices.remember("", person())
    assert devices.known(cookie, replace(person(), password_hash="another")) == ""
    assert devices.known(cookie, replace(person(), password_hash=None)) == ""


def test_it_remembers_the_latest_people(devices: Devices) -> None:
    cookie = ""
    for at in range(DEVICE_PEOPLE + 1):
        cookie = devices.remember(cookie, person(at))
    assert len(cookie) < TEXT_MAXIMUM
    assert devices.known(cookie, person(0)) == ""
    assert all(devices.known(cookie, person(at)) for at in range(1, DEVICE_PEOPLE + 1))
    assert devices.known(devices.remember(cookie, person(1)), person(2))


def test_it_forgets(devices: Devices, clock: ManualClock) -> None:
    cookie = devices.remember("", person())
    clock.advance(DEVICE_MS - 1)
    assert devices.known(cookie, person())
    clock.advance(1)
    assert devices.known(cookie, person()) == ""


def test_it_tells_nobody_who_its_people_are(devices: Devices) -> None:
    cookie = devices.remember("", person(1))
    assert person(1).id not in cookie
    assert "hash" not in cookie


def test_nothing_made_up_is_known(devices: Devices) -> None:
    cookie = devices.remember("", person())
    issued, nonce, marks, signature = cookie.split(".")
    other = Devices(ManualClock(NOW_MS), Vault(b"k" * KEY_BYTES)).remember("", person())
    for forged in (
        f"{int(issued) + 1}.{nonce}.{marks}.{signature}",
        f"{issued}.{nonce[::-1]}.{marks}.{signature}",
        f"{issued}.{nonce}.{marks}.{signature[:-1]}é",
        f"{issued}.{nonce}.{marks}.",
        f"{issued}.{nonce}.{marks}",
        other,
        "...",
        "x" * (TEXT_MAXIMUM + 1),
    ):
        assert devices.known(forged, person()) == "", forged
