"""Decides how media refuses: a stable code and data, nothing deeper."""


class MediaError(Exception):
    """A refusal the caller can act on; `code` never changes its meaning, `data` holds plain JSON values."""

    def __init__(self, code: str, **data: object) -> None:
        super().__init__(code)
        self.code = code
        self.data = data
