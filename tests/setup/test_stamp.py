"""A step is done again when what goes in has changed, and only then."""

from pathlib import Path

import pytest

from tests.setup.loading import load


def test_a_stamp_is_fresh_until_the_input_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stamp = load("stamp", monkeypatch)
    lock, mark = tmp_path / "some.lock", tmp_path / ".stamp"
    lock.write_text("a==1")
    before = stamp.digest([lock], "3.11")
    assert not stamp.fresh(mark, before)
    stamp.leave(mark, before)
    assert stamp.fresh(mark, stamp.digest([lock], "3.11"))
    assert not stamp.fresh(mark, stamp.digest([lock], "3.12"))
    lock.write_text("a==2")
    assert not stamp.fresh(mark, stamp.digest([lock], "3.11"))


def test_a_tree_changes_with_names_and_contents_but_not_with_what_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp = load("stamp", monkeypatch)
    page = tmp_path / "src" / "page.vue"
    page.parent.mkdir()
    page.write_text("one")
    before = stamp.digest_tree(tmp_path, skip=("dist",))
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "page.js").write_text("built")
    assert stamp.digest_tree(tmp_path, skip=("dist",)) == before
    page.write_text("two")
    assert stamp.digest_tree(tmp_path, skip=("dist",)) != before
    page.write_text("one")
    page.rename(page.with_name("other.vue"))
    assert stamp.digest_tree(tmp_path, skip=("dist",)) != before
