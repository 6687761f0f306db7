"""Decides what config.yaml may hold: the union of what each part declares."""

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from media.api import MIN_SECRET_BYTES, MOST_SERVERS, IceServer, MediaSettings
from server.accounts.limits import LimitSettings
from server.core.config import Settings, load
from server.core.errors import DomainError
from server.core.ntp import read_server
from server.ledger.witnesses import Known
from server.tls.lan import lan_address, machine_addresses, machine_names
from server.tls.settings import TlsSettings
from server.verify.notes import Kind, read_key
from server.verify.tree import Refused

DEFAULT_FILE: Final = Path("config.yaml")
#: every address of the machine
WILDCARDS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104  compared with, not listened on
LAST_PORT: Final = 65_535
#: where lessons are recorded, in the data folder
RECORDINGS: Final = "recordings"
Port = Annotated[int, Field(ge=0, le=LAST_PORT)]
Count = Annotated[int, Field(ge=1, le=100_000)]


class ServerSettings(Settings):
    """Where to listen, and where everything is kept."""

    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: str | None = None
    data: Path = Path("data/keshi")
    internal: str | None = None
    trusted_proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    metrics: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

    @field_validator("public_url")
    @classmethod
    def _origin_only(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
            raise ValueError("must look like https://ke.example.cn, without a path")
        return origin_of(parts.scheme, parts.hostname or "", parts.port)

    @field_validator("internal")
    @classmethod
    def _host_and_port(cls, value: str | None) -> str | None:
        host, found, port = (value or "x:1").rpartition(":")
        if not (found and host and port.isdecimal() and int(port) <= LAST_PORT):
            raise ValueError("must look like 10.0.0.5:8091")
        return value


class IceServerSettings(Settings):
    """A STUN or TURN server; its secrets are never shown. `secret_file`: in the data folder unless absolute."""

    urls: tuple[str, ...]
    username: str = ""
    credential: SecretStr = SecretStr("")
    secret_file: Path | None = None

    @model_validator(mode="after")
    def _sound(self) -> "IceServerSettings":
        self._with(bytes(MIN_SECRET_BYTES) if self.secret_file else b"")
        return self

    def _with(self, secret: bytes) -> IceServer:
        return IceServer(self.urls, self.username, self.credential.get_secret_value(), secret)

    def server(self, data: Path) -> IceServer:
        """The same in media's own words. Raises ValueError or OSError."""
        secret = (data / self.secret_file).read_bytes().strip() if self.secret_file else b""
        if self.secret_file and not secret:
            raise ValueError("secret_file: is empty")
        return self._with(secret)


class MediaGroup(Settings):
    """What may be set about media; see media/settings.py."""

    mode: Literal["embedded", "worker"] = "embedded"
    worker_socket: Path | None = None
    host: ipaddress.IPv4Address | ipaddress.IPv6Address | None = None
    udp_port: Port = 8090
    tcp_port: Port | None = None
    advertised_ips: tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...] = ()
    max_rooms: Count = 64
    max_peers_per_room: Count = 600
    start_kbps: Count = 1_200
    max_kbps: Count = 4_000
    uplink_mbps: Annotated[float, Field(gt=0)] | None = None
    recording: bool = False
    ice_servers: Annotated[tuple[IceServerSettings, ...], Field(max_length=MOST_SERVERS)] = ()

    def servers(self, data: Path) -> tuple[IceServer, ...]:
        """STUN and TURN servers. Raises DomainError config_invalid, which says nothing of a secret."""
        found = []
        for number, one in enumerate(self.ice_servers):
            try:
                found.append(one.server(data))
            except (ValueError, OSError) as error:
                problem = str(error) if isinstance(error, ValueError) else f"secret_file: {error.strerror}"
                setting = f"media.ice_servers.{number}"
                raise DomainError("config_invalid", setting=setting, reason=problem) from error
        return tuple(found)

    def socket_in(self, data: Path) -> Path:
        """Where server and worker meet."""
        return self.worker_socket or data / "media.sock"

    def for_media(self, server_host: str, data: Path) -> MediaSettings:
        """The same in media's own words, `data` being the data folder.

        Raises DomainError address_refused where there is no address to listen on.
        """
        host = str(self.host) if self.host else {"localhost": "127.0.0.1"}.get(server_host, server_host)
        try:
            ipaddress.ip_address(host)
        except ValueError as error:
            raise DomainError("address_refused", host=host, remedy="set media.host to an IP address") from error
        return MediaSettings(
            udp_host=host,
            udp_port=self.udp_port,
            tcp_port=self.tcp_port,
            advertised_ips=tuple(str(address) for address in self.advertised_ips),
            max_rooms=self.max_rooms,
            max_peers_per_room=self.max_peers_per_room,
            start_kbps=self.start_kbps,
            max_kbps=self.max_kbps,
            recordings=data / RECORDINGS if self.recording else None,
            ice_servers=self.servers(data),
            uplink_mbps=self.uplink_mbps,
        )


class TimeSettings(Settings):
    """What ledger time is measured by."""

    ntp: tuple[str, ...] = ()

    @field_validator("ntp")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for server in value:
            read_server(server)
        return value


