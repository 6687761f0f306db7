"""A sealed answer opens with its key and context alone, and says nothing by its length."""

from hypothesis import given
from hypothesis import strategies as st

from server.live.acts.seal import BLOCK_BYTES, KeySeal

ONE, OTHER = KeySeal(b"1" * 32), KeySeal(b"2" * 32)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=400), st.text(max_size=20))
def test_what_was_sealed_opens_with_its_key_and_context(plain: str, context: str) -> None:
    context = context.encode("utf-8", "replace").decode()
    sealed = ONE.close(plain, context)
    assert ONE.open(sealed, context) == plain
    assert ONE.open(sealed, context + "x") is None
    assert OTHER.open(sealed, context) is None


def test_what_is_no_sealed_text_does_not_open() -> None:
    assert ONE.open("not base64!", "") is None
    assert ONE.open("", "") is None


def test_short_answers_are_all_of_one_length() -> None:
    assert len({len(ONE.close(plain, "c")) for plain in ("", "[0]", "[0, 1, 2]", "x" * (BLOCK_BYTES - 1))}) == 1


def test_the_same_answer_of_two_people_does_not_look_the_same() -> None:
    assert ONE.close("[0]", "3/a/0") != ONE.close("[0]", "3/b/0")
    assert ONE.close("[0]", "3/a/0") == ONE.close("[0]", "3/a/0")
