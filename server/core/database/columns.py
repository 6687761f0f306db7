"""Decides that every column says what becomes of it, and how constraints are named."""

from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Column, MetaData

#: all tables of all records rooms; an empty one knows nothing until the rooms are imported
metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)


class Disposition(StrEnum):
    """What becomes of a column when its person is forgotten or its keep-until has passed (R19, PIPL)."""

    ERASE = "erase"
    MASK = "mask"
    RETAIN = "retain"


ERASE: Final = Disposition.ERASE
MASK: Final = Disposition.MASK
RETAIN: Final = Disposition.RETAIN


def column(name: str, kind: Any, disposition: Disposition, *rest: Any, **options: Any) -> Column[Any]:
    """A column that says what becomes of it; NOT NULL unless told otherwise."""
    options.setdefault("nullable", False)
    return Column(name, kind, *rest, info={"disposition": disposition}, **options)
