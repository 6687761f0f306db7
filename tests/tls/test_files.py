"""Certificate files that somebody else renews."""

import os
from pathlib import Path

import pytest
import structlog
from cryptography.hazmat.primitives.serialization import Encoding

from server.core.errors import DomainError
from server.tls.context import Context
from server.tls.files import Files
from tests.tls.certificates import CLOCK, der, echo, put, self_signed, shown

HOST = "ke.example.cn"


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (self_signed("other.example.cn"), "certificate_host"),
        (self_signed(HOST, days=0.01), "certificate_expired"),
    ],
)
def test_what_browsers_would_refuse_stops_the_start(tmp_path: Path, bad: object, code: str) -> None:
    certificate, key = put(bad, tmp_path)  # type: ignore[arg-type]
    with pytest.raises(DomainError, match=code):
        Files(certificate, key, HOST, CLOCK, Context()).load()


async def test_changed_files_are_taken_up_and_bad_ones_are_not(tmp_path: Path) -> None:
    first, second = self_signed(HOST), self_signed(HOST)
    context = Context()
    files = Files(*put(first, tmp_path), HOST, CLOCK, context)
    files.load()
    async with echo(context) as port:
        await files.look()
        assert await shown(port, name=HOST) == der(first)
        certificate, key = put(second, tmp_path)
        await files.look()
        assert await shown(port, name=HOST) == der(second)

        with structlog.testing.capture_logs() as told:
            certificate.write_bytes(first.leaf.public_bytes(Encoding.PEM))  # a renewal that is half done
            for _ in range(3):
                await files.look()
            key.unlink()
            await files.look()
        assert [(line["event"], line["code"]) for line in told] == [
            ("certificate_refused", "certificate_mismatch"),
            ("certificate_refused", "certificate_unreadable"),
        ]
        assert await shown(port, name=HOST) == der(second)

        third = put(self_signed(HOST), tmp_path)
        os.utime(third[0], ns=(1, 1))  # an archive restores old times
        await files.look()
        assert await shown(port, name=HOST) not in (der(first), der(second))
