"""The one reader of clocks."""

from media import clock


def test_ntp_and_utc_are_the_same_moment() -> None:
    before = clock.utc().timestamp()
    ntp = clock.ntp() / clock.NTP_FRACTION - clock.NTP_UNIX_SECONDS
    assert before - 0.001 <= ntp <= clock.utc().timestamp() + 0.001
    assert clock.utc().utcoffset() is not None


def test_durations_never_shrink() -> None:
    assert clock.monotonic() <= clock.monotonic()
