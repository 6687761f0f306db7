"""Decides who is at the other end of a request: the address and the scheme, as the browser's side has them.

A proxy in front tells both in headers. Anybody can send such headers, so they count only from a peer that
`server.trusted_proxies` names, and only as far as trusted hops reach.
"""

import ipaddress
from collections.abc import Sequence
from typing import Final, TypeAlias

from aiohttp import web

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

#: the networks of the proxies in front of this application
TRUSTED: Final = web.AppKey("trusted_proxies", tuple[Network, ...])
#: hops that are looked at; a longer chain is no honest one
MOST_HOPS: Final = 16
#: one subscriber of IPv6 has at least a /64 to himself
IPV6_SUBSCRIBER_BITS: Final = 64


def client_address(request: web.BaseRequest) -> str:
    """The client's address: the right-most hop of X-Forwarded-For that is no trusted proxy; "" for a Unix socket."""
    return nearest_stranger(request.remote or "", request.headers.getall("X-Forwarded-For", []), _trusted(request))


def client_scheme(request: web.BaseRequest) -> str:
    """`https` or `http`, as the browser speaks it; X-Forwarded-Proto counts from a trusted proxy only."""
    told = request.headers.get("X-Forwarded-Proto", "").strip().lower()
    peer = read_address(request.remote or "")
    if told in ("http", "https") and peer is not None and is_trusted(peer, _trusted(request)):
        return told
    return "https" if request.transport and request.transport.get_extra_info("sslcontext") else "http"


def nearest_stranger(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """Walk from the connection's peer towards the client, as far as trusted proxies vouch.

    `forwarded`: the values of X-Forwarded-For in their order. What cannot be read ends the walk at the last
    proxy that is known: its clients then share one address rather than choose one.
    """
    found = read_address(peer)
    if found is None:
        return ""
    hops = [hop for value in forwarded for hop in value.split(",")][-MOST_HOPS:]
    while hops and is_trusted(found, trusted):
        hop = read_address(hops.pop())
        if hop is None:
            break
        found = hop
    return str(found)


def read_address(text: str) -> Address | None:
    """An IP address as proxies write it: bare, with a port, in brackets, IPv4 within IPv6; None for anything else."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped) or address


def is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    """Whether one of the networks holds the address."""
    return any(address in network for network in trusted)


def subscriber(address: str) -> str:
    """What a limit by address counts under: an IPv4 address itself, the /64 of an IPv6 one; other text unchanged."""
    found = read_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, IPV6_SUBSCRIBER_BITS), strict=False))
    return str(found) if found else address


def _trusted(request: web.BaseRequest) -> tuple[Network, ...]:
    return request.app.get(TRUSTED, ()) if isinstance(request, web.Request) else ()
