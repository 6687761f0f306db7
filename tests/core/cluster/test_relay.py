"""Two processes talk: answers, refusals, a stranger, a dead one."""

import asyncio
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from server.core.cluster.relay import LONGEST_PATH, UNIX, Relay, Unreachable
from server.core.errors import DomainError

KEY, OTHER = b"k" * 32, b"o" * 32


async def double(body: dict[str, Any]) -> Any:
    return {"twice": body["n"] * 2}


async def refuse(body: dict[str, Any]) -> Any:
    raise DomainError("lease_held", device=body["device"])


async def fail(body: dict[str, Any]) -> Any:
    raise RuntimeError(body)


@asynccontextmanager
async def two(socket: Path, key: bytes = KEY, internal: str | None = None) -> AsyncIterator[tuple[Relay, Relay, str]]:
    server, client = Relay(KEY), Relay(key)
    for verb, serve in (("double", double), ("refuse", refuse), ("fail", fail)):
        server.serve(verb, serve)
    address = await server.start(socket, internal)
    try:
        yield server, client, address
    finally:
        await client.close()
        await server.close()


def run(socket: Path, ask: Callable[[Relay, Relay, str], Awaitable[None]], **how: Any) -> None:
    async def whole() -> None:
        async with two(socket, **how) as (server, client, address):
            await ask(server, client, address)

    asyncio.run(whole())


@pytest.mark.parametrize("internal", [None, "127.0.0.1:0", "[::1]:0"])
def test_answers_and_refusals_come_as_they_were_given(tmp_path: Path, internal: str | None) -> None:
    async def ask(_server: Relay, client: Relay, address: str) -> None:
        assert await client.ask(address, "double", {"n": 21}) == {"twice": 42}
        with pytest.raises(DomainError) as refused:
            await client.ask(address, "refuse", {"device": "phone"})
        assert (refused.value.code, refused.value.data) == ("lease_held", {"device": "phone"})
        with pytest.raises(DomainError) as failed:
            await client.ask(address, "fail", {})
        assert failed.value.code == "internal_error"

    run(tmp_path / "sock", ask, internal=internal)


def test_only_we_can_open_the_socket(tmp_path: Path) -> None:
    async def ask(_server: Relay, _client: Relay, address: str) -> None:
        assert address == f"{UNIX}{tmp_path / 'sock'}"
        assert stat.S_IMODE((tmp_path / "sock").stat().st_mode) == 0o600

    run(tmp_path / "sock", ask)


@pytest.mark.parametrize(("key", "verb"), [(OTHER, "double"), (KEY, "unknown")])
def test_a_stranger_and_an_unknown_verb_get_nothing(tmp_path: Path, key: bytes, verb: str) -> None:
    async def ask(_server: Relay, client: Relay, address: str) -> None:
        with pytest.raises(Unreachable):
            await client.ask(address, verb, {"n": 1})

    run(tmp_path / "sock", ask, key=key)


def test_who_is_gone_is_unreachable_and_so_is_who_does_not_answer(tmp_path: Path) -> None:
    async def ask(server: Relay, client: Relay, address: str) -> None:
        async def never(_body: dict[str, Any]) -> Any:
            await asyncio.sleep(60)

        server.serve("never", never)
        with pytest.raises(Unreachable):
            await client.ask(address, "never", {}, seconds=0.2)
        await server.close()
        with pytest.raises(Unreachable):
            await client.ask(address, "double", {"n": 1})

    run(tmp_path / "sock", ask)


def test_to_forget_a_process_wakes_who_waits_for_it(tmp_path: Path) -> None:
    async def ask(server: Relay, client: Relay, address: str) -> None:
        waits = asyncio.Event()

        async def never(_body: dict[str, Any]) -> Any:
            waits.set()
            await asyncio.sleep(60)

        server.serve("never", never)
        asked = asyncio.ensure_future(client.ask(address, "never", {}))
        await waits.wait()
        await client.forget(address)
        with pytest.raises(Unreachable):
            await asked

    run(tmp_path / "sock", ask)


def test_a_path_that_is_too_long_says_what_to_do(tmp_path: Path) -> None:
    async def whole() -> None:
        relay = Relay(KEY)
        with pytest.raises(DomainError) as refused:
            await relay.start(tmp_path / ("x" * LONGEST_PATH), None)
        await relay.close()
        assert refused.value.code == "address_refused"
        assert "server.internal" in refused.value.data["remedy"]

    asyncio.run(whole())
