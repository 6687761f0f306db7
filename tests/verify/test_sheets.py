"""The 学时台账 in a package must say what its evidence proves, whichever program wrote it."""

import io
import zipfile
from dataclasses import replace

import pytest

from server.exchange.ledger import Ledger, Value
from server.exchange.ledger_file import write_csv, write_xlsx
from server.exchange.words import CHINESE
from server.verify.hours import Rules
from server.verify.sheets import Row, csv_rows, differing, shared_texts, sheet_rows

WHO: list[Value] = [17, "YS-1", "养老护理员", "五级", "王\n二, “小”", "3301****"]
PLAN: list[Value] = ["标题", "直播", "9:00", "10:00", "9:01", "9:59"]
LOST: list[Value] = [0 for _ in CHINESE.reasons]
END: list[Value] = ["", "", "", "已认定", "s v1"]
HOURS: list[Value] = [1, 14, 2, "已认定", "s v1"]


def ledger() -> Ledger:
    """A trainee who was there, one whose lesson has not begun, and a row of totals."""
    rows = [
        [*WHO, 3, *PLAN, 3600, 3599, -61, 3538, *LOST, *END],
        [18, *WHO[1:], 3, *PLAN, "", "", "", "", *LOST, *END],
        [*WHO, CHINESE.total, *PLAN, 3600, 3599, -61, 3538, *LOST, *HOURS],
    ]
    return Ledger("YS-1", False, CHINESE, ["标题", "第一行"], rows)


def test_both_forms_say_the_same() -> None:
    found = csv_rows(write_csv(ledger()).decode("utf-8-sig"))
    with zipfile.ZipFile(io.BytesIO(write_xlsx(ledger()))) as book:
        texts = shared_texts(book.read("xl/sharedStrings.xml").decode())
        in_book = sheet_rows(book.read("xl/worksheets/sheet1.xml"), texts)
    sums = [Row(17, 3, 3599, -61, 3538), Row(18, 3, None), Row(17, None, 3599, -61, 3538, hours=(1, 14, 2))]
    assert found == in_book == [replace(one, name=str(WHO[4]), id_number=str(WHO[5])) for one in sums]


def test_hours_are_counted_from_the_last_cell_that_holds_anything() -> None:
    """Also where another program wrote the book, or left empty cells behind."""
    line = [*map(str, WHO), "合计", *map(str, PLAN), *"1234", *map(str, HOURS)]
    text = ",".join(one.replace("\n", " ") for one in line)
    for more in ("", ",,"):
        assert csv_rows(text + more)[0].hours == (1, 14, 2)
    assert csv_rows(text.replace(",1,14,2,", ",1,,x,"))[0].hours == (1, None, None)
    cells = {
        "A": "<v>17</v>",
        "X": "<v>1.0</v>",
        "Z": "<f>1+1</f><v>2</v>",
        "AA": "<is><t>已</t></is>",
        "AB": "<v>0</v>",
    }
    kinds = {"AA": ' t="inlineStr"', "AB": ' t="s"'}
    shown = "".join(f'<c r="{at}9" s="1"{kinds.get(at, "")}>{inside}</c>' for at, inside in cells.items())
    (found,) = sheet_rows(f'<sheetData><row r="9" spans="1:3">{shown}<c r="AC9" s="1"/></row></sheetData>'.encode(), [])
    assert found.hours == (1, None, 2)


