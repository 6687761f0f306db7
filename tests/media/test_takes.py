"""Files in the order of time, where one that was encoded afterwards stands for a stretch of another."""

from media.takes import ENCODED, Encoded, Instead, Span, Take, with_encoded


def take(number: int, begins: int, seconds: int, width: int = 0) -> Take:
    return Take(number, "opus", width, 0, 4, [Span(begins + at, 1.0, True, 4 + at * 10, 10) for at in range(seconds)])


def shown(takes: list[Take]) -> list[tuple[int, float, float]]:
    return [(each.number, each.parts[0].at, each.parts[-1].ends) for each in takes]


def test_a_stretch_is_replaced_and_what_is_left_around_it_stays() -> None:
    voice, picture = take(1, 0, 10), take(ENCODED + 1, 3, 4, 640)
    found = with_encoded([voice, take(2, 20, 2)], [Encoded(picture, [Instead(1, 34, 74)])])
    assert shown(found) == [(1, 0, 3), (ENCODED + 1, 3, 7), (1, 7, 10), (2, 20, 22)]
    assert len(voice.parts) == 10


def test_what_is_replaced_whole_is_gone() -> None:
    picture = take(ENCODED + 1, 0, 10, 640)
    assert with_encoded([take(1, 0, 10)], [Encoded(picture, [Instead(1, 4, 104)])]) == [picture]


def test_pictures_without_a_voice_stand_for_nothing() -> None:
    assert shown(with_encoded([take(1, 9, 1)], [Encoded(take(ENCODED + 4, 5, 2), [])])) == [
        (ENCODED + 4, 5, 7),
        (1, 9, 10),
    ]
    assert with_encoded([], []) == []
