"""Decides how the wishes of whoever types `serve` change the settings: a LAN, a demo beside another one."""

import argparse
import io
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import segno

from server.core.errors import DomainError
from server.settings import DEFAULT_FILE, WILDCARDS, Config, MediaGroup, ServerSettings, is_loopback, origin_of, origins
from server.tls.https import authority_file
from server.tls.lan import lan_address
from server.tls.local_ca import fingerprint
from server.tls.settings import LAST_PORT

#: the demo's UDP port lies so far above its TCP port, as 8090 above 8080
UDP_STEP: Final = 10


def arranged(config: Config, options: argparse.Namespace) -> Config:
    """The settings to serve with. Raises DomainError address_refused."""
    if options.lan:
        config = _on_the_lan(config)
    if options.demo:
        config = _beside_other_demos(config)
    if options.demo and not (is_loopback(config.server.host) or options.lan or options.demo_anywhere):
        remedy = "make run LAN=1; or --demo-anywhere (make run ARGS=--demo-anywhere)"
        raise DomainError("address_refused", host=config.server.host, remedy=remedy)
    return config


def _on_the_lan(config: Config) -> Config:
    """Listen where phones reach us, with a certificate of our own unless there is another."""
    host = config.server.host
    if is_loopback(host):
        found = lan_address()
        if found is None:
            raise DomainError("address_refused", host=host, remedy="no network was found: --host ADDRESS (HOST=)")
        host = found
    server = config.server.model_copy(update={"host": host})
    tls = config.tls if config.tls.mode != "off" else config.tls.model_copy(update={"mode": "local-ca"})
    return config.model_copy(update={"server": server, "tls": tls})


def _beside_other_demos(config: Config) -> Config:
    """A demo on another port must not need the UDP port of the first one."""
    port = config.server.port
    if port == ServerSettings().port or config.media.udp_port != MediaGroup().udp_port:
        return config
    udp_port = port + UDP_STEP if 0 < port <= LAST_PORT - UDP_STEP else 0
    return config.model_copy(update={"media": config.media.model_copy(update={"udp_port": udp_port})})


def shown(config: Config) -> str:
    """Where browsers find the service once it serves with these settings; a guess where it would not start."""
    try:
        return origins(config, config.server.port)[0]
    except DomainError:
        return origin_of("http", config.server.host, config.server.port)


def serve_again(config: Config, options: argparse.Namespace) -> Iterator[str]:
    """The words that serve what another command has just set up, to be pasted as they stand."""
    yield from ("serve", "--data", str(config.server.data))
    if options.config != str(DEFAULT_FILE):
        yield from ("--config", options.config)
    for name in ("host", "port"):
        if (value := getattr(options, name)) is not None:
            yield from (f"--{name}", str(value))


def for_phones(config: Config, url: str) -> Iterator[str]:
    """Lines for the terminal: where phones begin, as text and as QR, and what they compare. Nothing without a LAN."""
    authority = authority_file(config.tls, config.server.data)
    parts = urlsplit(url)
    plain = config.tls.plain_port(parts.port or 443)
    if authority is None or not plain:
        return
    host = parts.hostname or ""
    begin = origin_of("http", host if config.server.host in WILDCARDS else config.server.host, plain)
    drawn = io.StringIO()
    segno.make(begin, error="l", micro=False).terminal(drawn, compact=True)
    yield "手机扫码（首次按页面提示安装证书，再进入） · Phones: scan, install the certificate once, enter"
    yield drawn.getvalue().rstrip("\n")
    yield f"  {begin}"
    yield f"  SHA-256 {fingerprint(authority)}"
