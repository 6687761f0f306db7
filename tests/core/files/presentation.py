"""A presentation made by hand, as PowerPoint would name its parts: a text on each page, and pictures from elsewhere."""

import io
import zipfile
from collections.abc import Sequence
from typing import Final

_OF: Final = "http://schemas.openxmlformats.org"
_SPACES: Final = (
    f'xmlns:a="{_OF}/drawingml/2006/main" xmlns:p="{_OF}/presentationml/2006/main"'
    f' xmlns:r="{_OF}/officeDocument/2006/relationships"'
)
_TYPE: Final = "application/vnd.openxmlformats-officedocument.presentationml"
_PLACE: Final = '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'


def presentation(pages: Sequence[str], *linked: str, face: str = "微软雅黑") -> bytes:
    """A page for each text, in a font that no Linux has; each page shows the pictures at the `linked` addresses."""
    names = [f"slides/slide{number}.xml" for number in range(1, len(pages) + 1)]
    types = [("/ppt/presentation.xml", "presentation.main"), *((f"/ppt/{name}", "slide") for name in names)]
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_OF}/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        + "".join(f'<Override PartName="{name}" ContentType="{_TYPE}.{kind}+xml"/>' for name, kind in types)
        + "</Types>",
        "_rels/.rels": _relations([("officeDocument", "ppt/presentation.xml", "")]),
        "ppt/presentation.xml": f"<p:presentation {_SPACES}><p:sldIdLst>"
        + "".join(f'<p:sldId id="{256 + at}" r:id="r{at}"/>' for at in range(len(pages)))
        + '</p:sldIdLst><p:sldSz cx="12192000" cy="6858000"/><p:notesSz cx="6858000" cy="9144000"/></p:presentation>',
        "ppt/_rels/presentation.xml.rels": _relations([("slide", name, "") for name in names]),
    }
    outside = [("image", address, ' TargetMode="External"') for address in linked]
    for name, said in zip(names, pages, strict=True):
        parts[f"ppt/{name}"] = _page(said, face, len(linked))
        parts[f"ppt/slides/_rels/{name.removeprefix('slides/')}.rels"] = _relations(outside)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{content}')
    return whole.getvalue()


def _relations(those: Sequence[tuple[str, str, str]]) -> str:
    lines = (
        f'<Relationship Id="r{at}" Type="{_OF}/officeDocument/2006/relationships/{kind}" Target="{target}"{more}/>'
        for at, (kind, target, more) in enumerate(those)
    )
    return f'<Relationships xmlns="{_OF}/package/2006/relationships">{"".join(lines)}</Relationships>'


def _page(said: str, face: str, pictures: int) -> str:
    text = (
        '<p:sp><p:nvSpPr><p:cNvPr id="2" name="t"/><p:cNvSpPr txBox="1"/><p:nvPr/></p:nvSpPr>'
        f'<p:spPr><a:xfrm><a:off x="914400" y="914400"/><a:ext cx="9144000" cy="1828800"/></a:xfrm>{_PLACE}</p:spPr>'
        '<p:txBody><a:bodyPr/><a:p><a:r><a:rPr lang="zh-CN" sz="4400">'
        f'<a:latin typeface="{face}"/><a:ea typeface="{face}"/></a:rPr><a:t>{said}</a:t></a:r></a:p></p:txBody></p:sp>'
    )
    shown = "".join(
        f'<p:pic><p:nvPicPr><p:cNvPr id="{3 + at}" name="p"/><p:cNvPicPr/><p:nvPr/></p:nvPicPr>'
        f'<p:blipFill><a:blip r:link="r{at}"/><a:stretch><a:fillRect/></a:stretch></p:blipFill>'
        f'<p:spPr><a:xfrm><a:off x="914400" y="4000000"/><a:ext cx="1828800" cy="1828800"/></a:xfrm>{_PLACE}</p:spPr>'
        "</p:pic>"
        for at in range(pictures)
    )
    group = '<p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>'
    return f"<p:sld {_SPACES}><p:cSld><p:spTree>{group}{text}{shown}</p:spTree></p:cSld></p:sld>"
