"""The second machine is another one: other addresses, its own loopback, and gone with what ran in it."""

import http.server
import subprocess
import sys
import threading
from pathlib import Path
from urllib.request import urlopen

from tests.network.space import Space, as_root
from tests.network.space import space as opened

#: GET / from an address
KNOCK = """
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[2], int(sys.argv[3]), 10, (sys.argv[1], 0))
connection.request("GET", "/")
connection.getresponse()
"""


def test_it_reaches_us_from_two_addresses_of_its_own(space: Space) -> None:
    seen: list[str] = []

    class Note(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.client_address[0])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None: ...

    with http.server.HTTPServer((space.server, 0), Note) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for address in (space.first, space.second):
            done = space.run(sys.executable, "-c", KNOCK, address, space.server, str(server.server_port))
            assert done.returncode == 0, done
        loopback = space.run(sys.executable, "-c", KNOCK, "127.0.0.1", "127.0.0.1", str(server.server_port))
        assert "ConnectionRefusedError" in loopback.stderr, "its loopback is not ours"
        server.shutdown()
    assert seen == [space.first, space.second]


def test_what_listens_on_its_loopback_is_reached_through_a_relay(space: Space, tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("from in there")
    serve = ["python3", "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(tmp_path), "0"]
    with subprocess.Popen(space.enter(serve), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as inside:
        assert inside.stdout is not None
        port = int(inside.stdout.readline().split("port ")[1].split()[0])
        with space.reach(port) as url, urlopen(f"{url}/page.txt") as answer:
            assert answer.read() == b"from in there"
        inside.kill()


def test_programs_are_started_in_there(space: Space, tmp_path: Path) -> None:
    script = space.program(tmp_path, "/usr/bin/env")
    told = subprocess.run([script, "ip", "-4", "-o", "address"], capture_output=True, text=True, check=True).stdout
    assert space.first in told
    assert space.server not in told


def test_nothing_outlives_it() -> None:
    with opened() as made:
        sleeper = subprocess.Popen(made.enter(["sh", "-c", "echo here; exec sleep 60"]), stdout=subprocess.PIPE)
        with sleeper.stdout as told:  # type: ignore[union-attr]  # a pipe was asked for
            assert told.readline() == b"here\n", "it is in there"
        assert (
            made.name in subprocess.run([*as_root(), "ip", "netns"], capture_output=True, text=True, check=True).stdout
        )
    assert sleeper.wait(10) == -9
    assert (
        made.name not in subprocess.run([*as_root(), "ip", "netns"], capture_output=True, text=True, check=True).stdout
    )
