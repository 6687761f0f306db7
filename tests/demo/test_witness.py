"""The demo's own witness: it signs the demo's log, remembers over restarts, and its name says what it is worth."""

from pathlib import Path

import aiohttp

from server.core.clock import ManualClock
from server.core.signing import open_signer
from server.demo.witness import watched
from server.ledger.keys import origin_of
from server.verify.notes import DEPENDENT, Checkpoint, Note, check_witnesses, read_note, sign
from server.verify.tree import EMPTY


async def test_it_signs_the_log_of_its_folder_and_is_the_same_after_a_restart(tmp_path: Path) -> None:
    signer, clock = open_signer(tmp_path / "keys"), ManualClock(1_788_000_000_000)
    origin = origin_of(signer)
    text = str(Checkpoint(origin, 0, EMPTY))
    ask = f"old 0\n\n{Note(text, (sign(text, origin, signer),))}"
    keys = set()
    for _ in range(2):
        async with watched(tmp_path, clock) as (url, key), aiohttp.ClientSession() as http:
            async with http.post(f"{url}/add-checkpoint", data=ask.encode()) as answer:
                assert answer.status == 200
                note = read_note(f"{text}\n{await answer.text()}")
            assert [seen.key for seen in check_witnesses(note, [key])] == [key]
            assert key.name.startswith(DEPENDENT)
            keys.add(key)
    assert len(keys) == 1
