"""Up and down: the tables are what the records rooms say, and evidence is never thrown away."""

import ast
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from server.core.database import Disposition, alembic_config, metadata
from tests.migrations.base import VERSIONS, append_only, declared, move, sample

#: tables whose rows alone make a downgrade impossible
EVIDENCE = ("institution", "person", "platform", *append_only())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "keshi.db"
    move(made, "upgrade", "head")
    return made


def tables(file: Path, kind: str = "table") -> set[str]:
    with sqlite3.connect(file) as raw:
        found = {row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = ?", (kind,))}
    raw.close()
    return {name for name in found if not name.startswith("sqlite_")} - {"alembic_version"}


def insert(file: Path, table: str) -> None:
    row = sample(declared()[table])
    with sqlite3.connect(file) as raw:  # foreign keys are off by default: this row alone matters
        raw.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", list(row.values()))
    raw.close()


def test_the_tables_are_what_the_rooms_declare(file: Path) -> None:
    assert tables(file) == declared().keys()
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_every_column_says_what_becomes_of_it() -> None:
    silent = [
        str(column)
        for table in declared().values()
        for column in table.columns
        if not isinstance(column.info.get("disposition"), Disposition)
    ]
    assert silent == []


def test_empty_the_whole_way_down_and_up_again(file: Path) -> None:
    before = tables(file), tables(file, "trigger"), tables(file, "index")
    move(file, "downgrade", "base")
    assert tables(file) == tables(file, "trigger") == tables(file, "index") == set()
    move(file, "upgrade", "head")
    assert (tables(file), tables(file, "trigger"), tables(file, "index")) == before


@pytest.mark.parametrize("table", EVIDENCE)
def test_no_way_down_over_evidence(file: Path, table: str) -> None:
    insert(file, table)
    before = tables(file), tables(file, "trigger")
    with pytest.raises(RuntimeError, match="this downgrade is refused"):
        move(file, "downgrade", "base")
    assert (tables(file), tables(file, "trigger")) == before
    with sqlite3.connect(file) as raw:
        assert raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0] >= 1
    raw.close()


def test_one_chain_named_as_its_files(file: Path) -> None:
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        scripts = ScriptDirectory.from_config(alembic_config(connection))
        chain = [script.revision for script in scripts.walk_revisions()]
    engine.dispose()
    assert chain[::-1] == [version.stem for version in VERSIONS]
    assert len(scripts.get_heads()) == 1


def foreign(source: str) -> set[str]:
    """What a migration imports besides alembic, SQLAlchemy, the standard library's json and the one helper module."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or ".")
    return names - {"alembic", "sqlalchemy", "json", "migrations.append_only"}


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.stem)
def test_a_migration_stands_alone(version: Path) -> None:
    assert foreign(version.read_text(encoding="utf-8")) == set()


def test_the_rule_of_standing_alone_bites() -> None:
    assert foreign("from server.core import clock\nimport server.training.records") == {
        "server.core",
        "server.training.records",
    }
