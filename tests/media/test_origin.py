"""Only a page of the very host that is asked is one of ours."""

import pytest
from aiohttp.test_utils import make_mocked_request

from media.origin import from_own_page


@pytest.mark.parametrize(
    ("origin", "ours"),
    [
        ("https://ke.example.cn:8443", True),
        ("https://ke.example.cn", False),
        ("https://ke.example.cn:8443.evil.example", False),
        ("null", False),
        ("", False),
        ("https://[ke.example.cn:8443", False),
    ],
)
def test_the_origin_is_the_host(origin: str, ours: bool) -> None:
    headers = {"Host": "ke.example.cn:8443"} | ({"Origin": origin} if origin else {})
    assert from_own_page(make_mocked_request("GET", "/media/live/x", headers=headers)) is ours
