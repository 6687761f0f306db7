"""Packets forwarded per CPU-second: our plane at 200 and 500 viewers beside aiortc as it is commonly used, in turns.

The load is 720p30 H.264 at 1.05 Mbit/s with Opus, 186 packets a second for each viewer, with sender and receiver
reports, retransmissions and checks. The servers run in processes of their own; their CPU time, everything included, is
divided by the packets that arrived at viewers in this process.
"""

import asyncio
from contextlib import AsyncExitStack
from statistics import median

from tests.bench._live_stand import Load, Stand, stand

VIEWERS = (200, 500)
RELAY_VIEWERS = 2
ROUNDS = 3
ROUND_SECONDS = 5.0
SETTLE_SECONDS = 2.0


def per_cpu_second(loads: list[Load]) -> float:
    return median(load.packets / load.cpu for load in loads)


async def lesson(server: Stand) -> Load:
    """A publisher comes, one round, and it goes: whoever is measured next has the machine alone."""
    teacher = await server.teach()
    await asyncio.sleep(SETTLE_SECONDS)
    found = await server.load(ROUND_SECONDS)
    await teacher.close()
    return found


async def relayed() -> Load:
    """One round of a peer connection for everybody, its frames decoded once and encoded for each."""
    async with stand("naive") as server:
        await server.teach()
        await asyncio.sleep(SETTLE_SECONDS)
        await server.join(RELAY_VIEWERS)
        await asyncio.sleep(SETTLE_SECONDS)
        return await server.load(ROUND_SECONDS)


async def run() -> list[dict[str, object]]:
    """Three figures; two minutes, most of it for viewers to join."""
    ours: dict[int, list[Load]] = {viewers: [] for viewers in VIEWERS}
    relay: list[Load] = []
    async with AsyncExitStack() as ending:
        server = await ending.enter_async_context(stand("ours"))
        for viewers in VIEWERS:
            await server.join(viewers - len(server.receivers))
            for _ in range(ROUNDS):
                ours[viewers].append(await lesson(server))
                relay.append(await relayed())
    peer = per_cpu_second(relay)
    beside = f"aiortc decode, relay, encode: {peer:.0f}"
    found: list[dict[str, object]] = [
        {
            "name": "fanout.pps_per_cpu_s" if viewers == VIEWERS[-1] else f"fanout.{viewers}_pps_per_cpu_s",
            "value": per_cpu_second(loads),
            "unit": f"packets, {viewers} viewers",
            "peer": beside,
            "ratio": per_cpu_second(loads) / peer,
        }
        for viewers, loads in ours.items()
    ]
    found.append({"name": "fanout.vs_relay", "value": per_cpu_second(ours[VIEWERS[-1]]) / peer, "unit": "times"})
    return found
