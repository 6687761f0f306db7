"""Every figure that the Grafana dashboard asks for is one that a running house gives."""

import json
import re
from pathlib import Path
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.house.repo import ROOT
from tests.school import school

DASHBOARD = ROOT / "deploy" / "grafana" / "keshi.json"
#: what PromQL itself calls by a word
QUERY_NAME = re.compile(r"\bkeshi_\w+")


def _queries() -> list[str]:
    panels: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def _unknown(queries: list[str], known: set[str]) -> list[str]:
    return [name for query in queries for name in QUERY_NAME.findall(query) if name not in known]


async def test_every_query_names_a_figure_that_exists(tmp_path: Path) -> None:
    async with school(tmp_path) as served, served.page("jia") as page, aiohttp.ClientSession(served.url) as session:
        await page.join()
        await page.call("beat", epoch=0, seq=1, nonce="x", mono=1, spans=[])
        async with session.get("/metrics") as answer:
            text = await answer.text()
    families = list(text_string_to_metric_families(text))
    known = {sample.name for family in families for sample in family.samples}
    known |= {f"{family.name}_total" for family in families if family.type == "counter"}  # nothing refused yet
    queries = _queries()
    assert len(queries) > 15
    assert _unknown(queries, known) == []
    assert all(QUERY_NAME.search(query) for query in queries)
    assert _unknown(["rate(keshi_nothing_total[1m])"], known) == ["keshi_nothing_total"]


def test_panels_have_titles_in_both_languages_and_do_not_overlap() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert all(" · " in panel["title"] for panel in panels)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)
