"""Strangers at the media port, and the checks of those who are none."""

import socket

from aioice import stun
from aiortc.sdp import SessionDescription

from tests.media.clients import Client


class Stranger:
    """A UDP socket that sends to the media port and counts what comes back."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.connect(("127.0.0.1", port))
        self.sent = 0

    def __enter__(self) -> "Stranger":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, datagram: bytes) -> None:
        self.sent += len(datagram)
        self.socket.send(datagram)

    def received(self) -> list[bytes]:
        found = []
        while True:
            try:
                found.append(self.socket.recv(4_096))
            except BlockingIOError:
                return found


def check(client: Client, *, password: str = "", ufrag: str = "", own: str = "") -> bytes:
    """An ICE check as the client itself would send it."""
    remote = SessionDescription.parse(client.connection.remoteDescription.sdp).media[0].ice
    local = SessionDescription.parse(client.connection.localDescription.sdp).media[0].ice
    assert remote is not None
    assert local is not None
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes["USERNAME"] = f"{ufrag or remote.usernameFragment}:{own or local.usernameFragment}"
    message.attributes["PRIORITY"] = 1
    message.add_message_integrity((password or str(remote.password)).encode())
    return bytes(message)
