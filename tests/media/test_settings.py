"""Settings that make no sense stop the start and name themselves."""

from typing import Any

import pytest

from media.settings import MediaSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"udp_port": -1},
        {"udp_port": 65_536},
        {"tcp_port": 65_536},
        {"udp_host": "localhost"},
        {"advertised_ips": ("203.0.113.7", "example.org")},
        {"max_rooms": 0},
        {"liveness_seconds": 0.0},
        {"uplink_mbps": 0.0},
        {"uplink_mbps": -1.0},
    ],
)
def test_a_bad_value_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        MediaSettings(**wrong)


def test_the_edges_are_good() -> None:
    assert MediaSettings(udp_port=65_535, udp_host="::", advertised_ips=("2001:db8::1", "203.0.113.7")).max_rooms
