"""The key of a page as Web Crypto makes it: P-256, signatures as r and s."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.verify.notes import encode

HALF: Final = 32


class PageKey:
    """One page's."""

    def __init__(self) -> None:
        self._key = generate_private_key(SECP256R1())
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public = encode(point)

    def sign(self, text: str) -> str:
        """64 bytes as base64."""
        r, s = decode_dss_signature(self._key.sign(text.encode(), ECDSA(SHA256())))
        return encode(r.to_bytes(HALF, "big") + s.to_bytes(HALF, "big"))
