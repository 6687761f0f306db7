"""Decides by which addresses and names others on the same network reach this machine."""

import ipaddress
import re
import socket
from typing import Final, TypeAlias

import ifaddr

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

#: addresses that mean nothing outside one's own network: RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291, loopback
PRIVATE: Final[tuple[Network, ...]] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8",
        "fc00::/7", "fe80::/10", "::1/128",
    )
)  # fmt: skip
#: names that no public DNS holds: RFC 6761, 6762, 8375, and what ICANN keeps free
PRIVATE_NAMES: Final = ("localhost", "local", "lan", "internal", "home.arpa")
#: never sent to: asking the system how it would get there sends nothing (RFC 5737)
FAR_AWAY: Final = ("192.0.2.1", 9)
LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def is_private(address: Address) -> bool:
    """Whether an address belongs to no one in particular."""
    return any(address in network for network in PRIVATE)


def machine_addresses() -> list[Address]:
    """The private addresses of this machine that a certificate can hold; loopback last."""
    found: set[Address] = {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")}
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            address = ipaddress.ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
            if is_private(address) and not address.is_link_local:
                found.add(address)
    return sorted(found, key=lambda address: (address.is_loopback, address.version, int(address)))


def lan_address() -> str | None:
    """The address that phones on the same network should use; None on a machine without a network.

    That of the way out, as the machine may have others: of containers, of virtual machines.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(FAR_AWAY)
            address = ipaddress.ip_address(probe.getsockname()[0])
            if not address.is_loopback:
                return str(address)
        except OSError:
            pass
    return next((str(address) for address in machine_addresses() if not address.is_loopback), None)


def machine_names() -> list[str]:
    """The names of this machine: localhost, its own, and that name under .local as phones ask for it (RFC 6762)."""
    own = socket.gethostname().partition(".")[0].lower()
    return ["localhost", *([own, f"{own}.local"] if LABEL.fullmatch(own) and own != "localhost" else [])]
