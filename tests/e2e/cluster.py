"""Two server processes behind nginx, over PostgreSQL and Redis, with media in a process of its own; all on one machine.

nginx runs with the example's settings and speaks HTTPS on an address that a second machine reaches.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import asyncpg
import psutil

from server.core.clock import SystemClock
from server.tls.local_ca import issue, make_authority
from tests.cluster.town import restart_s
from tests.e2e.service import ROOT, START_S, STOP_S, Service
from tests.network.proxy import free_port, nginx, rendered
from tests.tls.certificates import put

SERVERS = 2
OWNER = "SELECT o.node_id FROM lesson_owner o JOIN lesson l ON l.id = o.lesson_id WHERE l.state IN ('live', 'break')"
SETTINGS = """server:
  public_url: {url}
  trusted_proxies: [127.0.0.1/32]
tls:
  mode: "off"
store:
  database: {database}
  redis: {redis}
media:
  mode: worker
  host: {host}
  udp_port: 0
"""


class Worker:
    """`python -m server media`, which a service manager starts again."""

    def __init__(self, folder: Path, data: Path) -> None:
        self._command = [sys.executable, "-m", "server", "media"]
        self._command += ["--config", str(folder / "config.yaml"), "--data", str(data)]
        self._printed = folder / "media.txt"
        self._process: subprocess.Popen[bytes]

    def start(self) -> None:
        """Start it and wait until it is ready."""
        before = len(self._printed.read_text()) if self._printed.exists() else 0
        with self._printed.open("ab") as out:
            self._process = subprocess.Popen(self._command, cwd=ROOT, stdout=out, stderr=out)
        end = time.monotonic() + START_S
        while "ready " not in (said := self._printed.read_text()[before:]):
            assert self._process.poll() is None, said
            assert time.monotonic() < end, said
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL; then what the service manager does."""
        self._process.kill()
        self._process.wait(STOP_S)
        time.sleep(restart_s())
        self.start()

    @contextmanager
    def running(self) -> Iterator[None]:
        """While the block runs."""
        self.start()
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(STOP_S)


class Cluster:
    """What browsers see as one service at `url`."""

    def __init__(self, url: str, servers: list[Service], database: str, worker: Worker) -> None:
        self.url, self.servers, self._database, self.worker = url, servers, database, worker

    def password(self, login: str) -> str:
        """A demo account's password."""
        return self.servers[0].password(login)

    async def kill_owner(self) -> Service:
        """SIGKILL for the process that owns the running lesson; nobody starts it again."""
        connection = await asyncpg.connect(self._database)
        node = await connection.fetchval(OWNER)
        await connection.close()
        owner = next(server for server in self.servers if _holds(server, node))
        owner.kill()
        return owner


def _holds(server: Service, node: str) -> bool:
    """Whether this process holds the lock of a node's folder."""
    assert server.process is not None
    lock = os.path.join("nodes", node, "lock")  # noqa: PTH118  the end of a path
    return any(file.path.endswith(lock) for file in psutil.Process(server.process.pid).open_files())


@contextmanager
def cluster(folder: Path, host: str, database: str, redis: str) -> Iterator[Cluster]:
    """The whole of it, a demo, while the block runs."""
    ports = free_port(host), free_port(host)
    url = f"https://{host}:{ports[1]}"
    pair = put(issue(make_authority([host], SystemClock().ms()), [host], SystemClock().ms()), folder)
    data = folder / "data"
    (folder / "config.yaml").write_text(SETTINGS.format(url=url, database=database, redis=redis, host=host))
    servers = [_server(folder / f"server{number}", folder / "config.yaml", data, url) for number in range(SERVERS)]
    with ExitStack() as ending:
        worker = Worker(folder, data)
        ending.enter_context(worker.running())
        for server in servers:
            ending.callback(server.kill)
            server.start()
        inner = [server.port for server in servers]
        configuration = rendered(host, ports, inner, *pair)
        ending.enter_context(nginx(folder / "nginx", configuration, host, ports[1]))
        yield Cluster(url, servers, database, worker)


def _server(folder: Path, settings: Path, data: Path, url: str) -> Service:
    folder.mkdir()
    (folder / "config.yaml").symlink_to(settings)
    server = Service(folder, "--demo", "--demo-anywhere")
    server.data, server.url = data, url
    return server
