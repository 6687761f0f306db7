"""Decides which of the four ways HTTPS is served, and what runs beside it; the other files know one way each."""

import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from server.core.capability import Job
from server.core.clock import Clock
from server.core.errors import DomainError
from server.core.wire.peer import read_address
from server.tls import acme, files, local_ca
from server.tls.context import Context
from server.tls.help import help_pages
from server.tls.plain import Answer, challenge, plain_door, to_https
from server.tls.settings import TlsSettings

FOLDER: Final = "tls"

#: opens the listening socket of plain HTTP. Raises DomainError port_in_use
Listen = Callable[[], socket.socket]


@dataclass(frozen=True, slots=True)
class Https:
    """What the listening socket takes (None: plain HTTP) and the job that keeps its certificate fresh."""

    context: ssl.SSLContext | None = None
    jobs: tuple[Job, ...] = ()


@asynccontextmanager
async def open_https(
    settings: TlsSettings, url: str, folder: Path, clock: Clock, listen: Listen | None
) -> AsyncIterator[Https]:
    """A certificate for the host of `url`, made or checked, while the block runs; `folder` holds what we make.

    `listen` None: nothing is said over plain HTTP. Raises DomainError certificate_*, acme_failed, port_in_use.
    """
    host = urlsplit(url).hostname or ""
    context = Context()
    match settings.mode:
        case "off":
            yield Https()
        case "files":
            given = files.Files(_path(settings.certificate), _path(settings.key), host, clock, context)
            given.load()
            async with _beside(listen, {"*": to_https(url)}):
                yield Https(context.front, (Job("tls.files", files.LOOK_S, given.look),))
        case "acme":
            if read_address(host) is not None:
                raise DomainError(
                    "address_refused", host=host, remedy="server.public_url with a name, for tls.mode acme"
                )
            fetched = acme.Acme(settings, host, folder, clock, context)
            well_known = {"/.well-known/acme-challenge/{token}": challenge(fetched.answers)}
            async with _beside(listen, {**well_known, "*": to_https(url)}):
                await fetched.load()
                yield Https(context.front, (Job("tls.acme", acme.LOOK_S, fetched.look),))
        case "local-ca":
            made = local_ca.LocalCa(folder, (host,), clock, context)
            made.load()
            async with _beside(listen, help_pages(folder, url)):
                yield Https(context.front, (Job("tls.local_ca", local_ca.LOOK_S, made.look),))


def authority_file(settings: TlsSettings, data: Path) -> Path | None:
    """The certificate that clients of our own must trust besides the system's; None when the system's are enough."""
    return data / FOLDER / local_ca.PUBLIC if settings.mode == "local-ca" else None


def _path(path: Path | None) -> Path:
    if path is None:  # settings refuse it
        raise ValueError("mode files has both")
    return path


@asynccontextmanager
async def _beside(listen: Listen | None, pages: dict[str, Answer]) -> AsyncIterator[None]:
    if listen is None:
        yield
        return
    with closing(listen()) as listener:
        async with plain_door(listener, pages):
            yield
