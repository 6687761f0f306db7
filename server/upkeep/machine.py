"""Decides whether the machine is fit: disk, uplink, versions, permissions."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Final

from server.core.clock import elapsed_ms
from server.upkeep.finding import Finding, broken, look, well

MIB: Final = 1024 * 1024
LEAST_FREE: Final = 512 * MIB
ENOUGH_FREE: Final = 5 * 1024 * MIB
#: beats wait for this; above the first they are felt, above the second they are refused at peaks
SLOW_SYNC_MS: Final = 50.0
BROKEN_SYNC_MS: Final = 500.0
SYNCS: Final = 7
OTHERS: Final = 0o077
OLDEST: Final = (3, 11)
#: of an interface's speed, what is left for media
USABLE: Final = 0.7
INTERFACES: Final = Path("/sys/class/net")
PINNED: Final = re.compile(r"^([\w.-]+)==([^\s;\\]+)( ;)?", re.MULTILINE)


def disk(folder: Path) -> Iterator[Finding]:
    """Room, and how long a small write takes to be really there."""
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE:
        yield broken("disk", f"磁盘只剩 {free // MIB} MiB，请清理", f"only {free // MIB} MiB free: make room")
    elif free < ENOUGH_FREE:
        yield look("disk", f"磁盘剩 {free // MIB} MiB，不多了", f"{free // MIB} MiB free: not much")
    else:
        yield well("disk", f"磁盘剩 {free // MIB} MiB", f"{free // MIB} MiB free")
    yield sync_finding(median(_sync_times(folder)))


def sync_finding(ms: float) -> Finding:
    """What the time of an fsync means."""
    if ms > BROKEN_SYNC_MS:
        return broken("fsync", f"写盘要 {ms:.0f} 毫秒，课堂会卡", f"a write takes {ms:.0f} ms: lessons will hang")
    if ms > SLOW_SYNC_MS:
        return look("fsync", f"写盘要 {ms:.0f} 毫秒，偏慢", f"a write takes {ms:.0f} ms: slow")
    return well("fsync", f"写盘 {ms:.1f} 毫秒", f"a write takes {ms:.1f} ms")


def _sync_times(folder: Path) -> Iterator[float]:
    probe = folder / ".doctor"
    handle = os.open(probe, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        for _ in range(SYNCS):
            began = elapsed_ms()
            os.pwrite(handle, b"x" * 4096, 0)
            os.fsync(handle)
            yield elapsed_ms() - began
    finally:
        os.close(handle)
        probe.unlink()


def uplink(speeds: Mapping[str, int], kbps: int, viewers: int) -> Finding:
    """Whether the fastest interface carries so many viewers at the highest bit rate. Speeds are Mbit/s."""
    if not speeds:
        return look(
            "uplink", "网卡速率未知，请用实际带宽核算", "the interface's speed is not known: reckon with your line's"
        )
    name, mbit = max(speeds.items(), key=lambda one: one[1])
    room = int(mbit * 1000 * USABLE / kbps)
    chinese = f"{name} {mbit} Mbit/s，按 {kbps} kbit/s 约可供 {room} 人同时观看（出口带宽更小时以出口为准）"
    english = f"{name} {mbit} Mbit/s: about {room} viewers at {kbps} kbit/s, fewer where your line is slower"
    return well("uplink", chinese, english) if room >= viewers else look("uplink", chinese, english)


def interface_speeds(folder: Path = INTERFACES) -> dict[str, int]:
    """Mbit/s of each interface that is up and says so."""
    found: dict[str, int] = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            if path.name != "lo" and (path / "operstate").read_text().strip() == "up":
                found[path.name] = int((path / "speed").read_text())
        except (OSError, ValueError):  # virtual ones do not know
            continue
    return {name: speed for name, speed in found.items() if speed > 0}


def versions(lock: Path) -> Iterator[Finding]:
    """Python, and what is installed against what the lock names; ffmpeg where it is found."""
    here = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST:
        yield broken("python", f"Python {here} 太旧，需要 3.11", f"Python {here} is too old: 3.11 is needed")
    else:
        yield well("python", f"Python {here}", f"Python {here}")
    wrong = differing(lock.read_text()) if lock.is_file() else ["requirements.lock"]
    if wrong:
        listed = ", ".join(wrong[:6])
        yield broken(
            "packages", f"依赖与锁文件不符：{listed}；请重新 make setup", f"not as locked: {listed}; make setup"
        )
    else:
        yield well("packages", "依赖与锁文件一致", "packages are as locked")
    if program := shutil.which("ffmpeg"):
        said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stdout
        yield well("ffmpeg", said.partition("\n")[0][:60] or program, said.partition("\n")[0][:60] or program)
    else:
        yield well("ffmpeg", "未安装 ffmpeg（直播不需要）", "no ffmpeg (live lessons do not need it)")


def differing(lock: str) -> list[str]:
    """Names of packages that are missing or of another version; those for other platforms may be missing."""
    wrong = []
    for name, wanted, conditional in PINNED.findall(lock):
        try:
            if version(name) != wanted:
                wrong.append(f"{name} {version(name)} ≠ {wanted}")
        except PackageNotFoundError:
            if not conditional:
                wrong.append(name)
    return wrong


def permissions(data: Path) -> Finding:
    """Database, keys and spool must be for the service's account alone."""
    open_ones = [str(path.relative_to(data)) for path in _private(data) if path.stat().st_mode & OTHERS]
    if open_ones:
        listed = "、".join(open_ones[:5])
        remedy = f"chmod -R go= '{data}'"
        chinese, english = f"别的账号可以读：{listed}；请执行 {remedy}", f"others may read {listed}: {remedy}"
        return broken("permissions", chinese, english)
    return well("permissions", "数据与密钥只有本账号可读", "data and keys are for this account alone")


def _private(data: Path) -> Iterable[Path]:
    yield from data.glob("keshi.db*")
    for folder in ("keys", "tls", "spool", "nodes"):
        yield from (path for path in (data / folder).rglob("*") if path.is_file())
    if (data / "keys").is_dir():
        yield data / "keys"
