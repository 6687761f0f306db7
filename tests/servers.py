"""Real PostgreSQL and Redis for tests: what the environment names, else Debian's programs, one server for each worker.

KESHI_TEST_POSTGRES (a URL of somebody who may create databases) and KESHI_TEST_REDIS win over the programs. Servers
that we start end with us, also when we are killed: the kernel tells them. PostgreSQL refuses to run as root: then
another account runs it.
"""

import asyncio
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import asyncpg
from redis import Redis
from redis.exceptions import ConnectionError as RedisGone

START_S = 30.0
POSTGRES_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/local/bin", "/usr/bin")
#: what is stored need not survive the machine here, only the server
FAST = ("fsync=off", "full_page_writes=off", "shared_buffers=16MB", "max_connections=60", "autovacuum=off")
T = TypeVar("T")


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine from a fixture that is not one, without touching the tests' own loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def free_port() -> int:
    """A TCP port of this machine that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _bound(command: list[str], account: str | None = None, stop: str = "KILL") -> list[str]:
    """The command, told by the kernel when we die, as another account if asked."""
    as_whom = [f"--reuid={account}", f"--regid={pwd.getpwnam(account).pw_gid}", "--clear-groups"] if account else []
    return ["setpriv", *as_whom, "--pdeathsig", stop, "--", *command]


class Postgres:
    """A PostgreSQL server of this worker's own, or the one that the environment names."""

    def __init__(self) -> None:
        self._given = os.environ.get("KESHI_TEST_POSTGRES")
        self._process: subprocess.Popen[bytes] | None = None
        if not self._given:
            self._bin = _programs()
            self._account = next(filter(_known, ("postgres", "nobody"))) if os.geteuid() == 0 else None
            self._port, self._password = free_port(), secrets.token_hex(8)
            _remove_orphans()
            self._folder = Path(tempfile.mkdtemp(prefix=f"keshi-postgres-{os.getpid()}-"))
            self._init()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if not self._given:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def admin(self) -> str:
        """The URL of somebody who may do everything."""
        return self._given or f"postgresql://keshi:{self._password}@127.0.0.1:{self._port}/postgres"

    def url(self, database: str) -> str:
        """The URL of one database."""
        parts = urlsplit(self.admin)
        return parts._replace(path=f"/{database}").geturl()

    def start(self) -> None:
        """Start, or start again after stop(); what was committed is there. Nothing for a server that is given."""
        if self._given or self._process:
            return
        options = [f"-c{each}" for each in (*FAST, f"port={self._port}", "listen_addresses=127.0.0.1")]
        command = [str(self._bin / "postgres"), "-D", str(self._folder / "data"), "-k", str(self._folder), *options]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                _bound(command, self._account, "QUIT"), stdout=log, stderr=log, cwd=self._folder
            )
        until = time.monotonic() + START_S
        while True:
            try:
                wait_for(_run(self.admin, "SELECT 1"))
                return
            except (OSError, asyncpg.PostgresError) as error:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((self._folder / "log").read_text()) from error
                time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop at once, as a crash would (SIGQUIT), or with another signal of PostgreSQL's."""
        if self._process:
            self._process.send_signal(how)
            self._process.wait(START_S)
            self._process = None

    def create(self, template: str = "template1") -> str:
        """A new database with what `template` holds; returns its name."""
        name = f"test_{secrets.token_hex(6)}"
        wait_for(_run(self.admin, f"CREATE DATABASE {name} TEMPLATE {template}"))
        return name

    def drop(self, *names: str) -> None:
        """Remove databases, whoever is still connected."""
        wait_for(_run(self.admin, *[f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in names]))

    def run(self, database: str, *statements: str) -> None:
        """Statements in a database, as somebody who may do everything, each committed."""
        wait_for(_run(self.url(database), *statements))

    def _init(self) -> None:
        secret = self._folder / "password"
        secret.write_text(self._password)
        if self._account:
            for path in (self._folder, secret):
                shutil.chown(path, self._account, pwd.getpwnam(self._account).pw_gid)
        command = [str(self._bin / "initdb"), "-D", str(self._folder / "data"), "-U", "keshi", "--no-sync"]
        command += ["-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C.UTF-8"]
        done = subprocess.run(_bound(command, self._account), capture_output=True, check=False, cwd=self._folder)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode())


class RedisServer:
    """A Redis server that keeps nothing on disk, or the one that the environment names."""

    def __init__(self) -> None:
        self._given = os.environ.get("KESHI_TEST_REDIS")
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it answers."""
        return self._given or f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start, or start again after stop(), empty."""
        if not self._given and not self._process:
            options = {"port": str(self._port), "bind": "127.0.0.1", "save": "", "appendonly": "no"}
            words = [word for name, value in options.items() for word in (f"--{name}", value)]
            command = _bound(["redis-server", *words])
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=tempfile.gettempdir())
        until = time.monotonic() + START_S
        while True:
            try:
                self.empty()
                return
            except RedisGone:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def stop(self) -> None:
        """Kill it."""
        if self._process:
            self._process.kill()
            self._process.wait(START_S)
            self._process = None

    def empty(self) -> None:
        """Forget everything."""
        with contextlib.closing(Redis.from_url(self.url)) as client:
            client.flushall()


async def _run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url, timeout=START_S)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _programs() -> Path:
    """The folder of the newest PostgreSQL's programs. Raises RuntimeError when there is none."""
    for pattern in POSTGRES_FOLDERS:
        if found := sorted(Path("/").glob(f"{pattern.lstrip('/')}/initdb")):
            return found[-1].parent
    raise RuntimeError("no PostgreSQL here: apt-get install postgresql, or name a server in KESHI_TEST_POSTGRES")


def _known(account: str) -> bool:
    try:
        pwd.getpwnam(account)
    except KeyError:
        return False
    return True


def _remove_orphans() -> None:
    """Folders of workers that were killed: the number in the name is a process that is gone."""
    for folder in Path(tempfile.gettempdir()).glob("keshi-postgres-*"):
        if not Path("/proc", folder.name.split("-")[2]).exists():
            shutil.rmtree(folder, ignore_errors=True)
