"""Debian's nginx with deploy/nginx.conf, only its name, ports and paths put in."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.network.space import ROOT

EXAMPLE = ROOT / "deploy" / "nginx.conf"
START_S = 10.0
MAIN = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
{account}
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/keshi.conf;
}}
"""


def free_port(host: str) -> int:
    """A TCP port that is free now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def rendered(host: str, ports: tuple[int, int], upstreams: Sequence[int], certificate: Path, key: Path) -> str:
    """The example with (http, https) ports on `host`, processes of ours and a certificate put in."""
    text = EXAMPLE.read_text()
    for pattern, value in (
        (r"    listen \[::\].*\n", ""),
        (r"listen 80;", f"listen {host}:{ports[0]};"),
        (r"listen 443 ", f"listen {host}:{ports[1]} "),
        (r"server_name ke\.example\.cn;", f"server_name {host};"),
        (r"    server 127\.0\.0\.1:8080( .*\n)", "".join(rf"    server 127.0.0.1:{port}\1" for port in upstreams)),
        (r"/etc/ssl/keshi/fullchain\.pem", str(certificate)),
        (r"/etc/ssl/keshi/privkey\.pem", str(key)),
    ):
        text, found = re.subn(pattern, value, text)
        assert found, f"{EXAMPLE.name} has no {pattern}"
    return text


@contextmanager
def nginx(folder: Path, configuration: str, host: str, port: int) -> Iterator[None]:
    """Run it in `folder` until the block ends."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    folder.mkdir()
    (folder / "keshi.conf").write_text(configuration)
    account = "user root;" if Path(folder).owner() == "root" else ""
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, account=account))
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        try:
            end = time.monotonic() + START_S
            while not _answers(host, port):
                said = (folder / "error.log").read_text() if (folder / "error.log").exists() else ""
                assert running.poll() is None, said
                assert time.monotonic() < end, said
                time.sleep(0.02)
            yield
        finally:
            running.terminate()
            running.wait(START_S)


def _answers(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0
