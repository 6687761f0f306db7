"""Decides whether pages and media can reach us: certificate, ports, addresses, clock."""

import asyncio
import ctypes
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import ifaddr

from server.core.clock import SystemClock, to_ms
from server.core.errors import DomainError
from server.core.ntp import NtpRefusedError, agreed, ask, read_server
from server.settings import WILDCARDS, Config, is_loopback
from server.tls import acme, local_ca
from server.tls.https import FOLDER
from server.tls.pair import read_pair
from server.upkeep.finding import Finding, Level, broken, look, well

DAY_MS: Final = 86_400_000
SOON_DAYS: Final = 14
#: evidence.md: above the first it warns, above the second no lesson opens
CLOCK_LOOK_MS: Final = 2_000
CLOCK_BROKEN_MS: Final = 30_000
ANSWER_S: Final = 1.0
DATE_S: Final = 3.0
#: an HTTP date has whole seconds, cut off
HALF_SECOND_MS: Final = 500
#: adjtimex(2): the kernel's clock is not synchronised
TIME_ERROR: Final = 5
TIMEX_BYTES: Final = 512


def certificate(config: Config, now_ms: int) -> Finding:
    """That browsers accept it, today and in two weeks."""
    host = urlsplit(config.server.public_url or "").hostname or config.server.host
    files = _certificate_files(config)
    if files is None:
        return well(
            "certificate", "本服务不终止 HTTPS（本机或由反向代理负责）", "HTTPS does not end here (a proxy's work)"
        )
    if not files[0].exists() and config.tls.mode != "files":
        return look(
            "certificate", "证书还没有取得，启动服务时获取", "no certificate yet: starting the service gets one"
        )
    try:
        pair = read_pair(*files)
        pair.check(host, now_ms)
    except DomainError as error:
        return broken("certificate", f"证书不可用：{error}", f"the certificate is of no use: {error}")
    days = (pair.until_ms - now_ms) // DAY_MS
    if days < SOON_DAYS and config.tls.mode == "files":
        return look("certificate", f"证书 {days} 天后到期，请更换", f"the certificate ends in {days} days: renew it")
    return well("certificate", f"证书有效，还有 {days} 天", f"the certificate is good for {days} days")


def _certificate_files(config: Config) -> tuple[Path, Path] | None:
    folder = config.server.data / FOLDER
    match config.tls.mode:
        case "files":
            return Path(str(config.tls.certificate)), Path(str(config.tls.key))
        case "acme":
            return folder / acme.CERTIFICATE, folder / acme.CERTIFICATE
        case "local-ca":
            return folder / local_ca.LEAF, folder / local_ca.LEAF
        case _:
            return None


async def clock(servers: Sequence[str], others: Sequence[str] = ()) -> Finding:
    """Our clock against NTP servers where some are set; else the system's word, and what others' HTTP says."""
    if not servers:
        kept = kept_finding(system_keeps_time())
        if kept.level is Level.WELL:
            return kept
        time = SystemClock()
        said = [one for one in await asyncio.gather(*(http_date(time, url) for url in others)) if one is not None]
        return dated_finding(min(said, key=abs)) if said else kept
    time = SystemClock()
    asked = await asyncio.gather(*(ask(time, *read_server(one)) for one in servers), return_exceptions=True)
    for one in asked:
        if isinstance(one, BaseException) and not isinstance(one, (OSError, TimeoutError, NtpRefusedError)):
            raise one
    return clock_finding(agreed([one for one in asked if not isinstance(one, BaseException)]))


def clock_finding(offset_ms: float | None) -> Finding:
    """What an offset from NTP means; None when no server answered."""
    if offset_ms is None:
        return look("clock", "time.ntp 里的服务器都没有回答", "no server of time.ntp answers")
    seconds = offset_ms / 1000
    if abs(offset_ms) > CLOCK_BROKEN_MS:
        return broken(
            "clock", f"时钟差 {seconds:.1f} 秒，不能开课", f"the clock is off by {seconds:.1f} s: no lesson opens"
        )
    if abs(offset_ms) > CLOCK_LOOK_MS:
        return look("clock", f"时钟差 {seconds:.1f} 秒", f"the clock is off by {seconds:.1f} s")
    return well("clock", f"时钟差 {offset_ms:.0f} 毫秒", f"the clock is off by {offset_ms:.0f} ms")


def dated_finding(offset_ms: float) -> Finding:
    """What the offset from another's HTTP date means, which is whole seconds: enough to find a clock that is wrong."""
    if abs(offset_ms) > CLOCK_LOOK_MS:
        return clock_finding(offset_ms)
    chinese, english = (
        "系统时钟没有同步服务，眼下与别处的 HTTP 时间相符",
        "nothing keeps the clock; it agrees with others' HTTP now",
    )
    return look("clock", f"{chinese}：安装 chrony 或设置 time.ntp", f"{english}: install chrony, or set time.ntp")


def others(config: Config) -> list[str]:
    """Whom the settings name anyway and whose HTTP tells the time: witnesses, the certificate authority."""
    authority = [config.tls.acme_directory] if config.tls.mode == "acme" else []
    return [one.url for one in config.ledger.witnesses] + authority


