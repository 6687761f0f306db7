"""Decides which STUN and TURN servers peers are told of, and with what credentials. Pure.

With a secret shared with the TURN server (coturn's `use-auth-secret`) a credential is made for each peer and ends by
itself: the name is the moment at which it does, the password an HMAC of it.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

#: as long as a login lives at most: an allocation is refreshed with the credential that made it
CREDENTIAL_SECONDS = 14 * 3_600
MOST_SERVERS, MOST_URLS = 4, 4
MOST_CHARS = 255
MIN_SECRET_BYTES = 16
URL = re.compile(r"(stun|turns?):(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?(\?transport=(udp|tcp))?")
#: what can stand in the quotes of a header and needs no escape
PLAIN = re.compile(r"[!#-\[\]-~]+")


@dataclass(frozen=True, slots=True)
class IceServer:
    """A server as the operator sets it: a name and a password, or a secret shared with it; STUN needs neither.

    Raises ValueError, without a secret in its text.
    """

    urls: tuple[str, ...]
    username: str = ""
    credential: str = field(default="", repr=False)
    secret: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.urls) <= MOST_URLS:
            raise ValueError(f"urls: 1 to {MOST_URLS} of one server")
        for url in self.urls:
            if len(url) > MOST_CHARS or not URL.fullmatch(url):
                raise ValueError("urls: must look like turn:turn.example.cn:3478?transport=udp")
        self._check_credentials()

    def _check_credentials(self) -> None:
        fixed, shared = bool(self.username or self.credential), bool(self.secret)
        if any(url.startswith("turn") for url in self.urls):
            if fixed is shared:
                raise ValueError("a TURN server needs either username and credential, or secret_file")
        elif fixed or shared:
            raise ValueError("a STUN server has no credentials")
        if fixed and not all(PLAIN.fullmatch(one) and len(one) <= MOST_CHARS for one in self._fixed):
            raise ValueError(f"username and credential: 1 to {MOST_CHARS} printable characters without quotes")
        if shared and len(self.secret) < MIN_SECRET_BYTES:
            raise ValueError(f"secret_file: at least {MIN_SECRET_BYTES} bytes")

    @property
    def _fixed(self) -> tuple[str, str]:
        return self.username, self.credential


@dataclass(frozen=True, slots=True)
class Offered:
    """A server as a peer is told of it; a STUN server with empty names."""

    urls: list[str]
    username: str
    credential: str = field(repr=False)


def offered(servers: Iterable[IceServer], now: float) -> list[Offered]:
    """The servers with credentials that hold from `now` (seconds since 1970) on for CREDENTIAL_SECONDS."""
    return [Offered(list(server.urls), *_credential(server, now)) for server in servers]


def links(servers: Iterable[IceServer], now: float) -> list[str]:
    """The same as values of Link headers (RFC 9725 section 4.6)."""
    return [_link(url, server) for server in offered(servers, now) for url in server.urls]


def _credential(server: IceServer, now: float) -> tuple[str, str]:
    if not server.secret:
        return server.username, server.credential
    name = f"{int(now) + CREDENTIAL_SECONDS}:keshi"
    made = hmac.new(server.secret, name.encode(), hashlib.sha1).digest()
    return name, base64.b64encode(made).decode()


def _link(url: str, server: Offered) -> str:
    link = f'<{url}>; rel="ice-server"'
    if not server.username:
        return link
    return f'{link}; username="{server.username}"; credential="{server.credential}"; credential-type="password"'
