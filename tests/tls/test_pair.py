"""What may be served: a certificate with its own key, valid now, for the name that browsers ask for."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from server.core.clock import to_ms
from server.core.errors import DomainError
from server.tls.pair import Pair, new_key, read_pair, write_pair
from tests.tls.certificates import CLOCK, put, rsa_key, self_signed

HOST = "ke.example.cn"


@pytest.fixture(params=["ecdsa", "rsa"])
def pair(request: pytest.FixtureRequest) -> Pair:
    return self_signed(HOST, "10.0.0.1", key=rsa_key() if request.param == "rsa" else None)


def test_a_good_pair_is_read_and_passes(pair: Pair, tmp_path: Path) -> None:
    found = read_pair(*put(pair, tmp_path))
    assert found.leaf == pair.leaf
    found.check(HOST, CLOCK.ms())


def test_both_may_stand_in_one_file_that_is_ours_alone(pair: Pair, tmp_path: Path) -> None:
    file = tmp_path / "new" / "pair.pem"
    write_pair(file, pair)
    assert read_pair(file, file).leaf == pair.leaf
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [each.name for each in file.parent.iterdir()] == ["pair.pem"]


def _refusal(certificate: Path, key: Path) -> str:
    with pytest.raises(DomainError) as refused:
        read_pair(certificate, key)
    return refused.value.code


def test_files_that_cannot_be_used_are_told_apart(tmp_path: Path) -> None:
    certificate, key = put(self_signed(HOST), tmp_path)
    other = self_signed(HOST)
    assert _refusal(tmp_path / "nowhere.pem", key) == "certificate_unreadable"
    assert _refusal(certificate, tmp_path / "nowhere.pem") == "certificate_unreadable"
    assert _refusal(key, key) == "certificate_unreadable"
    assert _refusal(certificate, certificate) == "certificate_unreadable"
    locked = new_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
    odd = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content in (locked, odd):
        key.write_bytes(content)
        assert _refusal(certificate, key) == "certificate_unreadable"
    key.write_bytes(put(other, tmp_path / ".")[1].read_bytes())
    put(other, tmp_path)
    certificate.write_bytes(self_signed(HOST).leaf.public_bytes(Encoding.PEM))
    assert _refusal(certificate, key) == "certificate_mismatch"


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("ke.example.cn", True),
        ("KE.Example.cn", True),
        ("a.wild.example.cn", True),
        ("a.b.wild.example.cn", False),
        ("wild.example.cn", False),
        ("10.0.0.1", True),
        ("10.0.0.2", False),
        ("fd00::0:1", True),
        ("other.example.cn", False),
        ("", False),
    ],
)
def test_names_are_matched_as_browsers_do(host: str, covered: bool) -> None:
    assert self_signed("Ke.example.cn", "*.wild.example.cn", "10.0.0.1", "fd00::1").covers(host) is covered


def test_a_certificate_without_names_covers_nothing() -> None:
    assert not self_signed().covers("test")


def test_validity_at_its_edges() -> None:
    pair = self_signed(HOST, days=10)
    first, last = to_ms(pair.leaf.not_valid_before_utc), to_ms(pair.leaf.not_valid_after_utc)
    pair.check(HOST, first)
    pair.check(HOST, last - 1)
    for moment in (first - 1, last):
        with pytest.raises(DomainError, match="certificate_expired"):
            pair.check(HOST, moment)
    with pytest.raises(DomainError, match="certificate_expired"):
        self_signed(HOST, start=timedelta(days=1)).check(HOST, CLOCK.ms())
    with pytest.raises(DomainError, match="certificate_host") as refused:
        pair.check("other.example.cn", first)
    assert refused.value.data["covers"] == [HOST]
