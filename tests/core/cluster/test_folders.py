"""A folder's lock says whether its process lives."""

from pathlib import Path

from server.core.cluster.folders import bury, folders, lives, make_folder


def test_a_folder_is_locked_before_anybody_can_see_it(tmp_path: Path) -> None:
    mine = make_folder(tmp_path)
    assert folders(tmp_path) == {mine.node: mine.path}
    assert lives(mine.path)
    assert not bury(mine.path)
    assert mine.path.exists()
    mine.close()


def test_who_let_go_is_dead_and_can_be_buried(tmp_path: Path) -> None:
    mine, other = make_folder(tmp_path), make_folder(tmp_path)
    mine.close()
    assert not lives(mine.path)
    assert bury(mine.path)
    assert folders(tmp_path) == {other.node: other.path}
    other.close()


def test_what_is_no_folder_of_a_process_is_left_alone(tmp_path: Path) -> None:
    for name in ("x", ".0123456789abcdef", "0123456789ABCDEF"):
        (tmp_path / name).mkdir()
    assert folders(tmp_path) == {}
    assert not lives(tmp_path / "x")
    assert not bury(tmp_path / "x")
    assert (tmp_path / "x").exists()
