"""`make run LAN=1` as a phone meets it: scan, compare, install, enter; and the demo's actors trust us as well."""

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.service import Service
from tests.network.space import Space

#: what a phone does, from its own address: read the page, fetch the certificate, enter with it
PHONE = """
import json, re, ssl, sys, urllib.request
page = urllib.request.urlopen(sys.argv[1], timeout=20).read().decode()
link = re.search(r'href="(/[^"]+\\.crt)"', page)[1]
certificate = urllib.request.urlopen(sys.argv[1] + link, timeout=20).read().decode()
way_in = re.search(r'href="(https://[^"]+)"', page)[1]
trusting = ssl.create_default_context(cadata=certificate)
with urllib.request.urlopen(way_in, context=trusting, timeout=20) as answer:
    print(json.dumps({"page": page, "url": answer.url, "html": answer.read().decode()}))
"""
#: a visitor's press on the one button
START = """
import sys, urllib.request
url = sys.argv[1]
headers = {"Origin": url, "Content-Type": "application/json"}
asked = urllib.request.Request(f"{url}/api/v1/demo/lesson", b"{}", headers, method="POST")
print(urllib.request.urlopen(asked, timeout=20).read().decode())
"""
BEGUN_S = 30.0


@pytest.fixture
def demo(space: Space, tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path, "--demo", "--lan", host=space.server, secure=True)
    service.start()
    yield service
    service.interrupt()


async def test_a_phone_comes_in(space: Space, demo: Service) -> None:
    printed = demo.output()
    assert "█" in printed, "a QR to scan"
    (begin,) = re.findall(rf"^  (http://{re.escape(space.server)}:\d+)$", printed, re.MULTILINE)
    (fingerprint,) = re.findall(r"SHA-256 ([0-9A-F:]{95})", printed)
    done = await asyncio.to_thread(space.run, sys.executable, "-c", PHONE, begin)
    assert done.returncode == 0, done.stderr
    met = json.loads(done.stdout)
    assert fingerprint in met["page"]
    assert met["url"] == f"{demo.url}/learn.html"
    assert "课时" in met["html"]

    begun = await asyncio.to_thread(
        space.run, sys.executable, "-c", START, demo.url, SSL_CERT_FILE=str(demo.data / "tls" / "ca.crt")
    )
    assert begun.returncode == 0, begun.stderr
    lesson = json.loads(begun.stdout)["lesson_id"]
    transcript = demo.data / "demo-lessons" / f"{lesson}.log"
    async with asyncio.timeout(BEGUN_S):
        while not transcript.exists() or "画面和声音已发布" not in transcript.read_text():  # noqa: ASYNC110
            await asyncio.sleep(0.1)
