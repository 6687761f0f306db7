"""Decides whether a certificate and its key may be served: one pair, valid now, for the name that browsers ask for."""

import ipaddress
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtensionOID

from server.core.clock import to_ms
from server.core.errors import DomainError

Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700


@dataclass(frozen=True, slots=True)
class Pair:
    """A chain, the server's own certificate first, and its key."""

    chain: tuple[x509.Certificate, ...]
    key: Key = field(compare=False, repr=False)

    @property
    def leaf(self) -> x509.Certificate:
        """The server's own certificate."""
        return self.chain[0]

    @property
    def from_ms(self) -> int:
        """Valid from this ledger millisecond."""
        return to_ms(self.leaf.not_valid_before_utc)

    @property
    def until_ms(self) -> int:
        """Valid until this ledger millisecond."""
        return to_ms(self.leaf.not_valid_after_utc)

    @property
    def names(self) -> frozenset[str]:
        """The DNS names and IP addresses that it covers, as text."""
        try:
            found = self.leaf.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
        except x509.ExtensionNotFound:
            return frozenset()
        if not isinstance(found, x509.SubjectAlternativeName):
            return frozenset()
        names = (name.lower() for name in found.get_values_for_type(x509.DNSName))
        return frozenset((*names, *map(str, found.get_values_for_type(x509.IPAddress))))

    def covers(self, host: str) -> bool:
        """Whether browsers accept it for a host; `*` stands for one whole label (RFC 9525, section 6.3)."""
        host = host.lower()
        try:
            return str(ipaddress.ip_address(host)) in self.names
        except ValueError:
            _, _, rest = host.partition(".")
            return host in self.names or bool(rest and f"*.{rest}" in self.names)

    def check(self, host: str, now_ms: int) -> None:
        """Raises DomainError certificate_expired (data: when valid) or certificate_host (data: what it covers)."""
        if not self.from_ms <= now_ms < self.until_ms:
            between = (self.leaf.not_valid_before_utc.isoformat(), self.leaf.not_valid_after_utc.isoformat())
            raise DomainError("certificate_expired", valid_from=between[0], valid_until=between[1])
        if not self.covers(host):
            raise DomainError("certificate_host", host=host, covers=sorted(self.names))


def read_pair(certificate: Path, key: Path) -> Pair:
    """Read PEM files; both may be one file. Raises DomainError certificate_unreadable or certificate_mismatch."""
    chain = _read_chain(certificate)
    found = _read_key(key)
    if chain[0].public_key().public_bytes(*_PUBLIC) != found.public_key().public_bytes(*_PUBLIC):
        raise DomainError("certificate_mismatch", certificate=certificate.name, key=key.name)
    return Pair(chain, found)


_PUBLIC: Final = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _read_chain(file: Path) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(file.read_bytes()))
    except (OSError, ValueError) as error:
        raise DomainError("certificate_unreadable", file=file.name, problem=type(error).__name__) from error


def _read_key(file: Path) -> Key:
    try:
        found = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise DomainError("certificate_unreadable", file=file.name, problem=type(error).__name__) from error
    if not isinstance(found, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise DomainError("certificate_unreadable", file=file.name, problem="neither RSA nor ECDSA")
    return found


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key of P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: Key) -> bytes:
    """A private key as PEM without a passphrase: files of mode 600 only."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write_pair(file: Path, pair: Pair) -> None:
    """Write chain and key as one file of mode 600: a crash leaves the old pair or the new one."""
    write_file(file, b"".join(each.public_bytes(Encoding.PEM) for each in pair.chain) + key_pem(pair.key))


def write_file(file: Path, content: bytes) -> None:
    """Write a whole file of mode 600 or nothing."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb") as written:
        written.write(content)
        written.flush()
        os.fsync(written.fileno())
    draft.replace(file)
