"""Decides what is looked at when something is wrong, or before anything is: all of it, each told in plain words."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Iterable
from pathlib import Path
from typing import Any, Final

from server.app import open_store
from server.core.clock import SystemClock
from server.core.errors import DomainError
from server.core.version import VERSION
from server.settings import Config
from server.upkeep import carriage, machine, network
from server.upkeep.finding import Finding, Level, broken, look, well

LOCK: Final = Path(__file__).resolve().parents[2] / "requirements.lock"
STORE_S: Final = 5.0
MARKS: Final = {Level.WELL: "✓", Level.LOOK: "!", Level.BROKEN: "✗"}
#: for programs; they never change
WORDS: Final = {Level.WELL: "ok", Level.LOOK: "warn", Level.BROKEN: "fail"}
NO_TCP: Final = (
    "没有设置 media.tcp_port：网络不放行 UDP 的讲师不能上镜（学员仍可经 WebSocket 观看）",
    "no media.tcp_port: an instructor whose network blocks UDP cannot publish (trainees still watch by WebSocket)",
)


async def examine(config: Config) -> AsyncIterator[Finding]:
    """Everything, in the order in which things depend on each other."""
    yield well("version", f"课时 Keshi {VERSION}", f"Keshi {VERSION}")
    for finding in machine.versions(LOCK):
        yield finding
    yield carriage.settings(config)
    yield carriage.processor(carriage.cores(), os.getloadavg()[1], carriage.has_aes())
    data = config.server.data
    if data.is_dir():
        for finding in machine.disk(data):
            yield finding
        yield machine.permissions(data)
        async for finding in stores(config):
            yield finding
    else:
        yield look(
            "data", f"数据文件夹 {data} 还不存在：先 init", f"the data folder {data} is not there yet: init first"
        )
    yield await network.clock(config.time.ntp, network.others(config))
    yield network.certificate(config, SystemClock().ms())
    async for finding in _doors(config):
        yield finding
    viewers = config.media.max_peers_per_room
    yield machine.uplink(machine.interface_speeds(), config.media.start_kbps, viewers)


async def _doors(config: Config) -> AsyncIterator[Finding]:
    public = await network.public_addresses(config)
    if config.server.public_url and not public:
        yield look("name", "server.public_url 的域名解析不出地址", "the host of server.public_url has no address")
    yield network.addresses(config, network.own_addresses(), public)
    via, media = network.way_in(config, public), config.media
    host = str(media.host or config.server.host)
    yield await network.port("tcp", socket.SOCK_STREAM, config.server.host, config.server.port, via)
    yield await network.port("udp", socket.SOCK_DGRAM, host, media.udp_port, via)
    if media.tcp_port is None:
        yield look("media-tcp", *NO_TCP)
    else:
        yield await network.port("media-tcp", socket.SOCK_STREAM, host, media.tcp_port, via)
    if media.mode == "worker":
        yield carriage.worker(media.socket_in(config.server.data))


async def stores(config: Config) -> AsyncIterator[Finding]:
    """Whether database and Redis answer."""
    if not (config.server.data / "keys" / "vault.key").exists():
        yield look("keys", "还没有初始化：先 init", "nothing here yet: init first")
        return
    try:
        store = open_store(config, SystemClock())
    except DomainError as error:
        yield broken("keys", f"密钥不可用：{error}", f"the keys are of no use: {error}")
        return
    try:
        yield await _answers("database", store.database.engine.dialect.name, store.database.ping())
        if config.store.redis is not None:
            yield await _answers("redis", "redis", store.shared.ping())
    finally:
        await store.shared.close()
        await store.tasks.close()
        await store.database.close()


async def _answers(name: str, what: str, ping: Awaitable[object]) -> Finding:
    try:
        async with asyncio.timeout(STORE_S):
            if trouble := await ping:
                raise ConnectionError(trouble)
    except Exception as error:  # noqa: BLE001  whatever a driver raises
        why = type(error).__name__
        return broken(name, f"{what} 没有回答（{why}）", f"{what} does not answer ({why})")
    return well(name, f"{what} 正常", f"{what} answers")


def told(finding: Finding) -> str:
    """A line for a person."""
    return f"{MARKS[finding.level]} {finding.name:<12} {finding.chinese}\n{'':14} {finding.english}"


def for_programs(findings: Iterable[Finding]) -> dict[str, Any]:
    """All of it, and the worst of it, for a program that watches."""
    listed = list(findings)
    worst = max((one.level for one in listed), default=Level.WELL)
    each = [{"name": one.name, "level": WORDS[one.level], "zh-CN": one.chinese, "en": one.english} for one in listed]
    return {"level": WORDS[worst], "findings": each}