class StoreSettings(Settings):
    """Where records and what processes share are kept; both may hold a password, so neither is ever shown."""

    database: SecretStr | None = None
    redis: SecretStr | None = None

    @field_validator("database")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        return _address(value, ("postgresql", "postgres", "postgresql+asyncpg"), "postgresql://name@host/database")

    @field_validator("redis")
    @classmethod
    def _redis(cls, value: SecretStr | None) -> SecretStr | None:
        return _address(value, ("redis", "rediss", "unix"), "redis://host:6379/0")


def _address(value: SecretStr | None, schemes: tuple[str, ...], example: str) -> SecretStr | None:
    """An empty one is none. Raises ValueError, without the value: there may be a password in it."""
    if value is None or not value.get_secret_value():
        return None
    scheme, found, rest = value.get_secret_value().partition("://")
    if scheme not in schemes or not found or not rest.strip("/"):
        raise ValueError(f"must look like {example}")
    return value


class WitnessSettings(Settings):
    """Somebody who signs what the log says of itself: where, and by which key."""

    url: str
    key: str

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must look like https://witness.example.cn")
        return value.rstrip("/")

    @field_validator("key")
    @classmethod
    def _of_a_witness(cls, value: str) -> str:
        try:
            found = read_key(value)
        except Refused as error:
            raise ValueError(str(error)) from error
        if found.kind is not Kind.WITNESS:
            raise ValueError("must be the key that `keshi witness` prints")
        return value

    @property
    def known(self) -> Known:
        """The same for the log."""
        return Known(self.url, read_key(self.key))


class LedgerSettings(Settings):
    """Who watches the log."""

    witnesses: tuple[WitnessSettings, ...] = ()


class LogSettings(Settings):
    """How much is told."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class Config(Settings):
    """All of config.yaml."""

    server: ServerSettings = ServerSettings()
    tls: TlsSettings = TlsSettings()
    store: StoreSettings = StoreSettings()
    media: MediaGroup = MediaGroup()
    limits: LimitSettings = LimitSettings()
    time: TimeSettings = TimeSettings()
    ledger: LedgerSettings = LedgerSettings()
    log: LogSettings = LogSettings()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin_of(scheme: str, host: str, port: int | None) -> str:
    """An origin as browsers write it: lower case, IPv6 in brackets, no port where it is the scheme's own (RFC 6454)."""
    shown = f"[{host}]" if ":" in host else host
    standard = {"http": 80, "https": 443}[scheme]
    return f"{scheme}://{shown.lower()}" + ("" if port in (None, standard) else f":{port}")


def origins(config: Config, port: int) -> tuple[str, frozenset[str]]:
    """The public URL, and every Origin that pages of ours may have.

    Raises DomainError tls_needed where phones would have no camera, address_refused where browsers could not know the
    address.
    """
    _check_secure(config)
    settings, scheme = config.server, "http" if config.tls.mode == "off" else "https"
    if config.tls.mode == "local-ca":
        names = {settings.host, *machine_names(), *map(str, machine_addresses())} - WILDCARDS
        allowed = frozenset(origin_of(scheme, name, port) for name in names)
        url = settings.public_url or origin_of(scheme, _lan_host(settings.host), port)
        return url, allowed | {url}
    if settings.public_url:
        return settings.public_url, frozenset({settings.public_url})
    if settings.host in WILDCARDS or (scheme == "http" and not is_loopback(settings.host)):
        raise DomainError("address_refused", host=settings.host, remedy="set server.public_url in config.yaml")
    names = {settings.host, *(("127.0.0.1", "localhost") if is_loopback(settings.host) else ())}
    return origin_of(scheme, settings.host, port), frozenset(origin_of(scheme, name, port) for name in names)


def _check_secure(config: Config) -> None:
    """Browsers give a camera, Web Crypto and the wake lock to https and to loopback only."""
    public = urlsplit(config.server.public_url or "")
    if config.tls.mode == "off":
        open_to_others = not is_loopback(config.server.host) and not config.server.trusted_proxies
        if open_to_others or (public.scheme == "http" and not is_loopback(public.hostname or "")):
            raise DomainError("tls_needed", host=config.server.host)
    elif public.scheme == "http":
        raise DomainError("address_refused", host=public.netloc, remedy="server.public_url must begin with https://")


def _lan_host(host: str) -> str:
    if host not in WILDCARDS:
        return host
    found = lan_address()
    if found is None:
        raise DomainError("address_refused", host=host, remedy="no network was found: --host ADDRESS")
    return found


def read_config(path: Path, overrides: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Config:
    """The settings of a file, under the command line's `overrides` for `server`; without the default file, defaults.

    KESHI_DATABASE and KESHI_REDIS win over the file, so that no password need stand in it.
    """
    named = {"database": "KESHI_DATABASE", "redis": "KESHI_REDIS"}
    store = {key: environment[name] for key, name in named.items() if environment.get(name)}
    if not path.exists() and path == DEFAULT_FILE:
        return Config.model_validate({"server": dict(overrides), "store": store})
    return load(path, Config, {"server": overrides, "store": store})
