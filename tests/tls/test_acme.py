"""Certificates fetched from a real ACME authority, and again before they end."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from server.core.clock import ManualClock
from server.core.errors import DomainError
from server.tls.acme import DAY_MS, RENEW_DAYS, Acme, renew_at
from server.tls.context import Context
from server.tls.pair import read_pair
from server.tls.plain import challenge, plain_door
from server.tls.settings import TlsSettings
from tests.tls.certificates import CLOCK, echo, self_signed, shown
from tests.tls.pebble import Pebble, pebble

NAME = "ke.example.cn"
PATH = "/.well-known/acme-challenge/{token}"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    with pebble(tmp_path_factory.mktemp("acme") / "pebble") as running:
        yield running


@pytest.fixture(autouse=True)
def _trust(authority: Pebble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.trust))


def _settings(authority: Pebble, **more: object) -> TlsSettings:
    values = {"mode": "acme", "acme_agree_terms": True, "acme_directory": authority.directory}
    return TlsSettings.model_validate({**values, **more})


def _acme(authority: Pebble, folder: Path, context: Context, clock: object = CLOCK, **settings: object) -> Acme:
    return Acme(_settings(authority, **settings), NAME, folder, clock, context)  # type: ignore[arg-type]


@asynccontextmanager
async def _answering(acme: Acme, authority: Pebble) -> AsyncIterator[None]:
    listener = socket.create_server(("127.0.0.1", authority.http_port))
    async with plain_door(listener, {PATH: challenge(acme.answers)}):
        yield


async def test_fetched_once_kept_and_renewed_while_serving(authority: Pebble, tmp_path: Path) -> None:
    context, clock = Context(), ManualClock(CLOCK.ms())
    acme = _acme(authority, tmp_path, context, clock, acme_email="staff@example.org")
    async with _answering(acme, authority):
        await acme.load()
        first = read_pair(tmp_path / "acme.pem", tmp_path / "acme.pem")
        assert first.names == {NAME}
        assert {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {
            "account.key": 0o600,
            "acme.pem": 0o600,
        }
        account = (tmp_path / "account.key").read_bytes()
        assert acme.answers == {}

        async with echo(context) as port:
            before = await shown(port, name=NAME)
            await acme.look()
            again = _acme(authority, tmp_path, context, clock)
            await again.load()
            assert await shown(port, name=NAME) == before, "nothing is fetched without need"

            clock.advance(renew_at(first) - clock.ms() - 1)
            await acme.look()
            assert await shown(port, name=NAME) == before
            clock.advance(1)
            await acme.look()
            assert await shown(port, name=NAME) != before
        assert (tmp_path / "account.key").read_bytes() == account, "the same account ordered both"


async def test_browsers_that_trust_the_authority_accept_the_chain(authority: Pebble, tmp_path: Path) -> None:
    context = Context()
    acme = _acme(authority, tmp_path, context)
    async with _answering(acme, authority):
        await acme.load()
    client = ssl.create_default_context(cadata=authority.root())
    async with echo(context) as port:
        _reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname=NAME)
        writer.close()
        await writer.wait_closed()


async def test_a_name_that_does_not_lead_here_stops_the_start_with_the_authoritys_words(
    authority: Pebble, tmp_path: Path
) -> None:
    with pytest.raises(DomainError, match="acme_failed") as refused:
        await _acme(authority, tmp_path, Context()).load()
    assert refused.value.data["host"] == NAME
    assert "refused" in refused.value.data["problem"]
    assert not (tmp_path / "acme.pem").exists()


async def test_an_authority_that_cannot_be_reached_is_an_error(authority: Pebble, tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="acme_failed"):
        await _acme(authority, tmp_path, Context(), acme_directory="https://127.0.0.1:9/dir").load()


async def test_an_unknown_challenge_is_not_answered() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    answers = {"/.well-known/acme-challenge/known": "answer"}
    async with plain_door(listener, {PATH: challenge(answers)}), ClientSession(f"http://127.0.0.1:{port}") as http:
        for token, told in (("known", (200, "answer")), ("other", (404, '{"code":"not_found","data":{}}'))):
            async with http.get(f"/.well-known/acme-challenge/{token}") as answer:
                assert (answer.status, await answer.text()) == told


@pytest.mark.parametrize(("days", "left"), [(90, RENEW_DAYS), (365, RENEW_DAYS), (45, 15), (6, 2)])
def test_renewed_at_thirty_days_or_in_the_last_third(days: int, left: int) -> None:
    pair = self_signed(NAME, days=days)
    assert pair.until_ms - renew_at(pair) == left * DAY_MS
