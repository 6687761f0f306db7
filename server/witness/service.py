"""Use-case of a witness: remember, then sign."""

import asyncio
from collections.abc import Callable, Iterable

from server.verify.notes import Key, Kind, Note, Signature, Signer, cosign
from server.verify.tree import Refused
from server.witness.memory import Memory
from server.witness.rules import Declined, judge, read_ask

DAMAGED = 500


class Witness:
    """Signs what the logs of `logs` say of themselves, each in one history. `seconds` is the time since 1970."""

    def __init__(
        self, name: str, signer: Signer, logs: Iterable[Key], memory: Memory, seconds: Callable[[], int]
    ) -> None:
        self._name, self._signer, self._logs = name, signer, tuple(logs)
        self._memory, self._seconds = memory, seconds
        self._one_at_a_time = asyncio.Lock()

    @property
    def key(self) -> Key:
        """By what its signatures are known."""
        return Key(self._name, Kind.WITNESS, self._signer.public)

    @property
    def notes(self) -> Iterable[str]:
        """The last note of each log."""
        return self._memory.notes()

    async def add(self, raw: bytes) -> str:
        """A signature line for the checkpoint of a request's body. Raises Declined."""
        ask = read_ask(raw)
        origin = ask.checkpoint.origin
        async with self._one_at_a_time:
            try:
                known = self._memory.last(origin)
            except (Refused, OSError) as error:
                raise Declined(DAMAGED, "what was signed last cannot be read\n") from error
            judge(ask, known, self._logs)
            at_s = self._seconds()
            signature = cosign(ask.note.text, self._name, self._signer, at_s)
            seen = Note(ask.note.text, (*self._by_log(ask.note), signature))
            try:
                await asyncio.to_thread(self._memory.remember, origin, str(seen))
            except OSError as error:
                raise Declined(DAMAGED, "what was signed cannot be remembered\n") from error
        return str(signature)

    def _by_log(self, note: Note) -> list[Signature]:
        ids = {(key.name, key.id) for key in self._logs}
        return [one for one in note.signatures if (one.name, one.key_id) in ids]
