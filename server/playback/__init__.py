"""Floor 5: what was recorded of lessons is played again."""

from media.api import Recordings
from server.core.capability import Capability
from server.playback.api import declarations
from server.training.service import Training


def build(*, training: Training, recordings: Recordings) -> Capability[Recordings]:
    """Replays of the lessons that were recorded; nobody earns minutes by them."""
    return Capability(recordings, declarations(training, recordings))
