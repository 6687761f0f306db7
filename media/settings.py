"""Decides what an operator may set about media, and which values are sane."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from media.turn import MOST_SERVERS, IceServer

MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """Seconds, kilobits per second and counts. Raises ValueError naming the field and the value.

    Port 0 takes any free one; `tcp_port` None: no TCP. `udp_host` "::" also serves IPv4. Without `advertised_ips`
    the bound address is advertised, or for a wildcard every address of the machine.
    `recordings`: the folder in which every room is recorded, None for no recording. `ice_servers`: told to peers.
    `uplink_mbps`: what viewers may take together, None for no limit.
    """

    udp_host: str = "127.0.0.1"
    udp_port: int = 0
    tcp_port: int | None = None
    advertised_ips: tuple[str, ...] = ()
    max_rooms: int = 64
    max_peers_per_room: int = 600
    handshakes_per_ip: int = 300
    handshake_seconds: float = 15.0
    liveness_seconds: float = 10.0
    start_kbps: int = 1_200
    max_kbps: int = 4_000
    recordings: Path | None = None
    ice_servers: tuple[IceServer, ...] = ()
    uplink_mbps: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.udp_port <= MAX_PORT:
            raise ValueError(f"udp_port: {self.udp_port} is not between 0 and {MAX_PORT}")
        if self.tcp_port is not None and not 0 <= self.tcp_port <= MAX_PORT:
            raise ValueError(f"tcp_port: {self.tcp_port} is not between 0 and {MAX_PORT}")
        for field, values in (("udp_host", (self.udp_host,)), ("advertised_ips", self.advertised_ips)):
            for value in values:
                _check_ip(field, value)
        if len(self.ice_servers) > MOST_SERVERS:
            raise ValueError(f"ice_servers: at most {MOST_SERVERS}")
        for field in ("max_rooms", "max_peers_per_room", "handshakes_per_ip", "start_kbps", "max_kbps"):
            _check_positive(field, getattr(self, field))
        if self.uplink_mbps is not None:
            _check_positive("uplink_mbps", self.uplink_mbps)
        _check_positive("handshake_seconds", self.handshake_seconds)
        _check_positive("liveness_seconds", self.liveness_seconds)


def _check_ip(field: str, value: str) -> None:
    try:
        ipaddress.ip_address(value)
    except ValueError as error:
        raise ValueError(f"{field}: {value!r} is not an IP address") from error


def _check_positive(field: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{field}: {value} is not above 0")
