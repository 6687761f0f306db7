"""The actors' process ends when its input does, whatever it is doing, and tells how a play failed."""

import asyncio
import json
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import asdict
from pathlib import Path

import pytest

from server.demo.lesson import ROOT
from server.demo.players import perform
from server.demo.stage import Part, Plan


def plan_for(url: str, folder: Path) -> Plan:
    part = Part("steady", "演示·甲", "trainee01", "secret-of-nobody")
    return Plan(url, "0" * 16, part, (part,), str(folder / "transcript.log"))


async def test_it_ends_with_its_input_even_while_the_server_is_silent(tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    port = listener.getsockname()[1]
    players = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server.demo.players", cwd=ROOT, stdin=PIPE, stdout=DEVNULL, stderr=PIPE
    )
    assert players.stdin is not None
    players.stdin.write(json.dumps(asdict(plan_for(f"http://127.0.0.1:{port}", tmp_path))).encode() + b"\n")
    async with asyncio.timeout(20):
        silent, _ = await asyncio.get_running_loop().sock_accept(listener)
        players.stdin.close()
        await players.communicate()
    silent.close()
    listener.close()
    assert players.returncode == 0


async def test_without_a_server_the_transcript_says_so(tmp_path: Path, unused_tcp_port: int) -> None:
    plan = plan_for(f"http://127.0.0.1:{unused_tcp_port}", tmp_path)
    with pytest.raises(OSError, match="onnect"):
        await perform(plan)
    transcript = Path(plan.transcript).read_text()
    assert "演示课中止：ClientConnectorError" in transcript
    assert "secret-of-nobody" not in transcript
