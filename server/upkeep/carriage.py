"""Decides whether media can be carried: a processor that keeps up, a worker that answers, settings that agree."""

import os
import socket
from pathlib import Path
from typing import Final

from server.core.errors import DomainError
from server.settings import Config, origins
from server.upkeep.finding import Finding, broken, look, well

#: with so much waiting for each core, pictures come late
BUSY: Final = 0.9
CPU_INFO: Final = Path("/proc/cpuinfo")
#: how much of a core a container may use: "quota period" in microseconds
QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")
#: what x86 and ARM call AES in hardware
AES: Final = "aes"
#: those that say nothing of it
SAYS: Final = ("flags", "Features")


def processor(cores: float, load: float, aes: bool | None) -> Finding:
    """What is there to encrypt pictures with. `load`: how many wait or work, over the last five minutes."""
    chinese, english = f"可用 {cores:g} 核，五分钟平均负载 {load:.1f}", f"{cores:g} cores, load {load:.1f}"
    if load > cores * BUSY:
        remedy = (
            "机器很忙，画面会迟到：停掉别的程序，或换大一点的机器",
            "busy: stop other programs or take a larger machine",
        )
        return look("cpu", f"{chinese}；{remedy[0]}", f"{english}; {remedy[1]}")
    if aes is False:
        remedy = ("处理器没有 AES 指令，加密会慢数倍", "no AES in hardware: encryption takes several times as long")
        return look("cpu", f"{chinese}；{remedy[0]}", f"{english}; {remedy[1]}")
    return well("cpu", chinese, english)


def cores(quota: Path = QUOTA) -> float:
    """Those that this process may use, whole or in part."""
    usable = float(len(os.sched_getaffinity(0)))
    try:
        share, _, period = quota.read_text().partition(" ")
        return min(usable, int(share) / int(period))
    except (OSError, ValueError, ZeroDivisionError):  # no container, or "max"
        return usable


def has_aes(info: Path = CPU_INFO) -> bool | None:
    """Whether the processor encrypts by itself; None where it does not say."""
    try:
        lines = info.read_text().splitlines()
    except OSError:
        return None
    said = [line.partition(":")[2].split() for line in lines if line.startswith(SAYS)]
    return any(AES in one for one in said) if said else None


def settings(config: Config) -> Finding:
    """Whether the service would begin to serve with them."""
    try:
        config.media.for_media(config.server.host, config.server.data)
        origins(config, config.server.port)
    except DomainError as error:
        return broken(
            "settings", f"设置不能启动服务：{error}", f"the service does not start with these settings: {error}"
        )
    return well("settings", "设置可用", "the settings agree with each other")


def worker(path: Path) -> Finding:
    """Whether somebody answers where server and media worker meet."""
    with socket.socket(socket.AF_UNIX) as asking:
        reason = asking.connect_ex(str(path))
    if not reason:
        return well("worker", "媒体进程有应答", "the media worker answers")
    remedy = ("启动媒体进程：keshi media（或其系统服务）", "start it: keshi media, or its service")
    if not path.exists():
        return look("worker", f"媒体进程还没有启动；{remedy[0]}", f"the media worker was not started; {remedy[1]}")
    why = os.strerror(reason)
    return broken(
        "worker", f"媒体进程不应答（{why}）；{remedy[0]}", f"no answer of the media worker ({why}); {remedy[1]}"
    )
