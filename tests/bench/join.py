"""What a viewer costs the server: to let it in (offer, answer, checks, handshake), and while nothing is taught."""

from tests.bench._live_stand import stand

FIRST, VIEWERS = 20, 100
IDLE_SECONDS = 10.0


async def run() -> list[dict[str, object]]:
    """Three figures; half a minute."""
    async with stand("ours") as server:
        await server.join(FIRST)  # whatever is loaded once is loaded
        memory = server.process.memory_info().rss
        await server.join(VIEWERS)
        memory = server.process.memory_info().rss - memory
        joined = server.joined_cpu_seconds
        idle = await server.load(IDLE_SECONDS)
    return [
        {"name": "join.cpu_ms", "value": joined * 1e3 / VIEWERS, "unit": "ms"},
        {"name": "join.kib", "value": memory / 1_024 / VIEWERS, "unit": "KiB"},
        {
            "name": "join.idle_ms_per_s",
            "value": idle.cpu * 1e3 / idle.seconds / (FIRST + VIEWERS),
            "unit": "ms a second and viewer",
        },
    ]
