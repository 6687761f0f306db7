"""Declares files of a lesson over REST: given, fetched, shown page by page. Access is asked at each request."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from server.core.actor import EVERYONE, OVERSEERS, Role
from server.core.clock import iso
from server.core.errors import DomainError
from server.core.files import office
from server.core.files.kinds import TYPES, FileKind
from server.core.files.rules import MOST_PAGES
from server.core.wire.declaration import UNSEEN, Call, Declarations, Kept, Route
from server.live.files.rules import LessonFile, Use
from server.live.files.service import LessonFiles, deck_of
from server.live.files.sight import Sight
from server.training.service import Training

GIVERS: Final = frozenset({Role.TRAINEE, Role.INSTRUCTOR})
GIVE_CODES: Final = (
    *UNSEEN,
    *("lesson_ended", "lesson_not_live", "removed_from_lesson", "silenced", "switched_off", "too_many_tries"),
    *("file_too_large", "file_kind_refused", "file_damaged", "file_empty", "files_full", "slides_need_pdf"),
)
WEBP: Final = TYPES[FileKind.WEBP]
PageNumber = Annotated[int, Field(ge=1, le=MOST_PAGES)]


@dataclass(frozen=True, slots=True)
class FileGiven:
    """`name` is what the file was called; it will end as what it is."""

    lesson_id: str
    use: Use
    name: Annotated[str, Field(min_length=1, max_length=255)]


@dataclass(frozen=True, slots=True)
class FileView:
    """A file of a lesson; `kind` by its content, `size` in bytes."""

    file_id: str
    name: str
    kind: FileKind
    size: int
    use: Use
    by_id: str
    at: str


@dataclass(frozen=True, slots=True)
class FileRequest:
    lesson_id: str
    file_id: str


@dataclass(frozen=True, slots=True)
class SlidesRequest:
    lesson_id: str


@dataclass(frozen=True, slots=True)
class PageRequest:
    lesson_id: str
    file_id: str
    page: PageNumber


@dataclass(frozen=True, slots=True)
class PagePictureRequest:
    lesson_id: str
    file_id: str
    page: PageNumber
    width: Literal["960", "1920"]


@dataclass(frozen=True, slots=True)
class Deck:
    """Slides. `sizes`: width and height of each page, empty before they are known; `made` of them can be shown.

    `converting`: a presentation of which a PDF is being made, another deck then. `trouble`: why no more will be made
    (`slides_damaged`, `slides_too_long`, `slides_locked`).
    """

    file_id: str
    name: str
    sizes: list[tuple[int, int]]
    made: int
    converting: bool
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Decks:
    """`office`: presentations are taken as well, not PDF and pictures alone."""

    decks: list[Deck]
    office: bool


@dataclass(frozen=True, slots=True)
class PageText:
    """What can be read on a page, for those who hear it."""

    text: str


class Api:
    """The functions behind the declarations."""

    def __init__(self, files: LessonFiles, training: Training, sight: Sight) -> None:
        self._files, self._training, self._sight = files, training, sight

    async def give(self, call: Call, request: FileGiven) -> FileView:
        """Give a file to a lesson: the file itself as the body."""
        await self._training.lesson_for(call.who, request.lesson_id)
        return view(await self._files.take(call.who, request.lesson_id, request.use, request.name, call.coming))

    async def fetch(self, call: Call, request: FileRequest) -> Kept:
        """A file as it was given. Slides are given to trainees page by page only, and nothing of a hidden line."""
        file = await self._seen(call, request.lesson_id, request.file_id)
        trainee = call.who.role is Role.TRAINEE
        if trainee and (file.use is Use.SLIDES or await self._sight.hidden(file.lesson_id, file.file_id)):
            raise DomainError("not_found")
        return Kept(await self._files.path(file), file.name, TYPES[file.kind])

    async def decks(self, call: Call, request: SlidesRequest) -> Decks:
        """The slides of a lesson, and how far they are made."""
        await self._training.lesson_for(call.who, request.lesson_id)
        files = [one for one in await self._files.files(request.lesson_id) if one.use is Use.SLIDES]
        shown = [await self._deck(deck_of(one, files)) for one in files if not one.made_of]
        return Decks(shown, office.installed() is not None)

    async def deck(self, call: Call, request: FileRequest) -> Deck:
        """One of them."""
        return await self._deck(await self._slides(call, request.lesson_id, request.file_id))

    async def page(self, call: Call, request: PageRequest) -> PageText:
        """What can be read on a page."""
        file = await self._slides(call, request.lesson_id, request.file_id, request.page)
        return PageText(await self._files.text(file, request.page))

    async def picture(self, call: Call, request: PagePictureRequest) -> Kept:
        """A page as a picture; one that is being made is waited for."""
        file = await self._slides(call, request.lesson_id, request.file_id, request.page)
        path = await self._files.picture(file, request.page, int(request.width))
        return Kept(path, f"{request.page}.webp", WEBP, inline=True)

    async def _deck(self, file: LessonFile) -> Deck:
        pages = await self._files.pages(file)
        converting = file.kind is FileKind.PPTX and pages.trouble is None
        return Deck(file.file_id, file.name, pages.sizes, pages.made, converting, pages.trouble)

    async def _slides(self, call: Call, lesson_id: str, file_id: str, page: int | None = None) -> LessonFile:
        """Of a deck trainees get what was shown of it, and nothing ahead of that."""
        file = await self._seen(call, lesson_id, file_id)
        if file.use is not Use.SLIDES:
            raise DomainError("not_found")
        if call.who.role is Role.TRAINEE and not await self._sight.shown(file.lesson_id, file.file_id, page):
            raise DomainError("not_found")
        return file

    async def _seen(self, call: Call, lesson_id: str, file_id: str) -> LessonFile:
        lesson, _ = await self._training.lesson_for(call.who, lesson_id)
        return await self._files.file(lesson.id, file_id)

    def declarations(self) -> Declarations:
        """What it serves."""
        one = "/api/v1/lessons/{lesson_id}"
        file, slides = f"{one}/files/{{file_id}}", f"{one}/slides"
        deck, page = f"{slides}/{{file_id}}", f"{slides}/{{file_id}}/{{page}}"
        lost = (*UNSEEN, "file_lost")
        return Declarations(
            routes=[
                Route("POST", f"{one}/files", GIVERS, FileGiven, FileView, self.give, codes=GIVE_CODES, streams=True),
                Route("GET", file, EVERYONE, FileRequest, Kept, self.fetch, codes=lost),
                Route("GET", slides, OVERSEERS, SlidesRequest, Decks, self.decks, codes=UNSEEN),
                Route("GET", deck, EVERYONE, FileRequest, Deck, self.deck, codes=UNSEEN),
                Route("GET", page, EVERYONE, PageRequest, PageText, self.page, codes=UNSEEN),
                Route("GET", f"{page}/{{width}}.webp", EVERYONE, PagePictureRequest, Kept, self.picture, codes=UNSEEN),
            ]
        )


def view(file: LessonFile) -> FileView:
    """A file as pages are told of it."""
    return FileView(file.file_id, file.name, file.kind, file.size, file.use, file.by_id, iso(file.at_ms))