@pytest.mark.parametrize(
    ("row", "hours"),
    [
        ('<row r="9"><c r="A9"><v>17</v></c></row>', (None, None, None)),
        ('<row r="9">{}</row>', (17, 1, 2)),
        ('<row r="9">{}<c r="F9"><v>4</v></c></row>', (1, 2, 3)),
        ('<row r="9">{}<c r="H9"><v>4</v></c></row>', (3, 4, None)),
        ('<row r="9">{}<c r="F9" t="s"><v>4</v></c><c r="H9"><v>5</v></c></row>', (3, 4, None)),
        ('<row r="9">{}<c r="F9"><v>x</v></c><c r="H9"><v>5</v></c></row>', (3, 4, None)),
        ('<row spans="1:3">{}</row>', ()),
    ],
)
def test_hours_are_numbers_in_three_cells_before_the_last(row: str, hours: tuple[int | None, ...]) -> None:
    """The number of a text that is kept elsewhere is none of them."""
    first = '<c r="A9"><v>17</v></c>' + "".join(f'<c r="{at}9"><v>{n}</v></c>' for n, at in enumerate("BCDE", 1))
    (found,) = sheet_rows(row.format(first).encode(), [])
    assert found.hours == hours


def test_a_name_that_could_be_a_formula_reads_as_it_is() -> None:
    line = [*WHO[:4], "=1+1", "-3301", 3, *PLAN, 3600, 3599, -61, 3538, *LOST, *END]
    whole = Ledger("YS-1", False, CHINESE, ["标题"], [line])
    assert [(one.name, one.id_number) for one in csv_rows(write_csv(whole).decode("utf-8-sig"))] == [("=1+1", "-3301")]


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ('<c r="E5" s="1" t="s"><v>1</v></c>', "王 & <二>"),
        ('<c r="E5" t="s"><v>2</v></c>', "汉字"),
        ('<c r="E5" t="s"><v>0</v></c>', ""),
        ('<c r="E5" t="inlineStr"><is><t>王二</t></is></c>', "王二"),
        ('<c r="E5" t="s"><v>3</v></c>', ""),
        ('<c r="E5" t="s"><v>99</v></c>', ""),
        ("", ""),
    ],
)
def test_the_texts_of_a_book_that_another_program_wrote(cell: str, name: str) -> None:
    shared = shared_texts(
        '<sst><si/><si><t xml:space="preserve">王 &amp; &lt;二&gt;</t></si>'
        "<si><r><rPr><b/></rPr><t>汉</t></r><r><t>字</t></r><rPh sb='0' eb='1'><t>hàn</t></rPh></si></sst>"
    )
    xml = f'<row r="5"><c r="A5"><v>17</v></c>{cell}<c r="G5"><v>3</v></c></row>'
    assert sheet_rows(xml.encode(), shared) == [Row(17, 3, None, name=name)]


@pytest.mark.parametrize(
    ("total", "found"),
    [((90, -1, 89), False), ((91, -1, 89), True), ((90, 0, 89), True), ((90, -1, 90), True)],
)
def test_the_sum_over_all_lessons(total: tuple[int, int, int], found: bool) -> None:
    """Once from its own sum: 60.6 and 30.3 s are 90, of which a second was taken."""
    rows = [Row(17, 3, 60, -1, 59), Row(17, 4, 30, 0, 30), Row(17, None, *total)]
    credit = {(3, 17): 60_600, (4, 17): 30_300}
    differ = differing(rows, credit, {(3, 17): -1_000}, {}, [3, 4])
    assert differ == ([rows[2]] if found else [])
    assert differing(rows[::-1], credit, {(3, 17): -1_000}, {}, [3, 4]) == differ, "whatever the order of the rows"
    assert differing(rows, credit, {(3, 17): -1_000}, {}, [3]) == [rows[1]], "the lesson without evidence is named"


def test_a_row_that_stands_twice_and_a_sum_over_both() -> None:
    """Each row is right by itself, and whoever sums them pays twice."""
    rows = [said(17, 3, 60), said(17, 3, 60), Row(17, None, 120, 0, 120)]
    assert differing(rows, {(3, 17): 60_000}, {}, {}, [3]) == [rows[1], rows[2]]
    once = [rows[0], Row(17, None, 60, 0, 60), Row(17, None, 60, 0, 60)]
    assert differing(once, {(3, 17): 60_000}, {}, {}, [3]) == [once[2]]


