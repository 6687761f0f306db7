"""The advice to publishers: steady while nothing is wrong, down at overuse, slowly up again."""

from aiortc.rtp import RtpPacket

from media.rate import MIN_BPS, MOST_SOURCES, RateAdvice


def test_a_still_picture_does_not_pull_the_advice_down() -> None:
    assert RateAdvice(1_200, 2_500).advise(90_000, overused=False, now=0.0) == 1_200_000


def test_more_is_advised_up_to_the_limit() -> None:
    advice = RateAdvice(1_200, 2_500)
    assert advice.advise(2_000_000, overused=False, now=0.0) == 2_000_000
    assert advice.advise(9_000_000, overused=False, now=0.1) == 2_500_000


def test_overuse_brings_it_down_and_time_up_again() -> None:
    advice = RateAdvice(1_200, 2_500)
    assert advice.advise(300_000, overused=True, now=0.0) == 300_000
    assert 300_000 < advice.advise(100_000, overused=False, now=1.0) < 400_000
    assert advice.advise(100_000, overused=False, now=60.0) == 1_200_000
    assert advice.advise(1, overused=True, now=61.0) == MIN_BPS


def test_sources_without_end_are_forgotten_and_the_advice_names_few() -> None:
    advice, given = RateAdvice(1_200, 2_500), []
    for number in range(1_000):
        packet = RtpPacket(108, 0, number, number, number, b"data")
        packet.extensions.abs_send_time = number * 2_621
        given.append(advice.add(packet, number * 0.01))
    named = [sources for _, sources in filter(None, given)]
    assert named
    assert max(map(len, named)) <= MOST_SOURCES
    assert len(advice._estimator.ssrcs) <= MOST_SOURCES
