"""Decides about a certificate authority of this machine's own, for a network without a public name.

Whoever installs it trusts it only as far as it is constrained: for the addresses and names of a LAN (RFC
5280, section 4.2.1.10). A stolen key could pose as no bank.
"""

import hashlib
import ipaddress
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from server.core.clock import Clock, to_datetime
from server.core.errors import DomainError
from server.tls.context import Context
from server.tls.lan import PRIVATE, PRIVATE_NAMES, is_private, machine_addresses, machine_names
from server.tls.pair import Pair, new_key, read_pair, write_file, write_pair

log = structlog.get_logger("tls.local_ca")

CA_DAYS: Final = 3_650
#: browsers accept no longer one (CA/Browser Forum, SC-63)
LEAF_DAYS: Final = 397
RENEW_DAYS: Final = 30
DAY_MS: Final = 86_400_000
#: phones' clocks may be behind
EARLY: Final = timedelta(days=1)
LOOK_S: Final = 300
AUTHORITY: Final = "ca.pem"
#: what phones install: the certificate alone
PUBLIC: Final = "ca.crt"
LEAF: Final = "leaf.pem"


class LocalCa:
    """The authority in `folder` and its certificate for this machine. `wanted`: hosts that must be covered."""

    def __init__(self, folder: Path, wanted: Iterable[str], clock: Clock, context: Context) -> None:
        self._folder, self._wanted = folder, frozenset(host.lower() for host in wanted)
        self._clock, self._context = clock, context

    def load(self) -> None:
        """Make what is missing or too old, and serve it.

        Raises DomainError certificate_host when the authority may not speak for a wanted host, and
        certificate_unreadable when its files are damaged.
        """
        authority = self._authority()
        leaf = self._folder / LEAF
        names = self._names(authority.leaf)
        if not self._good(leaf, authority, names):
            write_pair(leaf, issue(authority, names, self._clock.ms()))
            log.info("certificate_made", names=len(names))
        self._context.use(leaf, leaf)

    async def look(self) -> None:
        """Make a new certificate in time, and when the machine has got another address."""
        self.load()

    def _authority(self) -> Pair:
        file = self._folder / AUTHORITY
        if file.exists():
            found = read_pair(file, file)
            if found.until_ms - self._clock.ms() > RENEW_DAYS * DAY_MS:
                return found
        made = make_authority((*PRIVATE_NAMES, *machine_names(), *self._wanted), self._clock.ms())
        write_file(self._folder / PUBLIC, made.leaf.public_bytes(Encoding.PEM))
        write_pair(file, made)
        return made

    def _names(self, authority: x509.Certificate) -> frozenset[str]:
        for host in sorted(self._wanted):
            if not permits(authority, host):
                raise DomainError(
                    "certificate_host", host=host, remedy=f"tls.mode acme or files; or remove {AUTHORITY}"
                )
        machine = (*machine_names(), *map(str, machine_addresses()))
        return self._wanted | {name for name in machine if permits(authority, name)}

    def _good(self, file: Path, authority: Pair, names: frozenset[str]) -> bool:
        try:
            found = read_pair(file, file)
            found.leaf.verify_directly_issued_by(authority.leaf)
        except (DomainError, InvalidSignature, ValueError, TypeError):  # none yet, or another authority's
            return False
        return names <= found.names and found.until_ms - self._clock.ms() > RENEW_DAYS * DAY_MS


def make_authority(names: Iterable[str], now_ms: int) -> Pair:
    """A new authority that may speak for private addresses, and for `names` and what lies below them.

    A machine on a LAN may have an address that is not private: that one address may be among `names`.
    """
    key, now = new_key(), to_datetime(now_ms)
    addresses, hosts = [*PRIVATE], []
    for name in dict.fromkeys(names):
        if not _is_address(name):
            hosts.append(name)
        elif not is_private(address := ipaddress.ip_address(name)):
            addresses.append(ipaddress.ip_network(address))
    title = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Keshi LAN CA {machine_names()[-1]}"[:64])])
    permitted = [*map(x509.DNSName, hosts), *map(x509.IPAddress, addresses)]
    certificate = (
        x509.CertificateBuilder(title, title, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - EARLY)
        .not_valid_after(now + timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    return Pair((certificate,), key)


def issue(authority: Pair, names: Iterable[str], now_ms: int) -> Pair:
    """A certificate for a server, valid for LEAF_DAYS or as long as the authority."""
    key, now = new_key(), to_datetime(now_ms)
    held = [x509.IPAddress(ipaddress.ip_address(n)) if _is_address(n) else x509.DNSName(n) for n in sorted(names)]
    own = authority.key.public_key()
    title = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Keshi")])
    certificate = (
        x509.CertificateBuilder(authority.leaf.subject, title, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - EARLY)
        .not_valid_after(min(now + timedelta(days=LEAF_DAYS) - EARLY, authority.leaf.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(held), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own), critical=False)
        .sign(authority.key, SHA256())
    )
    return Pair((certificate,), key)


def permits(authority: x509.Certificate, host: str) -> bool:
    """Whether the authority's constraints let it speak for a host."""
    subtrees = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    if _is_address(host):
        address = ipaddress.ip_address(host)
        networks = [ipaddress.ip_network(str(one.value)) for one in subtrees if isinstance(one, x509.IPAddress)]
        return any(address in network for network in networks)
    names = [subtree.value.lower() for subtree in subtrees if isinstance(subtree, x509.DNSName)]
    return any(host == name or host.endswith(f".{name}") for name in names)


def fingerprint(file: Path) -> str:
    """SHA-256 of a certificate file, as phones show it. Raises OSError, ValueError."""
    digest = hashlib.sha256(x509.load_pem_x509_certificate(file.read_bytes()).public_bytes(Encoding.DER)).hexdigest()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2)).upper()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
