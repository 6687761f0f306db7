"""A lesson from its first beat to a package that anybody can check; and what is left out of it."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from server.attendance.sealer import Sealer
from server.attendance.views import Evidence
from server.core.errors import DomainError
from server.exchange.evidence import FILE, make_bundle, pack
from server.ledger.proofs import Proofs
from server.verify.bundle import Claim, read, write
from server.verify.pages import first_link, head_text, join_text, next_link
from server.verify.program import CHANGED, HOLDS, verify
from server.verify.signatures import SIGNED_BYTES
from tests.attendance.page_key import PageKey
from tests.school import ID_NUMBERS, PEOPLE, School, school


async def taught(served: School) -> None:
    """A lesson of one minute."""
    await served.house.log.round()
    async with served.page("teacher") as desk, served.page("jia") as page:
        await desk.join()
        await desk.call("lesson:start")
        lease = (await page.join(mono=0))["lease"]
        for seq in range(1, 7):
            served.clock.advance(10_000)
            beat = {"epoch": lease["epoch"], "seq": seq, "nonce": lease["nonce"], "mono": seq * 10_000}
            lease |= await page.call("beat", **beat, spans=[[(seq - 1) * 10_000, seq * 10_000]])
        await desk.call("lesson:end")


async def test_a_lesson_is_checked_while_it_is_taught(tmp_path: Path) -> None:
    async with school(tmp_path / "data") as served:
        house, path, trust = served.house, tmp_path / FILE, tmp_path / "trust"
        trust.write_text(f"{house.log.key}\n")
        await house.log.round()
        async with served.page("teacher") as desk, served.page("jia") as page:
            await desk.join()
            await desk.call("lesson:start")
            lease = (await page.join(mono=0))["lease"]
            with pytest.raises(DomainError, match="lesson_not_sealed"):
                await house.exchange.proof(served.lesson_id)
            for seq in range(1, 31):
                served.clock.advance(10_000)
                beat = {"epoch": lease["epoch"], "seq": seq, "nonce": lease["nonce"], "mono": seq * 10_000}
                lease |= await page.call("beat", **beat, spans=[[(seq - 1) * 10_000, seq * 10_000]])
            await Sealer(house.register).round()
            await house.log.round()
            served.clock.advance(60_000)
            await Sealer(house.register).round()  # a minute that the journal has and the log has not
            with pytest.raises(DomainError, match="lesson_not_sealed"):
                await house.exchange.package(served.class_id)
            made = await house.exchange.proof(served.lesson_id)
        path.write_bytes(made.content)
        code, lines = verify(path, trust)
        assert code == HOLDS, lines
        (claim,) = read(path.read_bytes()).claims
        assert (claim.credit_ms, 0 < claim.credit_ms < 300_000) == (claim.credit_ms // 60_000 * 60_000, True)
        path.write_bytes(made.content.replace(b'"credit_ms":%d' % claim.credit_ms, b'"credit_ms":1'))
        assert verify(path, trust)[0] == CHANGED


async def sealed(served: School) -> None:
    served.clock.advance(200_000)
    await Sealer(served.house.register).round()
    served.clock.advance(200_000)  # that its leases ended is said in the minute in which they did
    await served.house.log.round()


async def test_a_taught_lesson_can_be_checked_by_anybody(tmp_path: Path) -> None:
    async with school(tmp_path / "data") as served:
        await taught(served)
        with pytest.raises(DomainError, match="lesson_not_sealed"):
            await served.house.exchange.package(served.class_id)
        await sealed(served)
        made = await served.house.exchange.package(served.class_id)
        (tmp_path / "trust").write_text(f"{served.house.log.key}\n")
    path = tmp_path / made.filename
    path.write_bytes(made.content)
    with zipfile.ZipFile(path) as package:
        names, evidence = package.namelist(), package.read(FILE)
    assert [name.rpartition(".")[2] for name in names] == ["xlsx", "csv", "json", "json", "html"]
    for private in (*ID_NUMBERS.values(), *(f"名{who}" for who in PEOPLE)):
        assert private.encode() not in evidence, "evidence names nobody"
    code, lines = verify(path, tmp_path / "trust")
    assert code == HOLDS, lines
    assert b'"credit_ms":60000' in evidence
    with zipfile.ZipFile(tmp_path / "forged.zip", "w") as package:
        package.writestr(FILE, evidence.replace(b'"credit_ms":60000', b'"credit_ms":60001'))
    code, lines = verify(tmp_path / "forged.zip", tmp_path / "trust")
    assert code == CHANGED
    assert any("总时长与各分钟之和不符" in line for line in lines)


async def test_a_package_shows_what_pages_signed_and_a_changed_signature_is_named(tmp_path: Path) -> None:
    key = PageKey()
    async with school(tmp_path / "data") as served:
        await served.house.log.round()
        lesson_id, page_id = served.lesson_id, "page-one"
        async with served.page("teacher") as desk, served.page("jia") as page:
            await desk.join()
            await desk.call("lesson:start")
            proof = key.sign(join_text(lesson_id, page_id, ""))
            lease = (await page.join(mono=0, page=page_id, key=key.public, proof=proof))["lease"]
            link = first_link(lesson_id, lease["epoch"], lease["seq"], lease["nonce"])
            for seq in range(1, 13):
                served.clock.advance(10_000)
                mono, span, nonce = seq * 10_000, ((seq - 1) * 10_000, seq * 10_000), lease["nonce"]
                beat = {"epoch": lease["epoch"], "seq": seq, "nonce": nonce, "mono": mono, "spans": [list(span)]}
                text = head_text(lesson_id, lease["epoch"], seq - 1, link)
                beat["signature"] = key.sign(text) if seq % 6 == 0 else ""
                lease |= await page.call("beat", **beat)
                link = next_link(link, seq, nonce, mono, (span,))
            await desk.call("lesson:end")
        served.clock.advance(60_000)
        (pages,) = [job for one in served.house.capabilities for job in one.jobs if job.name == "attendance.pages"]
        await pages.work()
        await sealed(served)
        made = await served.house.exchange.package(served.class_id)
        (tmp_path / "trust").write_text(f"{served.house.log.key}\n")
    path = tmp_path / made.filename
    path.write_bytes(made.content)
    code, lines = verify(path, tmp_path / "trust")
    assert code == HOLDS, lines
    assert any("2 / 2 分钟" in line for line in lines), lines
    with zipfile.ZipFile(path) as package:
        found = read(package.read(FILE))
    at = next(at for at, text in enumerate(found.shown) if len(text) == SIGNED_BYTES)
    forged = (*found.shown[:at], found.shown[at][:-1] + bytes([found.shown[at][-1] ^ 1]), *found.shown[at + 1 :])
    path = tmp_path / FILE
    path.write_bytes(write(replace(found, shown=forged)))
    code, lines = verify(path, tmp_path / "trust")
    assert (code, sum("[page_signature_wrong]" in line for line in lines)) == (CHANGED, 1)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_another_name_on_a_seat_is_named(tmp_path: Path, form: str) -> None:
    """Somebody else's name in the 学时台账, as the office program writes it; also when the salts are taken along."""
    async with school(tmp_path / "data") as served:
        await taught(served)
        await sealed(served)
        made = await served.house.exchange.package(served.class_id)
        async with served.house.store.database.write() as connection:
            rows = await connection.exec_driver_sql("SELECT name, seat FROM person JOIN enrolment ON id = person_id")
            name, seat = tuple(rows.all()[0])
            await connection.exec_driver_sql(f"UPDATE person SET name = '冒名' WHERE name = '{name}'")
        later = await served.house.exchange.package(served.class_id)
        (tmp_path / "trust").write_text(f"{served.house.log.key}\n")
    for number, content in enumerate((made.content, later.content)):
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            kept = {one: package.read(one) for one in package.namelist() if one.endswith((form, "json"))}
        path = tmp_path / f"{number}.zip"
        path.write_bytes(pack(kept.items()))
        code, lines = verify(path, tmp_path / "trust")
        wrong = [line for line in lines if "姓名或证件号与日志不符" in line]
        assert (code, len(wrong)) == ((HOLDS, 0), (CHANGED, 1))[number], lines
    assert f"#{seat} " in wrong[0]


