"""Floor 5: what was recorded of lessons is played again."""

from media.api import Recordings
from server.core.capability import Capability
from server.core.clock import Clock
from server.core.wire.declaration import Observe
from server.playback.api import Looks, declarations
from server.training.service import Training


def build(*, training: Training, recordings: Recordings, observe: Observe, clock: Clock) -> Capability[Recordings]:
    """Replays of the lessons that were recorded; nobody earns minutes by them. `observe`: a regulator's look."""
    return Capability(recordings, declarations(training, recordings, Looks(observe, clock)))
