"""Decides what every answer tells the browser to refuse, and what it does not tell about us."""

from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from server.core.wire.peer import client_scheme, read_address

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), screen-wake-lock=(self)",
}
#: a year, which is what browsers expect (RFC 6797)
HSTS: Final = "max-age=31536000"
CSP: Final = (
    "default-src 'self'; connect-src 'self'{sockets}; img-src 'self' data: blob:; media-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def guard(app: web.Application, url: str, lasting: bool) -> None:
    """Give every answer of `app` the security headers and take the server's name off it.

    `url` is the public URL. `lasting`: a browser may remember for a year that this name speaks HTTPS; never said of
    an address, and never over http.
    """
    fixed = {**HEADERS, "Content-Security-Policy": _policy(url)}
    hsts = lasting and may_last(url)

    async def mark(request: web.Request, response: web.StreamResponse) -> None:
        for name, value in fixed.items():
            response.headers.setdefault(name, value)
        if hsts and client_scheme(request) == "https":
            response.headers["Strict-Transport-Security"] = HSTS
        response.headers.pop("Server", None)

    app.on_response_prepare.append(mark)


def may_last(url: str) -> bool:
    """Whether HSTS makes sense for a public URL: https, and a name of the public DNS' form."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme == "https" and "." in host and read_address(host) is None


def _policy(url: str) -> str:
    """'self' did not cover sockets in Safari before 15.4: they are named."""
    parts = urlsplit(url)
    if not parts.netloc:
        return CSP.format(sockets="")
    return CSP.format(sockets=f" {'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}")
