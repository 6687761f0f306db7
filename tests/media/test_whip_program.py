"""A packaged WHIP client that is none of ours publishes: FFmpeg's muxer, in a process of its own."""

import asyncio
import struct
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.media import whip_program
from tests.media.conftest import Stage


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """As WebRTC wants them: self-signed, P-256."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    day = timedelta(days=1)
    now = datetime.now(UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path = tmp_path / "own.pem"
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
        + built.sign(key, hashes.SHA256()).public_bytes(pem)
    )
    return path


async def test_ffmpeg_publishes_pictures_and_sound_and_ends_its_session(stage: Stage, certificate: Path) -> None:
    assert "whip" in av.formats_available
    command = [sys.executable, whip_program.__file__, f"{stage.base}/media/whip/lesson", str(certificate)]
    program = await asyncio.create_subprocess_exec(*command, stdin=PIPE)
    assert program.stdin is not None
    program.stdin.write(stage.token("publish", "obs").encode() + b"\n")
    try:
        await stage.until(lambda: stage.media.stats("lesson").publisher_live)
        _, tracks = await stage.watch()
        async with asyncio.timeout(20):
            moved: set[bytes] = set()
            sounded = 0.0
            while len(moved) < 5:
                picture = await tracks["video"].recv()
                assert isinstance(picture, av.VideoFrame)
                assert (picture.width, picture.height) == whip_program.SIZE
                moved.add(bytes(picture.planes[0])[:64])
            while sounded < 1_000:
                sound = await tracks["audio"].recv()
                assert isinstance(sound, av.AudioFrame)
                samples = struct.unpack(f"<{sound.samples * 2}h", bytes(sound.planes[0])[: sound.samples * 4])
                sounded = sum(map(abs, samples)) / len(samples)
        assert stage.media.stats("lesson").video_codec == "H264"
        program.stdin.close()
        assert await program.wait() == 0
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    await stage.until(lambda: ("publisher_gone", "obs") in stage.told())
    assert [kind for kind, _ in stage.told() if kind == "publisher_trouble"] == []
    assert stage.media.counts.get("silent", 0) == 0  # by DELETE
