"""The demo's own witness: it shows how one works. On the same machine it proves little, and its name says so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from server.core.clock import Clock
from server.core.signing import open_signer
from server.ledger.keys import keys_in
from server.verify.notes import DEPENDENT, Key
from server.witness.api import witnessing
from server.witness.memory import Memory
from server.witness.service import Witness

NAME: Final = f"{DEPENDENT}demo"
FOLDER: Final = "witness"
HOST: Final = "127.0.0.1"


@asynccontextmanager
async def watched(folder: Path, clock: Clock) -> AsyncIterator[tuple[str, Key]]:
    """A witness of this data folder's log while the block runs: its address and its key."""
    own = open_signer(folder / FOLDER, "witness.key")
    logs, memory = keys_in(folder / "keys").keys, Memory(folder / FOLDER / "seen")
    witness = Witness(NAME, own, logs, memory, lambda: clock.ms() // 1000)
    async with witnessing(witness, HOST, 0) as url:
        yield url, witness.key
