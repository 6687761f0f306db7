"""What a phone reads before it trusts this machine."""

import re
import socket
from pathlib import Path

from aiohttp import ClientSession
from cryptography import x509

from server.tls.context import Context
from server.tls.help import CERTIFICATE_PATH, help_pages
from server.tls.local_ca import LocalCa, fingerprint
from server.tls.plain import plain_door
from tests.tls.certificates import CLOCK

URL = "https://192.168.1.9:8443"


async def test_a_phone_gets_the_certificate_the_words_and_the_way_in(tmp_path: Path) -> None:
    LocalCa(tmp_path, ("192.168.1.9",), CLOCK, Context()).load()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    async with plain_door(listener, help_pages(tmp_path, URL)), ClientSession(f"http://127.0.0.1:{port}") as http:
        async with http.get("/") as answer:
            page = await answer.text()
            assert "unsafe" not in answer.headers["Content-Security-Policy"]
        async with http.get(CERTIFICATE_PATH) as answer:
            assert answer.content_type == "application/x-x509-ca-cert"
            told = await answer.read()
        assert x509.load_pem_x509_certificate(told).extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert b"PRIVATE" not in told
        assert f'href="{URL}"' in page
        assert fingerprint(tmp_path / "ca.crt") in page
        for word in ("iPhone", "Android", "Windows", "安装证书", "Install a certificate"):
            assert word in page
        assert not re.search(r"<script|<style|style=|\son\w+=", page), "the page obeys its own policy"
        (style,) = re.findall(r'rel="stylesheet" href="([^"]+)"', page)
        async with http.get(style) as answer:
            assert (answer.status, answer.content_type) == (200, "text/css")
        for path in ("/learn.html", "/api/v1/me", "/ca.pem", "/leaf.pem", "/../ca.pem", "/socket.io/"):
            async with http.get(path) as answer:
                assert answer.status == 404
