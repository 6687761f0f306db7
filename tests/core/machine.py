"""A machine whose clocks are moved by hand: the wall clock may be set, CLOCK_BOOTTIME only goes on."""

NOON_NS = 1_795_424_400 * 1_000_000_000
SECOND_NS = 1_000_000_000
HOUR_S = 3_600


class FakeMachine:
    """Readings for SystemClock."""

    def __init__(self, wall_ns: int = NOON_NS) -> None:
        self._wall_ns, self._boot_ns, self._boots = wall_ns, 5 * SECOND_NS, 1

    def wall_ns(self) -> int:
        return self._wall_ns

    def boot_ns(self) -> int:
        return self._boot_ns

    def boot_id(self) -> str:
        return f"boot-{self._boots}"

    def go_on(self, seconds: float) -> None:
        """Time passes, awake or suspended: both clocks know."""
        self._wall_ns += round(seconds * SECOND_NS)
        self._boot_ns += round(seconds * SECOND_NS)

    def set_wall(self, by_seconds: float) -> None:
        """Somebody sets the wall clock."""
        self._wall_ns += round(by_seconds * SECOND_NS)

    def reboot(self, takes_seconds: float = 30) -> None:
        """Another start of the machine."""
        self._wall_ns += round(takes_seconds * SECOND_NS)
        self._boot_ns, self._boots = 5 * SECOND_NS, self._boots + 1

    @property
    def true_ms(self) -> int:
        """What the wall clock shows, in milliseconds."""
        return self._wall_ns // 1_000_000
