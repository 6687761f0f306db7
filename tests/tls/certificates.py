"""Certificates of every kind for tests, and clients that look at what a server shows."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from server.core.clock import SystemClock
from server.tls.context import Context
from server.tls.pair import Key, Pair, key_pem, new_key

CLOCK = SystemClock()


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 2_048)


def self_signed(*names: str, start: timedelta = timedelta(hours=-1), days: float = 90, key: Key | None = None) -> Pair:
    """A certificate that trusts itself, from now + `start` for `days`."""
    own = key or new_key()
    begin = datetime.now(UTC) + start
    title = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    builder = (
        x509.CertificateBuilder(title, title, own.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
    return Pair((builder.sign(own, SHA256()),), own)


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def put(pair: Pair, folder: Path) -> tuple[Path, Path]:
    """Write a pair as two files, as renewal programs do."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in pair.chain))
    key.write_bytes(key_pem(pair.key))
    return certificate, key


def trusting(pair: Pair) -> ssl.SSLContext:
    """A client's context that trusts only this certificate."""
    return ssl.create_default_context(cadata=pair.leaf.public_bytes(Encoding.PEM).decode())


@asynccontextmanager
async def echo(context: Context) -> AsyncIterator[int]:
    """A TLS server that sends back what it gets; gives its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context.front)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def shown(port: int, host: str = "127.0.0.1", name: str | None = None) -> bytes:
    """The certificate that a server shows, as DER, without judging it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _reader, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=name)
    try:
        found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return found
    finally:
        writer.close()
        await writer.wait_closed()


def der(pair: Pair) -> bytes:
    return pair.leaf.public_bytes(Encoding.DER)
