"""What a receiver report says has arrived: counted by packets, in bytes, and never more than was there."""

from dataclasses import dataclass

import pytest

from media.acks import Acknowledged


@dataclass
class Stream:
    packets: int = 0
    octets: int = 0

    def send(self, packets: int) -> None:
        self.packets += packets
        self.octets += packets * 100


@dataclass
class Info:
    highest_sequence: int
    packets_lost: int = 0


def acknowledged(*reports: tuple[int, int, int]) -> int:
    """After these reports: what was sent meanwhile, highest sequence, lost."""
    stream, acks = Stream(), Acknowledged()
    for sent, highest, lost in reports:
        stream.send(sent)
        acks.report(7, Info(highest, lost), stream)
    return acks.size


@pytest.mark.parametrize(
    ("reports", "size"),
    [
        (((50, 1_050, 0),), 0),
        (((50, 1_050, 0), (10, 1_060, 0)), 1_000),
        (((50, 1_050, 0), (10, 1_060, 0), (10, 1_070, 0)), 2_000),
        (((50, 1_050, 0), (10, 1_060, 4)), 600),
        (((50, 1_050, 4), (10, 1_060, 2)), 1_000),
        (((50, 1_050, 0), (10, 1_050, 0)), 0),
        (((50, 1_050, 0), (0, 1_060, 0)), 0),
        (((50, 1_050, 0), (10, 90_000, 0)), 1_000),
        (((50, 1_050, 0), (10, 1_040, 0)), 1_000),
        (((50, 1_050, 0), (10, 1_052, 9)), 0),
        (((50, 0xFFFFFFFE, 0), (10, 8, 0)), 1_000),
    ],
)
def test_bytes_by_reports(reports: tuple[tuple[int, int, int], ...], size: int) -> None:
    assert acknowledged(*reports) == size


def test_another_size_is_counted_from_its_first_report() -> None:
    large, small, acks = Stream(), Stream(), Acknowledged()
    for stream in (large, large, small, small):
        stream.send(10)
        acks.report(7, Info(large.packets + small.packets), stream)
    assert acks.size == 2_000


def test_streams_are_counted_each() -> None:
    one, other, acks = Stream(), Stream(), Acknowledged()
    for _ in range(2):
        one.send(10)
        other.send(5)
        acks.report(7, Info(one.packets), one)
        acks.report(8, Info(other.packets), other)
    assert acks.size == 1_500
