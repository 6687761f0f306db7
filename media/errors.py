"""Decides how media refuses: a stable code and data, nothing deeper."""

#: refusals that whoever teaches should hear of
TROUBLES = frozenset({"publisher_taken", "bad_offer", "no_common_codec", "room_full"})


class MediaError(Exception):
    """A refusal the caller can act on; `code` never changes its meaning, `data` holds plain JSON values."""

    def __init__(self, code: str, **data: object) -> None:
        super().__init__(code)
        self.code = code
        self.data = data
