"""What the verifier says of a finding, in both languages."""

import re
from pathlib import Path

from server.verify import challenges, look, seats, settlements, signatures, steps, walk
from server.verify.report import Finding
from server.verify.words import WORDS, chinese, english


def test_as_people_say_it() -> None:
    found = Finding(29_666_054, 3, 17, "record_changed")
    assert chinese(found) == "第 3 课次 2026-05-28 18:14 学员 #17 被改动"
    assert english(found) == "lesson 3, 2026-05-28 18:14, trainee #17: was changed"
    assert chinese(Finding(-1, 3, 17, "total_wrong")) == "第 3 课次 学员 #17 总时长与各分钟之和不符"
    assert english(Finding(29_666_054, -1, -1, "leaf_changed")) == "2026-05-28 18:14: this minute was changed"


def test_every_code_has_its_words() -> None:
    rooms = (walk, look, challenges, seats, settlements, signatures, steps)
    sources = [Path(str(one.__file__)).read_text() for one in rooms]
    pattern = r'(?:find\(|Wrong\(|row.seat, |yield |\[\(|subject, |NO_ID, |raw_id\(one.id\), |append\(\()"(\w+)"'
    said = set(re.findall(pattern, "".join(sources)))
    assert said | set(challenges.CODES.values()) == WORDS.keys()
