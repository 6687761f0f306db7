"""Packets forwarded per CPU-second: our plane at 200 and 500 viewers beside aiortc as it is commonly used, in turns.

The load is 720p30 H.264 at 1.05 Mbit/s with Opus, 186 packets a second for each viewer, with sender and receiver
reports, retransmissions and checks. The servers run in processes of their own; their CPU time, everything included, is
divided by the packets that arrived at viewers in this process.
"""

import asyncio
from statistics import median

from tests.bench._janus import here, janus
from tests.bench._live_stand import Load, Stand, stand

VIEWERS = (200, 500)
JANUS_VIEWERS = 200
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


async def beside_relay(server: Stand) -> tuple[dict[int, list[Load]], list[Load]]:
    """Ours at each size, and in turns with it MediaRelay."""
    ours: dict[int, list[Load]] = {viewers: [] for viewers in VIEWERS}
    relay: list[Load] = []
    for viewers in VIEWERS:
        await server.join(viewers - len(server.receivers))
        for _ in range(ROUNDS):
            ours[viewers].append(await lesson(server))
            relay.append(await relayed())
    return ours, relay


async def beside_janus(server: Stand) -> tuple[list[Load], list[Load]]:
    """Ours and Janus in turns, as many viewers at both."""
    await server.leave(len(server.receivers) - JANUS_VIEWERS)
    ours: list[Load] = []
    theirs: list[Load] = []
    async with janus() as other:
        await other.join(JANUS_VIEWERS)
        for _ in range(ROUNDS):
            ours.append(await lesson(server))
            theirs.append(await lesson(other))
    return ours, theirs


def figure(name: str, loads: list[Load], viewers: int, beside: str, peer: list[Load]) -> dict[str, object]:
    """Packets per CPU-second; at how many a second for each viewer says whether the machine kept up (186 are sent)."""
    rate = median(load.packets / load.seconds for load in loads) / viewers
    return {
        "name": name,
        "value": per_cpu_second(loads),
        "unit": f"packets, {viewers} viewers at {rate:.0f}/s",
        "peer": f"{beside}: {per_cpu_second(peer):.0f}",
        "ratio": per_cpu_second(loads) / per_cpu_second(peer),
    }


async def run() -> list[dict[str, object]]:
    """Five figures, three where there is no Janus; five minutes, most of it for viewers to join."""
    async with stand("ours") as server:
        ours, relay = await beside_relay(server)
        versus = await beside_janus(server) if here() else None
    few, many = VIEWERS
    naive = "aiortc decode, relay, encode"
    found = [
        figure(f"fanout.{few}_pps_per_cpu_s", ours[few], few, naive, relay),
        figure("fanout.pps_per_cpu_s", ours[many], many, naive, relay),
        {"name": "fanout.vs_relay", "value": per_cpu_second(ours[many]) / per_cpu_second(relay), "unit": "times"},
    ]
    if versus:
        beside = figure("fanout.beside_janus", versus[0], JANUS_VIEWERS, "Janus 1.1, event_loops = 1", versus[1])
        found += [beside, {"name": "fanout.vs_janus", "value": beside["ratio"], "unit": "times"}]
    return found
