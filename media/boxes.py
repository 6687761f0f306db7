"""Decides the bytes of fragmented MP4: an init segment and the parts after it.

Pure (ISO/IEC 14496-12; -14 section 5.6, -15 section 5.3, CMAF 23000-19; Opus in ISOBMFF 4.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import pack

from media.h264 import Sets

VIDEO_SCALE, AUDIO_SCALE = 90_000, 48_000
VIDEO_ID, AUDIO_ID = 1, 2
CHANNELS = 2
SYNC_SAMPLE = 0x02000000
OTHER_SAMPLE = 0x01010000
BASE_IS_MOOF = 0x020000
TRUN_FIELDS = 0x000701  # offset of the data; duration, size and flags of each sample
MATRIX = pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
#: AAC-LC, 48 kHz, stereo (ISO/IEC 14496-3 section 1.6.2.1)
AAC_CONFIG = bytes([0x11, 0x90])


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture or a packet of voice; times in ticks of its track's scale."""

    time: int
    duration: int
    data: bytes
    key: bool = True


def box(kind: str, *parts: bytes) -> bytes:
    size = 8 + sum(map(len, parts))
    return b"".join((size.to_bytes(4, "big"), kind.encode(), *parts))


def full(kind: str, flags: int, *parts: bytes, version: int = 0) -> bytes:
    return box(kind, (version << 24 | flags).to_bytes(4, "big"), *parts)


def init_segment(sets: Sets | None, audio: str) -> bytes:
    """File type and movie box for H.264 (`sets`) and voice (`audio`: "opus", "aac" or "")."""
    traks, trexs = [], []
    if sets is not None:
        header = _video_header(sets)
        traks.append(_trak(VIDEO_ID, VIDEO_SCALE, header, (sets.width, sets.height)))
        trexs.append(_trex(VIDEO_ID))
    if audio:
        traks.append(_trak(AUDIO_ID, AUDIO_SCALE, _audio_header(audio), None))
        trexs.append(_trex(AUDIO_ID))
    brands = box("ftyp", b"iso6", pack(">I", 0), b"iso6cmfcmp41")
    mvhd = full(
        "mvhd", 0, pack(">4I", 0, 0, 1_000, 0), pack(">IHxx8x", 0x10000, 0x100), MATRIX, bytes(24), pack(">I", 3)
    )
    return brands + box("moov", mvhd, *traks, box("mvex", *trexs))


def _trex(track: int) -> bytes:
    return full("trex", 0, pack(">5I", track, 1, 0, 0, 0))


def _trak(track: int, scale: int, header: tuple[str, bytes, bytes], size: tuple[int, int] | None) -> bytes:
    handler, media_header, entry = header
    width, height = size or (0, 0)
    volume = 0 if size else 0x100
    tkhd = full(
        "tkhd", 3, pack(">5I8xHHHxx", 0, 0, track, 0, 0, 0, 0, volume), MATRIX, pack(">II", width << 16, height << 16)
    )
    mdhd = full("mdhd", 0, pack(">4IHH", 0, 0, scale, 0, 0x55C4, 0))
    hdlr = full("hdlr", 0, pack(">I4s12x", 0, handler.encode()), b"keshi\0")
    dinf = box("dinf", full("dref", 0, pack(">I", 1), full("url ", 1)))
    nothing = pack(">I", 0)
    tables = (
        full("stts", 0, nothing),
        full("stsc", 0, nothing),
        full("stsz", 0, nothing, nothing),
        full("stco", 0, nothing),
    )
    stbl = box("stbl", full("stsd", 0, pack(">I", 1), entry), *tables)
    return box("trak", tkhd, box("mdia", mdhd, hdlr, box("minf", media_header, dinf, stbl)))


def _video_header(sets: Sets) -> tuple[str, bytes, bytes]:
    sps, pps = sets.sps, sets.pps
    config = b"".join(
        (bytes([1]), sps[1:4], bytes([0xFF, 0xE1]), pack(">H", len(sps)), sps, bytes([1]), pack(">H", len(pps)), pps)
    )
    shape = pack(">6xH16xHHIIIH32sHh", 1, sets.width, sets.height, 0x480000, 0x480000, 0, 1, b"", 24, -1)
    return "vide", full("vmhd", 1, bytes(8)), box("avc1", shape, box("avcC", config))


def _audio_header(audio: str) -> tuple[str, bytes, bytes]:
    shape = pack(">6xH8xHH4xI", 1, CHANNELS, 16, AUDIO_SCALE << 16)
    if audio == "opus":
        entry = box("Opus", shape, box("dOps", pack(">BBHIhB", 0, CHANNELS, 0, AUDIO_SCALE, 0, 0)))
    else:
        entry = box("mp4a", shape, full("esds", 0, _descriptor()))
    return "soun", full("smhd", 0, bytes(4)), entry


def _descriptor() -> bytes:
    """An elementary stream of AAC (ISO/IEC 14496-1 section 7.2.6)."""
    config = bytes([5, len(AAC_CONFIG)]) + AAC_CONFIG
    decoder = pack(">BB3xII", 0x40, 0x15, 0, 0) + config
    stream = pack(">HB", AUDIO_ID, 0) + bytes([4, len(decoder)]) + decoder + bytes([6, 1, 2])
    return bytes([3, len(stream)]) + stream


def part(number: int, ntp: int, video: Sequence[Sample], audio: Sequence[Sample]) -> bytes:
    """One fragment; `ntp` is when its first sample was (producer reference time, section 8.16.5)."""
    tracks = [(VIDEO_ID, video), (AUDIO_ID, audio)]
    present = [(track, samples) for track, samples in tracks if samples]
    if not present:
        return b""
    size = len(_moof(number, present, 0))
    data = [sample.data for _, samples in present for sample in samples]
    first, samples = present[0]
    prft = full("prft", 0, pack(">IQQ", first, ntp & 0xFFFFFFFFFFFFFFFF, samples[0].time), version=1)
    return b"".join((prft, _moof(number, present, size + 8), box("mdat", *data)))


def _moof(number: int, present: Sequence[tuple[int, Sequence[Sample]]], offset: int) -> bytes:
    trafs = []
    for track, samples in present:
        rows = b"".join(
            pack(">III", each.duration, len(each.data), SYNC_SAMPLE if each.key else OTHER_SAMPLE) for each in samples
        )
        trafs.append(
            box(
                "traf",
                full("tfhd", BASE_IS_MOOF, pack(">I", track)),
                full("tfdt", 0, pack(">Q", samples[0].time), version=1),
                full("trun", TRUN_FIELDS, pack(">Ii", len(samples), offset), rows),
            )
        )
        offset += sum(len(each.data) for each in samples)
    return box("moof", full("mfhd", 0, pack(">I", number)), *trafs)
