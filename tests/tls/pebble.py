"""A real ACME authority (RFC 8555): Debian's pebble, which asks 127.0.0.1 for every name."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.network.proxy import free_port
from tests.tls.certificates import put, self_signed, trusting

START_S = 20.0
HOME = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Pebble:
    """The running authority. `trust` is the certificate of its own door; it asks names at `http_port`."""

    directory: str
    trust: Path
    http_port: int
    manage: str
    context: ssl.SSLContext

    def root(self) -> str:
        """The root certificate of this run, as PEM."""
        with urllib.request.urlopen(f"{self.manage}/roots/0", context=self.context) as answer:
            return str(answer.read().decode())


@contextmanager
def pebble(folder: Path) -> Iterator[Pebble]:
    """Run it in `folder`, with a name server that says 127.0.0.1, until the block ends."""
    folder.mkdir(parents=True)
    door = self_signed("localhost", HOME)
    certificate, key = put(door, folder)
    acme, manage, http, tls, dns, dns_manage = (free_port(HOME) for _ in range(6))
    settings = {
        "listenAddress": f"{HOME}:{acme}",
        "managementListenAddress": f"{HOME}:{manage}",
        "certificate": str(certificate),
        "privateKey": str(key),
        "httpPort": http,
        "tlsPort": tls,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
    names = [_program("pebble-challtestsrv"), "-dns01", f"{HOME}:{dns}", "-management", f"{HOME}:{dns_manage}"]
    names += ["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv4", HOME, "-defaultIPv6", ""]
    authority = [_program("pebble"), "-config", str(folder / "pebble.json"), "-dnsserver", f"{HOME}:{dns}"]
    # by itself it would refuse one nonce in twenty, and once in a while two in a row
    steady = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
    with (folder / "said.txt").open("wb") as said:
        running = [subprocess.Popen(command, stdout=said, stderr=said, env=steady) for command in (names, authority)]
    made = Pebble(f"https://{HOME}:{acme}/dir", certificate, http, f"https://{HOME}:{manage}", trusting(door))
    try:
        _wait(made, dns_manage, folder)
        yield made
    finally:
        for process in running:
            process.kill()
            process.wait()


def _wait(made: Pebble, names_port: int, folder: Path) -> None:
    end = time.monotonic() + START_S
    while True:
        try:
            with (
                socket.create_connection((HOME, names_port)),
                urllib.request.urlopen(made.directory, context=made.context),
            ):
                return
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > end:
                raise AssertionError((folder / "said.txt").read_text()) from error
            time.sleep(0.05)


def _program(name: str) -> str:
    found = shutil.which(name) or f"/usr/bin/{name}"
    assert Path(found).exists(), f"{name} is missing: apt-get install pebble"
    return found
