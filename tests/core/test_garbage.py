"""Once a process serves, what was loaded is looked at no more, and what comes is looked at seldom."""

import gc

from server.core.garbage import LOOKS, OBJECTS, look_seldom
from tests.collected import as_before


class Knot:
    """Refers to itself."""

    def __init__(self) -> None:
        self.own = self


def test_what_stays_is_set_aside_and_the_rest_is_still_collected() -> None:
    loaded = [Knot()]
    with as_before():
        look_seldom()
        assert gc.get_freeze_count() > 1
        assert gc.get_threshold() == (OBJECTS, LOOKS, LOOKS)
        assert not any(one is loaded for one in gc.get_objects())
        gc.collect()
        Knot()
        assert gc.collect() > 0
    assert gc.get_freeze_count() == 0
    assert any(one is loaded for one in gc.get_objects())
