"""A log's file comes whole and in time, or not at all."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from server.verify.download import FILE_BYTES, download
from server.verify.tree import Refused

BOTH_STORES = False

HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
#: no test waits for it
LONG_S = 300.0


@contextmanager
def answering(first: bytes, then: bytes = b"") -> Iterator[str]:
    """An address that answers with `first`, and with `then` byte by byte for as long as anybody listens."""
    done = Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as line:
                try:
                    line.recv(4096)
                    line.sendall(first)
                    while then and not done.wait(0.01):
                        line.sendall(then)
                except OSError:
                    pass  # nobody listens any more

        thread = Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/log"
        done.set()
        thread.join()


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"


@pytest.mark.parametrize("head", [b"Content-Length: 3\r\n\r\nabc", b"\r\nabc", CHUNKED])
def test_a_file_that_is_whole(head: bytes) -> None:
    with answering(HEAD + head) as base:
        assert download(base, "checkpoint", LONG_S) == b"abc"


@pytest.mark.parametrize(
    "said",
    [
        HEAD + b"Content-Length: 9\r\n\r\nabc",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\nabc",
        b"hello\r\n\r\n",
        b"",
        HEAD + b"X: " + b"y" * 70_000,
    ],
)
def test_what_is_cut_off_or_no_answer_is_a_failure(said: bytes) -> None:
    with answering(said) as base, pytest.raises(OSError, match=r"."):
        download(base, "checkpoint", LONG_S)


@pytest.mark.parametrize("first", [b"", HEAD + b"X: ", HEAD + b"\r\n", HEAD + b"Content-Length: 60000\r\n\r\n"])
@pytest.mark.timeout(60)
def test_what_comes_byte_by_byte_is_cut_off(first: bytes) -> None:
    with answering(first, b"x") as base, pytest.raises(OSError, match=r"."):
        download(base, "checkpoint", 0.5)


@pytest.mark.timeout(60)
def test_a_handshake_without_an_end_is_cut_off() -> None:
    with answering(b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb", b"x") as base, pytest.raises(OSError, match=r"."):
        download(base.replace("http:", "https:"), "checkpoint", 0.5)


def test_none_and_too_much() -> None:
    with answering(b"HTTP/1.1 404 Not Found\r\n\r\n") as base, pytest.raises(KeyError):
        download(base, "checkpoint", LONG_S)
    with answering(HEAD + b"\r\n" + bytes(FILE_BYTES + 1)) as base, pytest.raises(Refused):
        download(base, "checkpoint", LONG_S)
