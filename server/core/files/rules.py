"""What programs that make pages, and those who begin them, agree on: widths, limits, names, exit codes. Pure."""

from typing import Final

#: in pixels, by what a phone's page shows well, and a desk's
WIDTHS: Final = (960, 1920)
MOST_PAGES: Final = 300
#: what has been made: the sizes of all pages at first, the text of a page when its pictures are there
SIZES: Final = "sizes.json"
#: how the program ended; anything else means that it was killed
DONE, BUSY, TOO_LONG, LOCKED, DAMAGED, FULL = 0, 3, 4, 5, 6, 7
