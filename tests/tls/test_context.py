"""How TLS is spoken, and that new connections get the newest certificate while old ones go on."""

import asyncio
import ssl
import warnings
from pathlib import Path

import pytest

from server.core.errors import DomainError
from server.tls.context import Context
from tests.tls.certificates import der, echo, put, rsa_key, self_signed, shown, trusting


def _use(context: Context, pair: object, folder: Path) -> None:
    context.use(*put(pair, folder))  # type: ignore[arg-type]


async def test_a_new_pair_is_for_new_connections_even_with_another_kind_of_key(tmp_path: Path) -> None:
    first, second = self_signed("localhost", "127.0.0.1"), self_signed("localhost", "127.0.0.1", key=rsa_key())
    context = Context()
    _use(context, first, tmp_path)
    async with echo(context) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(first))
        for name in ("localhost", None):  # with SNI and without
            assert await shown(port, name=name or "127.0.0.1") == der(first)
        _use(context, second, tmp_path)
        for name in ("localhost", None):
            assert await shown(port, name=name or "127.0.0.1") == der(second)
        writer.write(b"still there\n")
        assert await reader.readline() == b"still there\n"
        writer.close()
        await writer.wait_closed()


async def test_nothing_older_than_tls_1_2(tmp_path: Path) -> None:
    context = Context()
    _use(context, self_signed("localhost"), tmp_path)
    assert context.front.minimum_version is ssl.TLSVersion.TLSv1_2

    async def version(highest: ssl.TLSVersion) -> str:
        client = ssl.create_default_context()
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        client.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # old versions are what is tried here
            client.minimum_version, client.maximum_version = ssl.TLSVersion.TLSv1, highest
        _reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
        spoken: str = writer.get_extra_info("ssl_object").version()
        writer.close()
        await writer.wait_closed()
        return spoken

    async with echo(context) as port:
        assert await version(ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
        assert await version(ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await version(ssl.TLSVersion.TLSv1_1)


async def test_a_pair_that_cannot_be_loaded_leaves_the_old_one(tmp_path: Path) -> None:
    good = self_signed("localhost")
    context = Context()
    _use(context, good, tmp_path)
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    for file in (broken, tmp_path / "nowhere.pem"):
        with pytest.raises(DomainError, match="certificate_unreadable"):
            context.use(file, file)
    async with echo(context) as port:
        assert await shown(port, name="localhost") == der(good)