def test_a_sum_with_a_lesson_that_has_not_begun() -> None:
    rows = [said(17, 3, 60), said(17, 9, None), Row(17, None, 6000, 0, 6000)]
    assert differing(rows, {(3, 17): 60_000}, {}, {}, [3]) == [rows[2]]
    assert differing([rows[2]], {}, {}, {}, [3]) == [rows[2]], "a sum of nothing"


def said(seat: int, lesson: int, seconds: int | None, corrected: int | None = None) -> Row:
    """A row in which all counts that was recorded, and what was corrected."""
    nothing = seconds is None and corrected is None
    return Row(seat, lesson, seconds, corrected, None if nothing else (seconds or 0) + (corrected or 0))


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([said(17, 3, 60), said(18, 3, 0)], []),
        ([said(17, 3, 60), said(18, 3, None)], []),
        ([said(17, 3, 61), said(18, 3, 0)], [said(17, 3, 61)]),
        ([said(17, 3, 60), said(18, 3, 1)], [said(18, 3, 1)]),
        ([said(17, 3, 60), said(17, 3, 600)], [said(17, 3, 600)]),
        ([said(18, 3, 0)], [said(17, 3, None)]),
        ([], [said(17, 3, None)]),
        ([said(17, 3, None)], [said(17, 3, None)]),
        ([said(17, 3, 60), said(99, 3, 60)], [said(99, 3, 60)]),
        ([said(17, 3, 60), said(17, 4, 6000)], [said(17, 4, 6000)]),
        ([said(17, 3, 60), said(17, 4, 0), said(18, 9, None)], []),
        ([said(17, 3, 60, 0), said(18, 3, 0, 0)], []),
        ([said(17, 3, 60, 1)], [said(17, 3, 60, 1)]),
    ],
)
def test_what_differs(rows: list[Row], found: list[Row]) -> None:
    assert differing(rows, {(3, 17): 60_999, (3, 18): 999}, {}, {}, [3]) == found


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([said(17, 3, 60, -1), said(19, 3, 0, 60)], []),
        ([said(17, 3, 60, -2), said(19, 3, 0, 60)], [said(17, 3, 60, -2)]),
        ([said(17, 3, 60), said(19, 3, 0, 60)], [said(17, 3, 60)]),
        ([said(17, 3, 60, -1), said(19, 3, None, 59)], [said(19, 3, None, 59)]),
        ([said(17, 3, 60, -1)], [said(19, 3, None)]),
    ],
)
def test_what_differs_of_corrections(rows: list[Row], found: list[Row]) -> None:
    assert differing(rows, {(3, 17): 60_999}, {(3, 17): -1_999, (3, 19): 60_999, (3, 18): 999}, {}, [3]) == found


HOUR = Rules(1_000_000)


@pytest.mark.parametrize(
    ("row", "rules", "differs"),
    [
        (Row(17, None, 2_130, 0, 1_930, hours=(2, 2, 1)), HOUR, False),
        (Row(17, None, 2_130, 0, 1_930, hours=(2, 2, 2)), HOUR, True),
        (Row(17, None, 2_130, 0, 1_930, hours=(2, 1, 1)), HOUR, True),
        (Row(17, None, 2_130, 0, 1_930, hours=(1, 2, 1)), HOUR, True),
        (Row(17, None, 2_130, 0, 1_930, hours=(2, 2, None)), HOUR, True),
        (Row(17, None, 2_130, 0, 1_930), HOUR, True),
        (Row(17, None, 2_130, 0, 1_931, hours=(2, 2, 1)), HOUR, True),
        (Row(17, None, 2_130, 0, 1_930, hours=(9, 9, 9)), None, False),
    ],
)
def test_what_differs_of_class_hours(row: Row, rules: Rules | None, differs: bool) -> None:
    """Of all that was recorded and what is left over of it, and of what counts; a lesson alone has none."""
    rows = [Row(17, 3, 2_130, 0, 1_930), row]
    found = differing(rows, {(3, 17): 2_130_000}, {}, {(3, 17): 200_000}, [3], rules)
    assert found == ([row] if differs else [])


