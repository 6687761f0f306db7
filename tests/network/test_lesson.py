"""A lesson from a second machine: over HTTPS with an authority of our own, and through nginx as in the example."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from server.core.clock import ManualClock, SystemClock
from server.exchange.sheets import FILE_MAXIMUM_BYTES
from server.tls.local_ca import issue, make_authority
from tests.network.proxy import free_port, nginx, rendered
from tests.network.space import Space
from tests.school import PASSWORD, Groups, School, school
from tests.tls.certificates import put

#: as client_max_body_size in deploy/nginx.conf
NGINX_BYTES = 6 * 1024 * 1024


async def _visit(space: Space, served: School, url: str, authority: Path, sizes: list[int]) -> dict[str, Any]:
    part = {
        "url": url,
        "first": space.first,
        "second": space.second,
        "password": PASSWORD,
        "lesson_id": served.lesson_id,
        "class_id": served.class_id,
        "sizes": sizes,
    }
    command = [sys.executable, "-m", "tests.network.visitor", json.dumps(part)]
    done = await asyncio.to_thread(space.run, *command, SSL_CERT_FILE=str(authority))
    assert done.returncode == 0, done.stderr[-3_000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _check(found: dict[str, Any], served: School) -> None:
    assert found["cookies"][-1].startswith("__Host-")
    assert "__Host-keshi_session" in found["cookies"]
    assert found["wrong"] == "login_refused"
    assert found["location"].startswith(f"/media/whip/{served.lesson_id}/")
    assert found["deleted"] == [200, 200]
    assert (found["seq"], found["page"]) == (1, 200)


def _now() -> ManualClock:
    """A lesson of today: certificates are judged by the real time."""
    return ManualClock(SystemClock().ms())


async def test_over_https_with_an_authority_of_our_own(space: Space, tmp_path: Path) -> None:
    groups = {"server": {"host": space.server}, "tls": {"mode": "local-ca"}}
    async with school(tmp_path, _now(), groups=groups) as served:
        assert served.url.startswith(f"https://{space.server}:")
        sizes = [FILE_MAXIMUM_BYTES, FILE_MAXIMUM_BYTES + 1]
        found = await _visit(space, served, served.url, tmp_path / "tls" / "ca.crt", sizes)
        _check(found, served)
        assert found["uploads"] == ["roster_unreadable", "too_large"]
        assert "Server" not in found["headers"]
        assert "Strict-Transport-Security" not in found["headers"]
        fetch = f"import urllib.request; urllib.request.urlopen({served.url!r})"
        strange = await asyncio.to_thread(space.run, sys.executable, "-c", fetch)
        assert "CERTIFICATE_VERIFY_FAILED" in strange.stderr, "only who installed the authority trusts it"


async def test_through_nginx(space: Space, tmp_path: Path) -> None:
    ports, inner = (free_port(space.server), free_port(space.server)), free_port("127.0.0.1")
    url = f"https://{space.server}:{ports[1]}"
    authority = make_authority([space.server], SystemClock().ms())
    (tmp_path / "ca.crt").write_bytes(authority.leaf.public_bytes(Encoding.PEM))
    pair = put(issue(authority, [space.server], SystemClock().ms()), tmp_path)
    groups: Groups = {
        "server": {"port": inner, "public_url": url, "trusted_proxies": ["127.0.0.1/32"]},
        "media": {"host": space.server},
    }
    async with school(tmp_path / "data", _now(), groups=groups) as served:
        configuration = rendered(space.server, ports, [inner], *pair)
        with nginx(tmp_path / "nginx", configuration, space.server, ports[1]):
            sizes = [FILE_MAXIMUM_BYTES, FILE_MAXIMUM_BYTES + 1, NGINX_BYTES + 1]
            found = await _visit(space, served, url, tmp_path / "ca.crt", sizes)
    _check(found, served)
    assert found["uploads"] == ["roster_unreadable", "too_large", "413 text/html"]
    assert found["headers"]["Server"] == "nginx"
