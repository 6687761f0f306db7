"""The contract with the private names of aiortc and pylibsrtp."""

from importlib.metadata import version

import pytest
from aiortc import RTCDtlsTransport, rtcdtlstransport

from media import seam


def test_everything_private_that_is_used_is_there() -> None:
    assert seam.missing() == [], f"aiortc {version('aiortc')} broke media/seam.py"


def test_a_loss_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(RTCDtlsTransport, "_set_role")
    monkeypatch.delattr(rtcdtlstransport, "SRTP_PROFILES")
    assert {"RTCDtlsTransport._set_role", "aiortc.rtcdtlstransport.SRTP_PROFILES"} <= set(seam.missing())


def test_all_peers_share_one_context_that_keeps_no_sessions() -> None:
    ours = seam.certificate()
    first, second = (ours._create_ssl_context(rtcdtlstransport.SRTP_PROFILES) for _ in range(2))
    assert first is second
    assert first.get_session_cache_mode() == seam.NO_SESSIONS


def test_sha1_80_is_kept_beside_gcm() -> None:
    names = [profile.openssl_profile for profile in rtcdtlstransport.SRTP_PROFILES]
    assert b"SRTP_AES128_CM_SHA1_80" in names
    assert b"SRTP_AEAD_AES_128_GCM" in names