async def test_class_hours_are_held_against_the_scheme_of_the_class(tmp_path: Path) -> None:
    """Both forms say what the scheme makes of the evidence, cut at the day's cap; one hour more is named."""
    scheme = {"class_hour_ms": 1_000, "rounding": "down", "daily_cap_ms": 50_500}
    async with school(tmp_path / "data", scheme=scheme) as served:
        await taught(served)
        await sealed(served)
        made = await served.house.exchange.package(served.class_id)
        (tmp_path / "trust").write_text(f"{served.house.log.key}\n")
    with zipfile.ZipFile(io.BytesIO(made.content)) as package:
        files = {name: package.read(name) for name in package.namelist()}
    path, (sheet,) = tmp_path / "made.zip", [name for name in files if name.endswith("csv")]
    path.write_bytes(made.content)
    code, lines = verify(path, tmp_path / "trust")
    assert code == HOLDS, lines
    assert any("daily_cap_ms 50500" in line for line in lines)
    assert any("日累计超限" in line for line in lines)
    text = files[sheet].decode("utf-8-sig")
    assert text.count(",50,已认定,ours v1") == 1
    path.write_bytes(pack((files | {sheet: text.replace(",50,已认定,ours v1", ",51,已认定,ours v1").encode()}).items()))
    code, lines = verify(path, tmp_path / "trust")
    assert (code, sum("[sheet_differs]" in line for line in lines)) == (CHANGED, 1), lines


def test_what_was_sealed_before_there_was_a_log_is_left_out() -> None:
    known = Evidence({}, {("aa", "11", 9): 60_000, ("aa", "11", 10): 50_000, ("aa", "22", 9): 1})
    assert make_bundle(Proofs(10, "", (), ()), [], [], known).claims == (Claim("aa", "11", 50_000),)


def test_a_package_is_the_same_whenever_it_is_packed() -> None:
    files = [("台账.csv", b"a"), (FILE, b"{}")]
    assert pack(files) == pack(files)
    with zipfile.ZipFile(io.BytesIO(pack(files))) as package:
        assert {name: package.read(name) for name in package.namelist()} == dict(files)
