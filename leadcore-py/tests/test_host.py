"""A clock and a check of tax numbers that the program brings: what they say counts, what they raise is raised."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import leadcore
import pytest
from leadcore import Database, F

NOON = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)


class OddError(Exception):
    """Of the program's own."""


def nine_digits(number: str, country: str | None) -> str | None:
    if number == "boom":
        raise OddError(number)
    if country == "NO" and sum(letter.isdigit() for letter in number) != 9:
        return "an organisation number has nine digits"
    return None


@pytest.fixture(params=["memory", "file"])
def ruled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    place = ":memory:" if request.param == "memory" else str(tmp_path / "leads.db")
    with leadcore.open(place, tenant="acme", user="ada", tax_rule=nine_digits) as db:
        yield db


def test_the_rule_refuses_with_its_own_words(ruled: Database) -> None:
    lead = ruled.leads.create(company="Nordlys AS", country="NO", tax_id="923 609 016")
    with pytest.raises(leadcore.InvalidError) as refused:
        ruled.as_user("bob").leads.edit(lead, tax_id="12")
    [broken] = refused.value.violations
    assert (broken.field, broken.message) == ("tax_id", "an organisation number has nine digits")
    assert ruled.leads.create(company="Fjord AS", tax_id="12").tax_id == "12"  # the country is not known


def test_the_rule_holds_for_changes_to_many_and_for_imports(ruled: Database) -> None:
    leads = ruled.leads.create_many(
        {"company": name, "country": country} for name, country in (("A", "NO"), ("B", "SE"))
    )
    totals = ruled.leads.edit_many(leads, tax_id="12").totals
    assert (totals.done, totals.invalid) == (1, 1)
    file = b"Company,Country,TIN,E-mail\nC,NO,12,c@x.example\nD,NO,923609016,d@x.example\n"
    report = ruled.import_leads(file, mapping={"Company": "company", "Country": "country", "TIN": "tax_id"})
    assert (report.created, report.rejected, report.rejections[0].field) == (1, 1, "tax_id")


def test_what_the_rule_raises_is_raised_and_nothing_is_kept(ruled: Database) -> None:
    leads = ruled.leads.create_many({"company": name} for name in "ABC")
    with pytest.raises(OddError, match="boom"):
        ruled.leads.create(company="D", tax_id="boom")
    with pytest.raises(OddError):
        ruled.leads.create_many([{"company": "D"}, {"company": "E", "tax_id": "boom"}])
    with pytest.raises(OddError):
        ruled.leads.edit_many(leads, tax_id="boom", city="Oslo")
    assert ruled.leads.count() == 3
    assert ruled.leads.count(where=F.city == "Oslo") == 0
    with ruled.transaction():
        ruled.leads.create(company="D")
        with pytest.raises(OddError):
            ruled.leads.edit(leads[0], tax_id="boom")
        ruled.leads.edit(leads[0], city="Bergen")  # the transaction goes on
    assert ruled.leads.count() == 4
    assert ruled.leads.get(leads[0]).city == "Bergen"


def test_what_the_rule_raises_stops_an_import_before_its_chunk(ruled: Database) -> None:
    rows = [f"Company {n},c{n}@x.example,{n}" for n in range(10)]
    rows[7] = "Company 7,c7@x.example,boom"
    file = ("Company,E-mail,TIN\n" + "\n".join(rows) + "\n").encode()
    mapping = {"Company": "company", "E-mail": "email", "TIN": "tax_id"}
    with pytest.raises(OddError):
        ruled.import_leads(file, mapping=mapping, chunk=5)
    assert ruled.leads.count() == 5
    with pytest.raises(OddError):
        ruled.import_leads(file, mapping=mapping, chunk=5, dry_run=True)


def test_what_is_no_answer_is_refused() -> None:
    with leadcore.open(":memory:", tax_rule=lambda _number, _country: True) as db:  # type: ignore[arg-type, return-value]
        with pytest.raises(TypeError, match="`tax_rule`: expected None"):
            db.leads.create(company="A", tax_id="12")
        assert db.leads.count() == 0


def test_a_rule_that_uses_the_database_is_refused_rather_than_waiting_for_itself(tmp_path: Path) -> None:
    for place in (":memory:", str(tmp_path / "leads.db")):
        seen: list[Database] = []

        def rule(_number: str, _country: str | None, seen: list[Database] = seen) -> str | None:
            seen[0].leads.count()
            return None

        with leadcore.open(place, tax_rule=rule) as db:
            seen.append(db)
            with pytest.raises(leadcore.UnsupportedError, match="cannot use a database"):
                db.leads.create(company="A", tax_id="12")
            with pytest.raises(leadcore.UnsupportedError, match="cannot use a database"), db.transaction():
                db.leads.create(company="A", tax_id="12")
            assert db.leads.count() == 0


def test_the_clock_is_asked_once_for_each_call() -> None:
    times = [NOON + datetime.timedelta(days=day) for day in range(20)]
    asked: list[datetime.datetime] = []

    def clock() -> datetime.datetime:
        asked.append(times[len(asked)])
        return asked[-1]

    with leadcore.open(":memory:", tenant="acme", user="ada", clock=clock) as db:
        first, second = db.leads.create_many([{"company": "A"}, {"company": "B"}])
        assert first.created_at == second.created_at == NOON
        assert db.as_user("bob").leads.create(company="C").created_at == NOON + datetime.timedelta(days=1)
        assert db.leads.count(where=F.created_at.during("yesterday")) == 1
        assert len(asked) == 3


def test_the_clock_says_what_today_is_where_the_user_lives() -> None:
    late = datetime.datetime(2026, 7, 1, 22, 30, tzinfo=datetime.UTC)  # past midnight in Oslo, in summer
    oslo = zoneinfo.ZoneInfo("Europe/Oslo")
    with leadcore.open(":memory:", user="ada", clock=lambda: late, utc_offset=oslo) as db:
        db.leads.create(company="A", expected_close="2026-07-02")
        assert db.leads.count(where="expected_close today") == 1


def test_what_the_clock_raises_is_raised() -> None:
    broken = [False]

    def clock() -> datetime.datetime:
        if broken[0]:
            raise OddError("stopped")
        return NOON

    with leadcore.open(":memory:", clock=clock) as db:
        db.leads.create(company="A")
        broken[0] = True
        for call in (
            lambda: db.leads.create(company="B"),
            lambda: db.leads.count(),
            lambda: db.import_leads(b"Company\nB\n"),
        ):
            with pytest.raises(OddError, match="stopped"):
                call()
        broken[0] = False
        assert db.leads.count() == 1


@pytest.mark.parametrize("said", [None, 5, "2026-11-22T12:00:00Z", NOON.date()])
def test_a_clock_gives_a_time(said: object) -> None:
    with (
        leadcore.open(":memory:", clock=lambda: said) as db,  # type: ignore[arg-type, return-value]
        pytest.raises(TypeError, match="`clock`: expected something that gives a datetime with a time zone"),
    ):
        db.leads.count()


def test_a_clock_gives_an_aware_time() -> None:
    with (
        leadcore.open(":memory:", clock=lambda: NOON.replace(tzinfo=None)) as db,
        pytest.raises(leadcore.InvalidError, match="`clock`: a time needs a time zone"),
    ):
        db.leads.count()
