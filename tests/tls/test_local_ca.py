"""The authority of this machine's own: what it may speak for, what it makes, and when it makes it anew."""

import asyncio
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from server.core.clock import ManualClock
from server.core.errors import DomainError
from server.tls.context import Context
from server.tls.lan import machine_addresses
from server.tls.local_ca import DAY_MS, LEAF_DAYS, RENEW_DAYS, LocalCa, fingerprint, issue, make_authority, permits
from server.tls.pair import Pair, read_pair
from tests.tls.certificates import CLOCK, echo, put, shown, trusting

HOST = "10.11.12.13"


def _made(folder: Path, clock: object = CLOCK, *wanted: str) -> tuple[Pair, Pair]:
    """Load once; the authority and the certificate that are there then."""
    LocalCa(folder, wanted or (HOST,), clock, Context()).load()  # type: ignore[arg-type]
    ca, leaf = folder / "ca.pem", folder / "leaf.pem"
    return read_pair(ca, ca), read_pair(leaf, leaf)


def test_everything_is_made_once_and_is_ours_alone(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    authority, leaf = _made(folder)
    assert _made(folder) == (authority, leaf)
    assert {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()} == {
        "ca.pem": 0o600,
        "ca.crt": 0o600,
        "leaf.pem": 0o600,
    }
    assert folder.stat().st_mode & 0o777 == 0o700
    assert b"PRIVATE" not in (folder / "ca.crt").read_bytes()


def test_a_certificate_is_short_enough_for_phones_and_covers_this_machine(tmp_path: Path) -> None:
    _authority, leaf = _made(tmp_path)
    assert leaf.until_ms - leaf.from_ms <= LEAF_DAYS * DAY_MS
    assert {HOST, "localhost", "127.0.0.1"} <= leaf.names
    leaf.check(HOST, CLOCK.ms())


async def test_clients_that_trust_the_authority_accept_its_certificate(tmp_path: Path) -> None:
    context = Context()
    LocalCa(tmp_path, ("127.0.0.1",), CLOCK, context).load()
    authority = read_pair(tmp_path / "ca.pem", tmp_path / "ca.pem")
    async with echo(context) as port:
        assert await _verified(port, authority, "127.0.0.1")
        assert await _verified(port, authority, "localhost")
        with pytest.raises(ssl.SSLCertVerificationError):
            await _verified(port, make_authority([], CLOCK.ms()), "127.0.0.1")


async def _verified(port: int, authority: Pair, name: str) -> bool:
    _reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(authority), server_hostname=name)
    writer.close()
    await writer.wait_closed()
    return True


@pytest.mark.parametrize("name", ["bank.example.cn", "203.0.113.5"])
async def test_a_stolen_key_cannot_pose_as_another_site(tmp_path: Path, name: str) -> None:
    authority = make_authority(["ke.lan"], CLOCK.ms())
    context = Context()
    context.use(*put(issue(authority, [name], CLOCK.ms()), tmp_path))
    async with echo(context) as port:
        with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
            await _verified(port, authority, name)


def test_renewed_by_itself_at_thirty_days(tmp_path: Path) -> None:
    clock = ManualClock(CLOCK.ms())
    authority, first = _made(tmp_path, clock)
    clock.advance(first.until_ms - RENEW_DAYS * DAY_MS - clock.ms() - 1)
    assert _made(tmp_path, clock) == (authority, first)
    clock.advance(1)
    same, second = _made(tmp_path, clock)
    assert same == authority
    assert second.until_ms > first.until_ms
    clock.advance(authority.until_ms - RENEW_DAYS * DAY_MS - clock.ms())
    renewed, third = _made(tmp_path, clock)
    assert renewed != authority
    third.leaf.verify_directly_issued_by(renewed.leaf)


async def test_a_machine_with_another_address_gets_another_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = Context()
    ca = LocalCa(tmp_path, ("127.0.0.1",), CLOCK, context)
    ca.load()
    async with echo(context) as port:
        before = await shown(port)
        await ca.look()
        assert await shown(port) == before
        addresses = machine_addresses()
        more = [*addresses, ipaddress.ip_address("10.9.8.7")]
        monkeypatch.setattr("server.tls.local_ca.machine_addresses", lambda: more)
        await ca.look()
        assert await shown(port) != before
    assert "10.9.8.7" in read_pair(tmp_path / "leaf.pem", tmp_path / "leaf.pem").names


def test_a_host_that_the_authority_may_not_speak_for_is_refused(tmp_path: Path) -> None:
    _made(tmp_path, CLOCK, "ke.school.example.cn")
    _made(tmp_path, CLOCK, "ke.school.example.cn")
    for host in ("203.0.113.5", "ke.other.example.cn"):
        with pytest.raises(DomainError, match="certificate_host"):
            _made(tmp_path, CLOCK, host)


def test_a_damaged_authority_is_not_replaced_in_silence(tmp_path: Path) -> None:
    _made(tmp_path)
    (tmp_path / "ca.pem").write_text("damaged")
    with pytest.raises(DomainError, match="certificate_unreadable"):
        _made(tmp_path)


@pytest.mark.parametrize(
    ("host", "permitted"),
    [("ke.lan", True), ("a.ke.lan", True), ("xke.lan", True), ("kelan", False), ("lan.example.cn", False),
     ("192.168.1.1", True), ("fd00::1", True), ("8.8.8.8", False), ("2001:db8::1", False),
     ("198.51.100.7", True), ("198.51.100.8", False)],
)  # fmt: skip
def test_what_an_authority_may_speak_for(host: str, permitted: bool) -> None:
    authority = make_authority(["lan", "198.51.100.7"], CLOCK.ms())
    assert permits(authority.leaf, host) is permitted


def test_the_fingerprint_is_that_which_phones_show(tmp_path: Path) -> None:
    authority, _leaf = _made(tmp_path)
    shown_by_phones = fingerprint(tmp_path / "ca.crt")
    assert bytes.fromhex(shown_by_phones.replace(":", "")) == authority.leaf.fingerprint(SHA256())
    assert authority.leaf.public_bytes(Encoding.PEM) == (tmp_path / "ca.crt").read_bytes()
