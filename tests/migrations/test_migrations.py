"""Up and down: the tables are what the records rooms say, and evidence is never thrown away."""

import ast
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from server.core.database import MIGRATIONS, Database, Disposition, metadata, sqlite_url
from tests.migrations.base import VERSIONS, Shape, append_only, declared, insert, move, rows, run, shape
from tests.stores import STORES

#: tables whose rows alone make a downgrade impossible
EVIDENCE = ("institution", "person", "platform", *append_only())


@pytest.fixture(params=STORES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store at the newest version."""
    found: str
    if request.param == "sqlite":
        found = sqlite_url(tmp_path / "keshi.db")
    else:
        found = request.getfixturevalue("postgres")
    move(found, "upgrade", "head")
    return found


def test_the_tables_are_what_the_rooms_declare(url: str) -> None:
    assert shape(url).tables == declared().keys()

    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    async def work(database: Database) -> list[Any]:
        async with database.read() as connection:
            return await connection.run_sync(differences)

    assert run(work, url) == []


def test_every_column_says_what_becomes_of_it() -> None:
    silent = [
        str(column)
        for table in declared().values()
        for column in table.columns
        if not isinstance(column.info.get("disposition"), Disposition)
    ]
    assert silent == []


def test_every_step_down_and_up_again_when_empty(url: str) -> None:
    shapes = {VERSIONS[-1].stem: shape(url)}
    assert shapes[VERSIONS[-1].stem].guarded == set(append_only())
    for version in reversed(VERSIONS[:-1]):
        move(url, "downgrade", version.stem)
        shapes[version.stem] = found = shape(url)
        assert found.guarded == found.tables & set(append_only())
        assert {table for table, _ in found.triggers} == found.guarded
    move(url, "downgrade", "base")
    assert shape(url) == Shape(set(), set(), set())
    for version in VERSIONS:
        move(url, "upgrade", version.stem)
        assert shape(url) == shapes[version.stem]


@pytest.mark.parametrize("table", EVIDENCE)
def test_no_way_down_over_evidence(url: str, table: str) -> None:
    insert(url, declared()[table])
    before = shape(url)
    with pytest.raises(RuntimeError, match="this downgrade is refused"):
        move(url, "downgrade", "base")
    assert shape(url) == before
    assert rows(url, f"SELECT count(*) FROM {table}")[0][0] >= 1


def test_one_chain_named_as_its_files() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    chain = [script.revision for script in scripts.walk_revisions()]
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
