"""Decides what is checked and measured of a running house; health.py says it to whoever asks."""

import asyncio
import errno
import math
import os
import shutil
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Final

from server.app import House
from server.attendance.minutes import MINUTE_MS, SEAL_AFTER_MS
from server.core.clock import SystemClock
from server.core.shared import OverRedis
from server.health import LAG_EVERY_S
from server.live.media_door import Door

#: below this a lesson's day may fill the disk
LEAST_FREE_BYTES: Final = 512 * 1024 * 1024
#: sealing later than this after a minute was due has failed
MOST_SEAL_LAG_S: Final = 120.0


def observe(house: House) -> None:
    """Register the checks and figures of a house with its health; nothing is asked before somebody asks."""
    _checks(house)
    _figures(house)


def _checks(house: House) -> None:
    health, store = house.health, house.store

    async def database() -> None:
        await store.database.ping()

    async def spool() -> str | None:
        return await asyncio.to_thread(_writable, house.register.spool.folder)

    async def disk() -> str | None:
        free = await asyncio.to_thread(shutil.disk_usage, store.folder)
        return None if free.free >= LEAST_FREE_BYTES else "disk_low"

    async def sealing() -> str | None:
        return None if seal_lag_s(house) <= MOST_SEAL_LAG_S else "sealing_late"

    for name, work in (("database", database), ("spool", spool), ("disk", disk), ("sealing", sealing)):
        health.check(name, work)
    health.check("media", house.media.problem)
    health.check("recording", partial(_recording, house.media), vital=False)
    if isinstance(store.shared, OverRedis):
        health.check("redis", store.shared.ping)
    if store.time is not None:
        health.check("clock", store.time.problem)


def _figures(house: House) -> None:
    health, register = house.health, house.register
    for name, words, read in (
        ("keshi_connections", "Sockets that are signed in", lambda: house.sockets.connections),
        ("keshi_leases", "Trainees' pages that hold their account's lease", lambda: len(register.holders)),
        ("keshi_books", "Lessons with minutes that are not sealed", lambda: len(register.books)),
        ("keshi_spool_bytes", "Bytes in the spool", lambda: register.spool.size),
        ("keshi_seal_lag_seconds", "Age of the oldest minute that should be sealed", lambda: seal_lag_s(house)),
        ("keshi_disk_free_bytes", "Free where the data lies", lambda: shutil.disk_usage(house.store.folder).free),
    ):
        health.reading(name, words, read)
    health.reading("keshi_lessons", "Lessons in memory", lambda: _lessons(house), label="state")
    health.reading("keshi_media_publishers", "Instructors whose media is live", lambda: _publishers(house))
    if house.store.time is not None:
        _clock_figures(house, house.store.time.clock)
    _media_figures(house)
    health.reading(
        "keshi_messages_dropped_total",
        "Messages to other processes lost",
        lambda: house.store.shared.dropped,
        counts=True,
    )
    failures = house.store.tasks
    health.reading("keshi_task_failures_total", "Jobs and tasks that failed", lambda: failures.failures, counts=True)
    house.store.tasks.every("health.lag", LAG_EVERY_S, health.measure_lag)


def _clock_figures(house: House, clock: SystemClock) -> None:
    """NaN while no reference has been heard."""

    def offset() -> float:
        return math.nan if clock.offset_ms is None else clock.offset_ms / 1000

    words = "What the time reference shows more than the ledger"
    house.health.reading("keshi_clock_offset_seconds", words, offset)
    words = "What the machine's own clock shows more than the ledger"
    house.health.reading("keshi_wall_offset_seconds", words, lambda: clock.wall_offset_ms / 1000)


def _media_figures(house: House) -> None:
    """Of this process's lessons; what is refused belongs to no lesson, so with one worker all servers say the same."""
    media = house.media
    for name, words, read in (
        ("keshi_media_viewers", "Pages that receive media", lambda: media.figures().viewers),
        ("keshi_media_packets_in", "Packets received in the open rooms", lambda: media.figures().packets_in),
        ("keshi_media_packets_out", "Packets sent in the open rooms", lambda: media.figures().packets_out),
        ("keshi_media_resent", "Packets sent again in the open rooms", lambda: media.figures().resent),
        ("keshi_media_unrecorded", "Rooms whose recording stands still", lambda: media.figures().unrecorded),
        ("keshi_media_unencoded", "Files of recordings still to be encoded", lambda: media.figures().unencoded),
        ("keshi_media_uplink_bits", "Bits per second that viewers take", lambda: media.figures().uplink_bps),
        ("keshi_media_uplink_limit_bits", "media.uplink_mbps in bits, 0 for none", lambda: media.figures().limit_bps),
        (
            "keshi_media_cpu",
            "Share of a CPU that media's process used in the last ten seconds",
            lambda: media.figures().cpu,
        ),
    ):
        house.health.reading(name, words, read)
    words = "Pages that receive media by their way; small: of the peers, those held at the small camera"
    house.health.reading("keshi_media_watching", words, lambda: dict(media.figures().ways), label="way")
    words = "Datagrams and calls that media refused or dropped"
    house.health.reading("keshi_media_refused_total", words, lambda: media.figures().refused, label="why", counts=True)


async def _recording(media: Door) -> str | None:
    """A lesson that is not recorded goes on, here as well as anywhere else."""
    return "recording_stopped" if media.figures().unrecorded else None


def _publishers(house: House) -> int:
    return sum(running.publisher_live for running in house.live.active())


def seal_lag_s(house: House) -> float:
    """Seconds since the oldest unsealed minute should have been sealed; 0 when none is due."""
    now_ms = house.store.clock.ms()
    due = [slots[0] for book in house.register.books.values() if (slots := book.due(now_ms))]
    return (now_ms - (min(due) + 1) * MINUTE_MS - SEAL_AFTER_MS) / 1000 if due else 0.0


def _lessons(house: House) -> dict[str, float]:
    counted = Counter(running.lesson.state.value for running in house.live.active())
    return {"live": 0.0, "paused": 0.0, "break": 0.0} | {state: float(count) for state, count in counted.items()}


def _writable(folder: Path) -> str | None:
    """A byte that really reaches the disk, in a file that the spool does not read."""
    probe = folder / ".ready"
    try:
        handle = os.open(probe, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(handle, b".", 0)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        return "disk_full" if error.errno == errno.ENOSPC else "spool_not_writable"
    return None
