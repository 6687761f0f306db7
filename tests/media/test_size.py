"""Heavy loss makes the picture small; a time without any makes it large again, later each time it did not last."""

from media.size import FIRST_PATIENCE_SECONDS, HEAVY_LOSS, LASTED_SECONDS, LIGHT_LOSS, Size


def lost(size: Size, now: float) -> None:
    size.report(HEAVY_LOSS, now)
    assert size.report(HEAVY_LOSS, now + 1)
    assert size.small


def larger_after(size: Size, start: float) -> float:
    """Seconds without loss until the picture is large again."""
    now = start
    while not size.report(0, now):
        now += 1
    assert not size.small
    return now - start


def test_one_bad_report_is_none() -> None:
    size = Size()
    for now in range(20):
        assert not size.report(HEAVY_LOSS if now % 2 else HEAVY_LOSS - 1, float(now))
    assert not size.small


def test_a_picture_that_did_not_stay_large_is_waited_for_twice_as_long() -> None:
    size = Size()
    lost(size, 0.0)
    first = larger_after(size, 1.0)
    assert first == FIRST_PATIENCE_SECONDS
    lost(size, 20.0)
    assert larger_after(size, 21.0) == 2 * FIRST_PATIENCE_SECONDS
    later = 60.0 + LASTED_SECONDS
    lost(size, later)
    assert larger_after(size, later + 1) == FIRST_PATIENCE_SECONDS


def test_light_loss_puts_it_off() -> None:
    size = Size()
    lost(size, 0.0)
    size.report(LIGHT_LOSS + 1, 10.0)
    assert larger_after(size, 11.0) == FIRST_PATIENCE_SECONDS - 1
