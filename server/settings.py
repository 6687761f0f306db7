"""Decides what config.yaml may hold: the union of what each part declares."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from media.api import MediaSettings
from server.core.config import Settings, load
from server.core.errors import DomainError

DEFAULT_FILE: Final = Path("config.yaml")
Port = Annotated[int, Field(ge=0, le=65_535)]
Count = Annotated[int, Field(ge=1, le=100_000)]


class ServerSettings(Settings):
    """Where to listen, and where everything is kept."""

    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: str | None = None
    data: Path = Path("data/keshi")

    @field_validator("public_url")
    @classmethod
    def _origin_only(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
            raise ValueError("must look like https://ke.example.cn, without a path")
        return f"{parts.scheme}://{parts.netloc}".lower()


class MediaGroup(Settings):
    """What may be set about media; see media/settings.py."""

    udp_port: Port = 8090
    advertised_ips: tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...] = ()
    max_rooms: Count = 64
    max_peers_per_room: Count = 600
    start_kbps: Count = 1_200
    max_kbps: Count = 2_500

    def for_media(self, host: str) -> MediaSettings:
        """The same in media's own words."""
        return MediaSettings(
            udp_host=host,
            udp_port=self.udp_port,
            advertised_ips=tuple(str(address) for address in self.advertised_ips),
            max_rooms=self.max_rooms,
            max_peers_per_room=self.max_peers_per_room,
            start_kbps=self.start_kbps,
            max_kbps=self.max_kbps,
        )


class LogSettings(Settings):
    """How much is told."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class Config(Settings):
    """All of config.yaml."""

    server: ServerSettings = ServerSettings()
    media: MediaGroup = MediaGroup()
    log: LogSettings = LogSettings()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origins(settings: ServerSettings, port: int) -> tuple[str, frozenset[str]]:
    """The public URL, and every Origin that pages of ours may have.

    Raises DomainError address_refused where browsers could not know the address.
    """
    if settings.public_url:
        return settings.public_url, frozenset({settings.public_url})
    if not is_loopback(settings.host):
        raise DomainError("address_refused", host=settings.host, remedy="set server.public_url in config.yaml")
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    names = {shown, "127.0.0.1", "localhost"}
    return f"http://{shown}:{port}", frozenset(f"http://{name}:{port}" for name in names)


def read_config(path: Path, overrides: Mapping[str, Any]) -> Config:
    """The settings of a file, under the command line's `overrides` for `server`; without the default file, defaults."""
    if not path.exists() and path == DEFAULT_FILE:
        return Config.model_validate({"server": dict(overrides)})
    return load(path, Config, {"server": overrides})
