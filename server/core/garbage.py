"""Decides how often Python looks for garbage that reference counts do not free: seldom, and not among what stays.

Without this it looks after every 700 objects more than before, of which a class that beats at one moment has many
times as many, and now and then at all that was ever loaded, which takes longer than a packet may wait.
"""

import gc
from typing import Final

#: it looks after so many objects more than before; among older ones after so many looks among the younger
OBJECTS: Final = 20_000
LOOKS: Final = 10


def look_seldom() -> None:
    """All that is there now stays and is looked at no more: for a process that serves, once it stands."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS, LOOKS, LOOKS)