async def http_date(time: SystemClock, url: str) -> float | None:
    """By how many milliseconds our clock is ahead of another's; None when it does not say."""
    limit = aiohttp.ClientTimeout(total=DATE_S)
    try:
        async with aiohttp.ClientSession(timeout=limit) as http, http.head(url, allow_redirects=False) as answer:
            said = parsedate_to_datetime(answer.headers.get("Date", ""))
            return time.ms() - (to_ms(said) + HALF_SECOND_MS)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return None


def kept_finding(kept: bool | None) -> Finding:
    """What the kernel's own word means."""
    if kept:
        return well("clock", "系统时钟已同步", "the system keeps its clock in step")
    return look(
        "clock",
        "系统时钟未同步：安装 systemd-timesyncd 或 chrony，或在 time.ntp 里写上服务器",
        "the system's clock is not kept in step: install systemd-timesyncd or chrony, or set time.ntp",
    )


def system_keeps_time() -> bool | None:
    """Whether the kernel says that something keeps its clock in step (adjtimex)."""
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    except (OSError, AttributeError):
        return None
    return 0 <= state < TIME_ERROR


def addresses(config: Config, own: Iterable[str], public: Iterable[str]) -> Finding:
    """Behind a cloud's NAT the public address is on no interface: then browsers must be told it.

    `own`: addresses of the interfaces; `public`: what the public URL's host means.
    """
    told, mine, named = set(map(str, config.media.advertised_ips)), set(own), set(public)
    if strangers := told - mine - named:
        listed = ", ".join(sorted(strangers))
        return look(
            "addresses", f"media.advertised_ips 里的 {listed} 不是本机地址，也不是网址所指", f"{listed} is not ours"
        )
    outside = {one for one in named - mine if not is_loopback(one)}
    if outside and not outside & told:
        listed = ", ".join(sorted(outside))
        chinese = (
            f"公网地址 {listed} 不在网卡上（云主机的 NAT）：请设置 media.advertised_ips: [{listed}]，否则看不到画面"
        )
        english = (
            f"{listed} is on no interface (a cloud's NAT): set media.advertised_ips: [{listed}], or nobody sees video"
        )
        return broken("addresses", chinese, english)
    return well("addresses", "浏览器得到的地址可用", "browsers are told an address of ours")


def own_addresses() -> set[str]:
    """All addresses of the interfaces."""
    found = (ip.ip if isinstance(ip.ip, str) else ip.ip[0] for adapter in ifaddr.get_adapters() for ip in adapter.ips)
    return {str(ipaddress.ip_address(one.partition("%")[0])) for one in found}


async def public_addresses(config: Config) -> set[str]:
    """What the public URL's host means to the name servers that we ask; nothing when it means nothing."""
    host = urlsplit(config.server.public_url or "").hostname
    if host is None:
        return set()
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {str(one[4][0]) for one in found}


async def port(name: str, kind: socket.SocketKind, host: str, number: int, via: str) -> Finding:
    """Open the port as the service would and knock at it by the address that browsers use (`via`)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    label = f"{'TCP' if kind is socket.SOCK_STREAM else 'UDP'} {number}"
    with socket.socket(family, kind) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind is socket.SOCK_STREAM))
        try:
            door.bind((host, number))
        except OSError as error:
            return _taken(name, label, error)
        if kind is socket.SOCK_STREAM:
            door.listen()
        door.setblocking(False)
        if await _heard(door, kind, via):
            return well(name, f"{label} 可以到达", f"{label} can be reached")
    return look(
        name,
        f"{label} 经 {via} 到不了本机：请检查防火墙与安全组（有的云不支持从本机绕回，请换一台机器验证）",
        f"{label} cannot be reached by {via}: look at firewall and security group (or this cloud does not turn round)",
    )


def _taken(name: str, label: str, error: OSError) -> Finding:
    """Taken is what it is while the service runs."""
    chinese = f"{label} 已打开（服务正在运行；停止后再检查可测试可达性）：{error.strerror}"
    english = f"{label} is taken (by the running service? stop it to test reaching it): {error.strerror}"
    return well(name, chinese, english)


async def _heard(door: socket.socket, kind: socket.SocketKind, via: str) -> bool:
    loop, number = asyncio.get_running_loop(), door.getsockname()[1]
    with socket.socket(socket.AF_INET6 if ":" in via else socket.AF_INET, kind) as caller:
        caller.setblocking(False)
        try:
            async with asyncio.timeout(ANSWER_S):
                await loop.sock_connect(caller, (via, number))
                await loop.sock_sendall(caller, b"keshi")
                heard = door
                if kind is socket.SOCK_STREAM:
                    heard, _ = await loop.sock_accept(door)
                with heard:
                    return await loop.sock_recv(heard, 16) == b"keshi"
        except (OSError, TimeoutError):
            return False


def way_in(config: Config, public: Iterable[str]) -> str:
    """The address by which to knock: one that browsers use."""
    told = [str(one) for one in config.media.advertised_ips] or sorted(public)
    if told:
        return told[0]
    return "127.0.0.1" if config.server.host in WILDCARDS or config.server.host == "localhost" else config.server.host
