"""Pictures in a file that can be torn anywhere, each with its moment."""

from media import clock, ivf
from media.boxes import Sample
from media.h264 import Sets
from tests.media.reel import EPOCH

PICTURES = [Sample(0, 3_000, b"first"), Sample(3_000, 3_000, b"second", key=False)]


def test_each_picture_says_when_it_was() -> None:
    data = ivf.part(1, EPOCH, PICTURES, [])
    zero = round(clock.unix_at(EPOCH) * 90_000)
    assert list(ivf.read_part(data)) == [(zero, b"first"), (zero + 3_000, b"second")]
    later = ivf.part(2, EPOCH + (1 << 32), [Sample(90_000, 3_000, b"third")], [])
    assert list(ivf.read_part(later)) == [(zero + 90_000, b"third")]


def test_torn_it_is_read_up_to_there() -> None:
    data = ivf.part(1, EPOCH, PICTURES, [])
    assert [len(list(ivf.read_part(data[:size]))) for size in (len(data), len(data) - 1, 17, 16, 3, 0)] == [
        2,
        1,
        1,
        0,
        0,
        0,
    ]


def test_a_file_says_its_size() -> None:
    head = ivf.init_segment(Sets(b"", b"", "vp8", 640, 360), "")
    assert ivf.FILE.unpack(head)[:6] == (b"DKIF", 0, 32, b"VP80", 640, 360)
    assert len(head) == 32
