"""The demo's own witness: it shows how one works. On the same machine it proves little, and its name says so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from server.core.clock import Clock
from server.core.signing import open_signer
from server.ledger.service import origin_of
from server.verify.notes import DEPENDENT, Key, Kind
from server.witness.api import witnessing
from server.witness.memory import Memory
from server.witness.service import Witness

NAME: Final = f"{DEPENDENT}demo"
FOLDER: Final = "witness"
HOST: Final = "127.0.0.1"


@asynccontextmanager
async def watched(folder: Path, clock: Clock) -> AsyncIterator[tuple[str, Key]]:
    """A witness of this data folder's log while the block runs: its address and its key."""
    signer = open_signer(folder / "keys")
    log = Key(origin_of(signer), Kind.LOG, signer.public)
    own = open_signer(folder / FOLDER, "witness.key")
    witness = Witness(NAME, own, [log], Memory(folder / FOLDER / "seen"), lambda: clock.ms() // 1000)
    async with witnessing(witness, HOST, 0) as url:
        yield url, witness.key
