"""Files of a lesson that are there at once: slides whose pages need no program, and something given in the chat."""

import hashlib
import json

from server.live.files import PAGES
from server.live.files.rules import Use
from tests.core.files.documents import in_pieces, pdf, picture
from tests.school import School

SLIDES = pdf(["one", "two"])
NOTE = "带好身份证".encode()


def lay_pages(school: School, content: bytes, pages: int) -> None:
    """The pages of a document, as the program leaves them."""
    folder = school.house.store.folder / PAGES / hashlib.sha256(content).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sizes.json").write_text(json.dumps([[9600, 5400]] * pages))
    for number in range(1, pages + 1):
        for width in (960, 1920):
            (folder / f"{number}.{width}.webp").write_bytes(picture("libwebp", width, width * 9 // 16))
        (folder / f"{number}.txt").write_text(f"page {number}")


async def give_slides(school: School, content: bytes = SLIDES, pages: int = 2) -> str:
    """The id of slides."""
    lay_pages(school, content, pages)
    files, teacher = school.house.files, school.actor("teacher")
    return (await files.take(teacher, school.lesson_id, Use.SLIDES, "第一课.pdf", in_pieces(content))).file_id


async def give_note(school: School) -> str:
    """The id of a text, given by who teaches."""
    files, teacher = school.house.files, school.actor("teacher")
    return (await files.take(teacher, school.lesson_id, Use.CHAT, "通知.txt", in_pieces(NOTE))).file_id