def test_of_less_than_nothing_there_are_no_class_hours() -> None:
    rows = [Row(17, 3, 3, 0, -2), Row(17, None, 3, 0, -2, hours=(3_000, 0, 0))]
    assert differing(rows, {(3, 17): 3_000}, {}, {(3, 17): 5_000}, [3], Rules(1)) == []


def test_a_whole_second_may_not_be_missing() -> None:
    assert differing([], {(3, 17): 1_000, (3, 18): 999}, {(4, 18): -1_000, (4, 17): -999}, {}, [3, 4]) == [
        Row(17, 3, None),
        Row(18, 4, None),
    ]


def test_a_second_has_a_thousand_milliseconds_also_of_many() -> None:
    proven = {(3, 17): 2_002_000}, {(3, 17): -1_001_000}, {(3, 17): 1_000}
    assert differing([Row(17, 3, 2_002, -1_001, 1_000)], *proven, [3]) == []


@pytest.mark.parametrize(
    ("confirmed", "differs"), [(50, False), (51, True), (49, True), (60, True), (None, True), (0, True)]
)
def test_what_differs_of_what_counts(confirmed: int | None, differs: bool) -> None:
    one = Row(17, 3, 60, 0, confirmed)
    assert (differing([one], {(3, 17): 60_999}, {}, {(3, 17): 10_000}, [3]) == [one]) is differs


@pytest.mark.parametrize("text", ["", "a,b\r\n1,2\r\n", '"', "17,,,,,,3" + "," * 7 + "x", "17,,,,,,3" + "," * 9])
def test_other_text_has_no_rows(text: str) -> None:
    assert csv_rows(text) in ([], [Row(17, 3, None)])


@pytest.mark.parametrize("begun", ["<si>", "<si><rPh>", "<si><t ", "<si><t>"])
def test_texts_that_begin_and_never_end_cost_no_more_than_others(begun: str) -> None:
    assert shared_texts(begun * 200_000) == []


@pytest.mark.parametrize(
    "begun", ['<c r="A1"', '<c r="A1" t=', '<c r="E1" t="s"', ' t="s"', '<c r="E1" t="inlineStr"><is>', '<c r="A1"><f>']
)
def test_cells_that_begin_and_never_end_cost_no_more_than_others(begun: str) -> None:
    assert sheet_rows(b'<c r="E1"' + begun.encode() * 200_000, []) == []


@pytest.mark.parametrize(("lesson", "said"), [("3", 3), ("合计", None)])
def test_a_line_that_says_a_time_of_nobody_is_named(lesson: str, said: int | None) -> None:
    """An office program shows it like every other."""
    line = ["十七", *map(str, WHO[1:]), lesson, *map(str, PLAN), "3600", "3599", "0", "3599"]
    (row,) = csv_rows(",".join(one.replace("\n", " ").replace(",", " ") for one in line))
    (cell,) = sheet_rows(b'<row r="9"><c r="G9"><v>3</v></c><c r="Q9"><v>3599</v></c></row>', [])
    assert (row.seat, row.lesson, cell.seat, cell.confirmed) == (-1, said, -1, 3599)
    assert differing([row], {}, {}, {}, [3]) == [row]
    assert differing([cell], {}, {}, {}, [3]) == [cell]


def test_a_line_without_seat_and_time_is_a_heading() -> None:
    line = ["学员", *map(str, WHO[1:]), "3", *map(str, PLAN), "秒", "秒", "秒", "秒"]
    assert csv_rows(",".join(one.replace("\n", " ").replace(",", " ") for one in line)) == []
    assert sheet_rows(b'<row r="9"><c r="G9"><v>3</v></c></row>', []) == []
