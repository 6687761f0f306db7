"""A program that publishes by WHIP and is none of ours: FFmpeg's own muxer, as PyAV's wheels bring it.

URL and CERTIFICATE (a PEM of certificate and key) are arguments; the bearer token is the first line of the standard
input, whose end is that of the stream.
Of our stack it shares nothing: FFmpeg speaks HTTP, SDP, ICE, DTLS (GnuTLS) and SRTP by itself.
"""

import sys
import threading
import time
from fractions import Fraction

import av

RATE, SAMPLES, SOUND_RATE = 30, 960, 48_000
SIZE = (320, 240)


def publish(url: str, certificate: str, token: str, ended: threading.Event) -> None:
    """A moving grey and a tone, in real time."""
    # Its own certificate would be of P-224, which WebRTC does not ask for (RFC 8827 section 6.5).
    options = {"authorization": token, "whip_flags": "dtls_active", "cert_file": certificate, "key_file": certificate}
    with av.open(url, "w", format="whip", options=options) as output:
        video = output.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        video.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "bf": "0", "g": "60"}
        audio = output.add_stream("libopus", rate=SOUND_RATE)
        audio.layout = "stereo"
        started, sounded, index = time.monotonic(), 0, 0
        while not ended.is_set():
            output.mux(video.encode(picture(index)))
            while sounded * SAMPLES * RATE < (index + 1) * SOUND_RATE:
                output.mux(audio.encode(sound(sounded)))
                sounded += 1
            index += 1
            time.sleep(max(0.0, started + index / RATE - time.monotonic()))


def picture(index: int) -> av.VideoFrame:
    """Half light, half dark, moving."""
    frame = av.VideoFrame(*SIZE, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes((index * 3 + at // 64) % 256 for at in range(plane.buffer_size)))
    frame.pts, frame.time_base = index, Fraction(1, RATE)
    return frame


def sound(index: int) -> av.AudioFrame:
    """A square wave of 500 Hz."""
    frame = av.AudioFrame(format="s16", layout="stereo", samples=SAMPLES)
    frame.planes[0].update((b"\x00\x20" * 96 + b"\x00\xe0" * 96) * (SAMPLES * 2 // 192))
    frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, index * SAMPLES, Fraction(1, SOUND_RATE)
    return frame


def wait_for_end(ended: threading.Event) -> None:
    """Of the standard input."""
    sys.stdin.read()
    ended.set()


if __name__ == "__main__":
    bearer = sys.stdin.readline().strip()
    over = threading.Event()
    threading.Thread(target=wait_for_end, args=(over,), daemon=True).start()
    publish(sys.argv[1], sys.argv[2], bearer, over)
