"""By which addresses and names others on the same network reach this machine."""

import ipaddress
import socket

import pytest

from server.tls import lan


@pytest.mark.parametrize(
    ("text", "private"),
    [("10.0.0.1", True), ("172.16.0.0", True), ("172.31.255.255", True), ("172.32.0.0", False), ("192.168.255.1", True),
     ("100.64.0.1", True), ("100.128.0.0", False), ("127.0.0.1", True), ("169.254.1.1", True), ("8.8.8.8", False),
     ("fd00::1", True), ("fe80::1", True), ("::1", True), ("2001:db8::1", False)],
)  # fmt: skip
def test_private_addresses(text: str, private: bool) -> None:
    assert lan.is_private(ipaddress.ip_address(text)) is private


def test_this_machine_has_its_own_addresses_loopback_last() -> None:
    found = lan.machine_addresses()
    assert {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")} <= set(found)
    assert [address.is_loopback for address in found] == sorted(address.is_loopback for address in found)
    assert not any(address.is_link_local for address in found)


def test_the_address_for_phones_is_one_that_others_reach() -> None:
    found = lan.lan_address()
    assert found is None or not ipaddress.ip_address(found).is_loopback


@pytest.mark.parametrize(
    ("own", "names"),
    [
        ("Jia-Shi", ["localhost", "jia-shi", "jia-shi.local"]),
        ("ke.school.example.cn", ["localhost", "ke", "ke.local"]),
        ("localhost", ["localhost"]),
        ("odd_name", ["localhost"]),
        ("", ["localhost"]),
    ],
)
def test_names(monkeypatch: pytest.MonkeyPatch, own: str, names: list[str]) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: own)
    assert lan.machine_names() == names
