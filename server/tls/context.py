"""Decides how TLS is spoken, and that a connection gets the newest certificate: no restart, nobody is cut off."""

import ssl
from pathlib import Path

from server.core.errors import DomainError


class Context:
    """`front` is what a listening socket takes. Call `use` before the first connection."""

    def __init__(self) -> None:
        self.front = _context()
        # A context keeps one certificate per kind of key: loading an ECDSA pair over an RSA one would leave both.
        # So each pair has a context of its own, chosen at the handshake; the call comes also without a name (SNI).
        self.front.sni_callback = self._choose
        self._current = self.front

    def use(self, certificate: Path, key: Path) -> None:
        """Serve this pair to new connections. Raises DomainError certificate_unreadable; the old pair then stays."""
        fresh = _context()
        try:
            fresh.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise DomainError("certificate_unreadable", file=certificate.name, problem=type(error).__name__) from error
        self._current = fresh

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _front: ssl.SSLContext) -> None:
        connection.context = self._current


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    return context
