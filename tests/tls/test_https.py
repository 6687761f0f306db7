"""The four ways of HTTPS in the running service: certificates, what plain HTTP says beside them, and refusals."""

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector

from server.core.clock import Clock, SystemClock
from server.core.errors import DomainError
from server.serve import running
from server.settings import Config
from server.tls.https import authority_file, open_https
from server.tls.settings import TlsSettings
from tests.network.proxy import free_port
from tests.tls.certificates import CLOCK, put, self_signed, trusting
from tests.tls.pebble import pebble

HOME = "127.0.0.1"
LOCAL = "https://localhost"


def _config(folder: Path, tls: dict[str, Any], **server: Any) -> Config:
    server = {"data": str(folder / "data"), "port": free_port(HOME), **server}
    return Config.model_validate({"server": server, "tls": tls, "media": {"udp_port": 0}})


async def _get(url: str, context: ssl.SSLContext | None = None) -> tuple[int, dict[str, str]]:
    connector = TCPConnector(ssl=context or True)
    async with ClientSession(connector=connector) as http, http.get(url, allow_redirects=False) as answer:
        return answer.status, dict(answer.headers)


async def test_files_serve_and_plain_http_leads_to_them(tmp_path: Path) -> None:
    pair = self_signed("localhost")
    certificate, key = put(pair, tmp_path)
    port, plain = free_port(HOME), free_port(HOME)
    tls = {"mode": "files", "certificate": str(certificate), "key": str(key), "http_port": plain}
    config = _config(tmp_path, tls, port=port, public_url=f"{LOCAL}:{port}")
    async with running(config, demo=False) as (_, url):
        assert url == f"{LOCAL}:{port}"
        status, headers = await _get(f"{url}/healthz", trusting(pair))
        assert (status, "Server" in headers) == (200, False)
        status, headers = await _get(f"http://{HOME}:{plain}/desk.html")
        assert (status, headers["Location"]) == (308, f"{url}/desk.html")


async def test_local_ca_serves_and_plain_http_helps_phones(tmp_path: Path) -> None:
    plain = free_port(HOME)
    config = _config(tmp_path, {"mode": "local-ca", "http_port": plain})
    async with running(config, demo=False) as (_, url):
        trusted = authority_file(config.tls, config.server.data)
        assert trusted is not None
        status, headers = await _get(f"{url}/healthz", ssl.create_default_context(cafile=trusted))
        assert (status, "Strict-Transport-Security" in headers) == (200, False)
        assert (await _get(f"http://{HOME}:{plain}/keshi-ca.crt"))[0] == 200


async def test_acme_fetches_before_it_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pebble(tmp_path / "pebble") as authority:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.trust))
        tls = {"mode": "acme", "acme_agree_terms": True, "acme_directory": authority.directory}
        port = free_port(HOME)
        config = _config(
            tmp_path, {**tls, "http_port": authority.http_port}, port=port, public_url=f"https://ke.example.cn:{port}"
        )
        async with running(config, demo=False):
            client = ssl.create_default_context(cadata=authority.root())
            connector = TCPConnector(ssl=client)
            async with (
                ClientSession(connector=connector) as http,
                http.get(f"https://{HOME}:{port}/healthz", server_hostname="ke.example.cn") as answer,
            ):
                assert answer.status == 200
                assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


async def _refusal(config: Config) -> DomainError:
    with pytest.raises(DomainError) as refused:
        async with running(config, demo=False):
            pass
    return refused.value


async def test_a_certificate_for_another_name_stops_the_start(tmp_path: Path) -> None:
    certificate, key = put(self_signed("other.example.cn"), tmp_path)
    tls = {"mode": "files", "certificate": str(certificate), "key": str(key)}
    assert (await _refusal(_config(tmp_path, tls, public_url=LOCAL))).code == "certificate_host"


async def test_a_taken_plain_port_is_named(tmp_path: Path) -> None:
    with socket.create_server((HOME, 0)) as taken:
        tls = {"mode": "local-ca", "http_port": taken.getsockname()[1]}
        error = await _refusal(_config(tmp_path, tls))
    assert (error.code, error.data["setting"]) == ("port_in_use", "tls.http_port")


async def test_acme_wants_a_name(tmp_path: Path) -> None:
    tls = {"mode": "acme", "acme_agree_terms": True}
    config = _config(tmp_path, tls, public_url="https://192.0.2.9")
    assert (await _refusal(config)).code == "address_refused"


async def test_off_has_no_context_and_no_work(tmp_path: Path) -> None:
    clock: Clock = SystemClock()
    async with open_https(TlsSettings(), "http://127.0.0.1:8080", tmp_path, clock, None) as https:
        assert (https.context, https.jobs) == (None, ())
    assert list(tmp_path.iterdir()) == []
    assert authority_file(TlsSettings(), tmp_path) is None


@pytest.mark.parametrize("mode", ["files", "local-ca"])
async def test_each_way_has_a_job_that_keeps_it_fresh(tmp_path: Path, mode: str) -> None:
    certificate, key = put(self_signed("localhost"), tmp_path)
    settings = TlsSettings.model_validate({"mode": mode, "certificate": str(certificate), "key": str(key)})
    async with open_https(settings, LOCAL, tmp_path / "tls", CLOCK, None) as https:
        (job,) = https.jobs
        await job.work()
        assert job.seconds <= 300
