"""A QR that phones read and pages show."""

import xml.etree.ElementTree as ET

from server.exchange.slips import ENTER, Slip, qr_svg


def test_a_qr_is_a_picture_by_itself() -> None:
    root = ET.fromstring(qr_svg(f"https://ke.example.cn{ENTER}aB-_c"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert int(root.attrib["width"]) == int(root.attrib["height"]) > 100
    assert root.attrib["viewBox"] == f"0 0 {root.attrib['width']} {root.attrib['height']}"  # it can grow on paper
    colours = {path.attrib.get("fill") or path.attrib.get("stroke") for path in root.iter()}
    assert "#fff" in colours  # a QR on a dark page stays dark on light


def test_another_address_is_another_qr() -> None:
    assert qr_svg("https://ke.example.cn/a") != qr_svg("https://ke.example.cn/b")


def test_a_code_is_not_printed_by_accident() -> None:
    assert "ACDE" not in repr(Slip(1, "演示·甲", "12345678", "ACDEF-GHJKM"))
