"""Pages are looked at each time, assets are kept for good, and both come compressed to whoever takes them so."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from server.core.wire.rest import errors_as_json
from server.pages import FOREVER, serve_pages

SCRIPT = "learn-DIDdhRiO.js"
Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A build with one page and one script, both also as .gz."""
    (tmp_path / "assets").mkdir()
    for name in ("learn.html", f"assets/{SCRIPT}"):
        (tmp_path / name).write_bytes(b"as it is")
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(b"compressed"))
    app = web.Application(middlewares=[errors_as_json])
    serve_pages(app, tmp_path)
    async with TestClient(TestServer(app), auto_decompress=False) as found:
        yield found


@pytest.mark.parametrize(
    ("path", "kept", "kind"),
    [("/learn.html", "no-cache", "text/html"), (f"/assets/{SCRIPT}", FOREVER, "javascript")],
)
async def test_what_is_kept_for_how_long(client: Client, path: str, kept: str, kind: str) -> None:
    async with client.get(path, headers={"Accept-Encoding": "identity"}) as answer:
        assert (answer.status, await answer.read()) == (200, b"as it is")
        assert answer.headers["Cache-Control"] == kept
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert kind in answer.content_type, "its exact name differs between versions of Python"
        tag = answer.headers["ETag"]
    async with client.get(path, headers={"Accept-Encoding": "identity", "If-None-Match": tag}) as answer:
        assert answer.status == 304


@pytest.mark.parametrize("path", ["/learn.html", f"/assets/{SCRIPT}"])
async def test_whoever_takes_it_compressed_gets_it_so(client: Client, path: str) -> None:
    async with client.get(path, headers={"Accept-Encoding": "gzip, br"}) as answer:
        assert answer.headers["Content-Encoding"] == "gzip", "there is no .br here"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert gzip.decompress(await answer.read()) == b"compressed"


async def test_the_root_leads_to_the_trainee(client: Client) -> None:
    async with client.get("/", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/learn.html")


@pytest.mark.parametrize("path", ["/desk.html", "/assets/none.js", "/assets/", "/assets/..%2flearn.html", "/assets/.x"])
async def test_what_is_not_there(client: Client, path: str) -> None:
    async with client.get(path) as answer:
        assert (answer.status, (await answer.json())["code"]) == (404, "not_found")


async def test_the_build_lays_them_beside() -> None:
    built = Path(__file__).resolve().parents[1] / "web" / "dist"
    assert (built / "learn.html.br").is_file()
    for script in (built / "assets").glob("*.js"):
        if script.stat().st_size >= 1_000:
            assert gzip.decompress(Path(f"{script}.gz").read_bytes()) == script.read_bytes()
