"""Who may still watch and in which size, edge by edge; with real receivers: test_admitted.py."""

from collections import Counter
from dataclasses import dataclass, field

import pytest

from media.admission import CALM_SECONDS, SPARE_SHARE, Admission, Demand
from media.errors import MediaError
from media.room import slots
from media.size import Size
from media.slot import Arrival, Slot
from media.tap import CAMERA, CAMERA_LOW, SCREEN, VOICE

BOTH = frozenset({VOICE, CAMERA, CAMERA_LOW})
#: bits per second: by admission's own words for what was not measured yet
LARGE, SMALL, VOICES = 1_062_000, 442_000, 62_000


@dataclass
class Room:
    name: str = "lesson"
    published: frozenset[str] = BOTH
    slots: dict[str, Slot] = field(default_factory=slots)


def peer(number: int, held: bool = False, room: str = "lesson") -> Demand:
    size = Size()
    size.held = held
    return Demand(room, f"p{number}", "peer", size=size)


def peers(count: int, held: bool = False) -> list[Demand]:
    return [peer(number, held) for number in range(count)]


def looked(bps: float | None, demands: list[Demand], room: Room | None = None, cpu: float = 0.0) -> Admission:
    """After two looks; `bps`: what pictures may take, a tenth less than the uplink."""
    admission = Admission(None if bps is None else bps / 0.9 / 1_000_000 + 1e-9, 1_000_000, Counter())
    for at in (0.0, 1.0):
        admission.look(at, cpu * at, [room or Room()], demands)
    return admission


def refused(admission: Admission, wish: Demand, demands: list[Demand], room: Room | None = None) -> tuple[str, object]:
    with pytest.raises(MediaError) as caught:
        admission.check(room or Room(), wish, lambda: demands)
    return caught.value.code, caught.value.data["next"]


def test_without_a_limit_everybody_gets_the_large_picture() -> None:
    many = peers(500)
    admission = looked(None, many)
    admission.check(Room(), peer(999), lambda: many)
    assert admission.fits_large(Room(), lambda: many)
    assert not any(each.size and each.size.held for each in many)


def test_as_many_come_in_as_there_is_room_for_small_pictures() -> None:
    some = peers(9)
    looked(10 * SMALL, some).check(Room(), peer(9), lambda: some)
    assert refused(looked(10 * SMALL - 1, some), peer(9), some) == ("uplink_spent", "voice")


def test_where_there_is_no_small_picture_the_large_one_is_what_counts() -> None:
    alone = Room(published=frozenset({VOICE, CAMERA}))
    some = peers(9)
    looked(10 * LARGE, some, alone).check(alone, peer(9), lambda: some)
    assert refused(looked(10 * LARGE - 1, some, alone), peer(9), some, alone) == ("uplink_spent", "voice")


def test_a_small_picture_that_does_not_come_is_not_counted_on() -> None:
    room, some = Room(), peers(2)
    admission = Admission(3 * LARGE / 0.9 / 1_000_000 - 0.01, 1_000_000, Counter())
    for at in range(12):
        for number in range(100):
            room.slots[CAMERA].push(Arrival("one", "H264", False, at * 100 + number, at, bytes(1_194)), float(at))
        admission.look(float(at), 0.0, [room], some)
    assert admission.used == pytest.approx(2 * LARGE, rel=0.01)
    assert refused(admission, peer(9), some, room) == ("uplink_spent", "voice")


def test_parts_cost_what_the_large_picture_costs() -> None:
    some = peers(2)
    wish = Demand("lesson", "w", "parts")
    looked(2 * SMALL + LARGE, some).check(Room(), wish, lambda: some)
    assert refused(looked(2 * SMALL + LARGE - 1, some), wish, some) == ("uplink_spent", "voice")


def test_a_tenth_is_left_to_voices_and_then_nothing_is() -> None:
    some = peers(10)
    admission = looked(10 * SMALL, some)
    voices = [Demand("lesson", f"v{number}", "voice") for number in range(7)]
    assert pytest.approx(7.9, abs=0.05) == 10 * SMALL / 9 / VOICES
    admission.check(Room(), Demand("lesson", "w", "voice"), lambda: [*some, *voices[:6]])
    assert refused(admission, Demand("lesson", "w", "voice"), [*some, *voices]) == ("uplink_spent", None)
    assert refused(admission, peer(99), [*some, *voices]) == ("uplink_spent", None)


def test_whoever_watches_is_let_in_again_and_counts_once() -> None:
    some = peers(10)
    looked(SMALL, some).check(Room(), peer(3), lambda: some)
    exact = looked(10 * SMALL, some)
    assert refused(exact, peer(10), some)[0] == "uplink_spent"
    exact.check(Room(), Demand("lesson", "p3", "voice"), lambda: some)


