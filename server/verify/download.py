"""Decides how the files of a log come from an address: whole, not too large, and within one time for all of it.

An address is somebody else's machine. One that sends byte after byte, slowly, must not hold up whoever asks.
"""

import socket
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from threading import Event, Timer
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import HTTPHandler, HTTPSHandler, Request, build_opener

from server.verify.tree import Refused

#: a file of a log: 256 leaves, each behind its length
FILE_BYTES: Final = 65_536
DOWNLOAD_S: Final = 30.0

Watch = Callable[[socket.socket], None]


class _Plain(HTTPConnection):
    """A connection whose socket is told to `watch`, before anything is said on it."""

    watch: Watch

    def connect(self) -> None:
        super().connect()
        self.watch(self.sock)


class _Tls(HTTPSConnection, _Plain):
    """The same; the handshake comes after."""


def _made(kind: type[_Plain], watch: Watch, host: str, **named: Any) -> _Plain:
    connection = kind(host, **named)
    connection.watch = watch
    return connection


class _Time:
    """So many seconds for all that happens on the sockets that it watches."""

    def __init__(self, seconds: float) -> None:
        self.over = Event()
        self._sockets: list[socket.socket] = []
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True

    def watch(self, line: socket.socket) -> None:
        """TLS takes a socket's place: a second handle on the same line lasts."""
        self._sockets.append(line.dup())
        if self.over.is_set():
            self._cut()

    def _cut(self) -> None:
        self.over.set()
        for line in self._sockets:
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it is closed already

    def __enter__(self) -> "_Time":
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._timer.cancel()
        self._timer.join()
        for line in self._sockets:
            line.close()


def download(base: str, name: str, seconds: float = DOWNLOAD_S) -> bytes:
    """A file of the log at an address. Raises KeyError where there is none, Refused for one that is too large, OSError
    for one that did not come whole or in time.
    """
    with _Time(seconds) as time:
        try:
            raw = _read(f"{base}/{name}", seconds, time.watch)
        except HTTPError as error:
            raise KeyError(name) from error
        except HTTPException as error:
            raise OSError(f"{name} did not come whole: {type(error).__name__}") from error
        if time.over.is_set():
            raise OSError(f"{name} did not come within {seconds} s")
    if len(raw) > FILE_BYTES:
        raise Refused(f"{name} is too large")
    return raw


def _read(url: str, seconds: float, watch: Watch) -> bytes:
    with build_opener(_Http(watch), _Https(watch)).open(url, timeout=seconds) as answer:
        raw: bytes = answer.read(FILE_BYTES + 1)
        if len(raw) <= FILE_BYTES and answer.length:
            raise OSError(f"{url} was cut off")
    return raw


class _Http(HTTPHandler):
    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._make = partial(_made, _Plain, watch)

    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(self._make, req)


class _Https(HTTPSHandler):
    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._make = partial(_made, _Tls, watch)

    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(self._make, req)
