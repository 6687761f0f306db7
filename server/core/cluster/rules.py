"""Decides who of several processes lives and may act, from counters and readings of a clock that never stops. Pure.

The two limits belong together: a process that could not renew its row for FIT_MS no longer acts, and only after
DEAD_MS without a renewal do others take over. Both are counted on the counter's own host, so no clocks are compared.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

RENEW_S: Final = 1.5
ROUND_S: Final = 1.0
#: a process acts only so long after the beginning of its last successful renewal
FIT_MS: Final = 15_000
#: a counter that stood still for so long belongs to a dead process, or to one that no longer acts
DEAD_MS: Final = 20_000
#: who did not look for so long cannot know how long a counter stood still, and begins to count anew
BLIND_MS: Final = 5_000

NODE_FORM: Final = re.compile(r"[0-9a-f]{16}")


def fit(renewed_ms: int | None, now_ms: int) -> bool:
    """Whether a process may acknowledge: its last successful renewal began at `renewed_ms`."""
    return renewed_ms is not None and 0 <= now_ms - renewed_ms < FIT_MS


@dataclass(slots=True)
class Watch:
    """One process's look at the others' counters."""

    looked_ms: int | None = None
    since: dict[str, tuple[int, int]] = field(default_factory=dict)

    def look(self, counters: Mapping[str, int], now_ms: int) -> frozenset[str]:
        """Which of these processes are dead: their counter has not moved while we watched for DEAD_MS."""
        blind = self.looked_ms is None or now_ms - self.looked_ms > BLIND_MS
        self.looked_ms = now_ms
        known = {} if blind else self.since
        self.since = {
            node: known[node] if node in known and known[node][0] == counter else (counter, now_ms)
            for node, counter in counters.items()
        }
        return frozenset(node for node, (_, since_ms) in self.since.items() if now_ms - since_ms >= DEAD_MS)


def connection_name(node: str, sid: str) -> str:
    """How a connection is called in the whole cluster."""
    return f"{node}:{sid}"


def node_of(name: str) -> str:
    """The node of a connection's name; empty for a group and for a connection of a house with one process."""
    node, separator, _ = name.partition(":")
    return node if separator and NODE_FORM.fullmatch(node) else ""