def test_other_lessons_take_of_the_same_uplink() -> None:
    here, there = Room(), Room("other")
    some = [*peers(5), *(peer(number, room="other") for number in range(4))]
    admission = Admission(10 * SMALL / 0.9 / 1_000_000 + 1e-9, 1_000_000, Counter())
    admission.look(0.0, 0.0, [here, there], some)
    admission.check(here, peer(77), lambda: some)
    assert refused(admission, peer(78), [*some, peer(77)]) == ("uplink_spent", "voice")


def test_a_room_that_opened_since_the_last_look_counts() -> None:
    admission, room = looked(2 * SMALL, []), Room("new")
    some = [peer(1, room="new"), peer(2, room="new")]
    assert refused(admission, Demand("new", "w", "peer", size=Size()), some, room) == ("uplink_spent", "voice")


def test_the_first_get_the_large_picture_and_the_others_the_small_one() -> None:
    some = peers(4)
    looked(2 * LARGE + 2 * SMALL, some)
    assert [each.size.held for each in some if each.size] == [False, False, True, True]
    assert looked(4 * LARGE, peers(4)).used == 4 * LARGE


def test_one_more_begins_with_the_large_picture_only_where_it_fits() -> None:
    some = peers(2)
    assert looked(3 * LARGE, some).fits_large(Room(), lambda: some)
    assert not looked(3 * LARGE - 1, some).fits_large(Room(), lambda: some)
    assert not Admission(1, 1_000_000, Counter()).fits_large(Room(), lambda: [])


def sizes(demands: list[Demand]) -> list[bool]:
    return [each.size.held for each in demands if each.size]


def test_nobody_is_stepped_up_until_it_was_calm_for_a_while() -> None:
    some = peers(4)
    admission = looked(2 * LARGE + 2 * SMALL, some)
    assert sizes(some) == [False, False, True, True]
    admission.look(CALM_SECONDS - 0.1, 0.0, [Room()], some[1:])
    assert sizes(some[1:]) == [False, True, True]
    admission.look(CALM_SECONDS, 0.0, [Room()], some[1:])
    assert sizes(some[1:]) == [False, False, True]


@pytest.mark.parametrize(("spare", "held"), [(SPARE_SHARE + 0.001, False), (SPARE_SHARE - 0.001, True)])
def test_who_is_stepped_up_leaves_something_to_spare(spare: float, held: bool) -> None:
    some = peers(2)
    some[1].size.held = True  # type: ignore[union-attr]
    limit = 2 * LARGE / (0.9 - spare)
    looked(limit * 0.9, some)
    assert sizes(some) == [False, held]


def test_whoever_watches_is_stepped_down_and_never_out_when_more_is_sent_than_fits() -> None:
    some = peers(3)
    admission = looked(3 * LARGE, some)
    assert sizes(some) == [False] * 3
    admission.look(2.0, 0.0, [Room()], [*some, Demand("lesson", "w", "parts")])
    assert sizes(some) == [False, True, True]
    assert admission.used == 2 * LARGE + 2 * SMALL


def test_beside_a_screen_the_camera_is_small_already() -> None:
    room = Room()
    admission = Admission(100, 1_000_000, Counter())
    size = Size()
    watching = [Demand("lesson", "a", "peer", screen=True, size=size)]
    for at in range(12):
        for number in range(50):
            room.slots[SCREEN].push(Arrival("one", "H264", False, at * 50 + number, at, bytes(1_000)), float(at))
        admission.look(float(at), 0.0, [room], watching)
    assert admission.used == pytest.approx(SMALL + 50 * 1_056 * 8, rel=0.01)


@pytest.mark.parametrize(
    ("cpu", "way", "says"),
    [
        (0.79, "peer", None),
        (0.81, "peer", ("cpu_spent", "parts")),
        (0.81, "parts", None),
        (0.96, "peer", ("cpu_spent", "voice")),
        (0.96, "parts", ("cpu_spent", "voice")),
        (0.99, "voice", None),
    ],
)
def test_cpu_is_spent_after_the_uplink(cpu: float, way: str, says: tuple[str, str] | None) -> None:
    wish = Demand("lesson", "w", way, size=Size() if way == "peer" else None)  # type: ignore[arg-type]
    admission = looked(None, [], cpu=cpu)
    if says is None:
        admission.check(Room(), wish, lambda: [])
    else:
        assert refused(admission, wish, []) == says


def test_the_uplink_is_named_first_and_parts_only_where_they_fit() -> None:
    assert refused(looked(SMALL - 1, [], cpu=0.9), peer(1), []) == ("uplink_spent", "voice")
    assert refused(looked(SMALL, [], cpu=0.9), peer(1), []) == ("cpu_spent", "voice")
    assert refused(looked(LARGE, [], cpu=0.9), peer(1), []) == ("cpu_spent", "parts")


def test_what_the_next_would_be_told_is_known_without_asking() -> None:
    some = peers(10)
    assert looked(11 * SMALL, some).spent(Room(), some) == ""
    assert looked(11 * SMALL - 1, some).spent(Room(), some) == "uplink_spent"
    assert looked(None, some, cpu=0.9).spent(Room(), some) == "cpu_spent"
