"""What errors say: the field at fault, what was expected, and what may have been meant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import leadcore
import pytest
from conftest import became
from leadcore import Database, F, Filter


def refused(call: Callable[[], object]) -> leadcore.InvalidError:
    with pytest.raises(leadcore.InvalidError) as caught:
        call()
    return caught.value


def test_a_colour_that_is_none_is_told_at_the_colour(db: Database) -> None:
    assert [broken.field for broken in refused(lambda: db.labels.add("VIP", color="red")).violations] == ["color"]
    assert [broken.field for broken in refused(lambda: db.labels.add(" ", color="red")).violations] == ["name"]


def test_an_order_says_what_it_should_name(db: Database) -> None:
    fair, web = db.sources.add("Fair"), db.sources.add("Web")
    with pytest.raises(leadcore.ConflictError, match="names 1 of the 2 terms of the list, and 0 others") as caught:
        db.sources.reorder([web])
    assert caught.value.conflict == {"reason": "plan_outdated"}
    db.sources.delete(fair)
    with pytest.raises(leadcore.ConflictError, match="names 1 of the 1 terms of the list, and 1 others"):
        db.sources.reorder([fair, web])


def test_expected_says_how_many_there_are(db: Database) -> None:
    leads = db.leads.create_many({"company": name} for name in "ABC")
    with pytest.raises(leadcore.ConflictError, match="`expected`: the filter has 3 leads, not 4"):
        db.leads.delete_many("", expected=4)
    with pytest.raises(leadcore.ConflictError, match="`expected`: 3 leads are given, not 4"):
        db.leads.delete_many(leads, expected=4)
    assert db.leads.count() == 3


def test_a_name_that_is_taken_is_told_at_the_name(db: Database) -> None:
    db.lost_reasons.add("Price")
    other = db.lost_reasons.add("Other")
    db.pipelines.add("Sales", ["New", ("Won", "won")])
    db.views.save("Large", "amount > 5")
    for call, what in (
        (lambda: db.lost_reasons.add("PRICE"), "a lost reason"),
        (lambda: db.lost_reasons.rename(other, "price"), "a lost reason"),
        (lambda: db.pipelines.add("sales", ["New", ("Won", "won")]), "a pipeline"),
        (lambda: db.views.save("large"), "a view"),
    ):
        with pytest.raises(leadcore.AlreadyExistsError, match=f"^`name`: {what} of this name exists"):
            call()


@pytest.mark.parametrize("levels", [33, 200, 10_000])
def test_a_filter_that_nests_too_deep_is_refused(db: Database, levels: int) -> None:
    inverted = alternating = F.city == "Oslo"
    for _ in range(levels):
        inverted = ~inverted
        alternating = (alternating & (F.city == "Oslo")) | (F.city == "Bergen")
    for where in (inverted, alternating):
        error = refused(lambda where=where: db.leads.count(where=where))  # type: ignore[misc]
        assert "a filter nests at most 32 levels deep" in str(error)
        assert isinstance(repr(where), str)
        assert isinstance(str(where), str)
    if levels > 1000:
        again = F.city == "Oslo"
        for _ in range(levels):
            again = ~again
        for look in (lambda: again == inverted, lambda: hash(inverted)):
            assert "at most 32 levels" in str(refused(look))
    error = refused(lambda: db.leads.count(where="not " * levels + "city = Oslo"))
    assert "at most 32 levels" in str(error)


@pytest.mark.parametrize(
    ("where", "meant"),
    [
        ("citty = Oslo", "city"),
        ("Compny ~ nord", "company"),
        ("source = Fiar", "Fair"),
        ("source in (Web, Fiar)", "Fair"),
        ("stage = Maild", "Mailed"),
        ("pipeline = Lead", "Leads"),
        ("x_budgt > 5", "x_budget"),
    ],
)
def test_a_misspelt_name_in_a_filter_is_answered_with_the_nearest(db: Database, where: str, meant: str) -> None:
    db.sources.add("Fair")
    db.sources.add("Web")
    db.catalogue.add_field("x_budget", type="integer")
    db.leads.create(company="Nordlys AS")
    assert f" `{meant}`" in str(refused(lambda: db.leads.count(where=where)))


def test_a_name_that_is_near_nothing_is_only_refused(db: Database) -> None:
    assert "did you mean" not in str(refused(lambda: db.leads.count(where="wombat = 5")))


def test_single_quotes_are_quotes(db: Database) -> None:
    db.leads.create_many([{"company": "Nordlys AS", "city": "Oslo"}, {"company": "O'Brien", "city": "New York"}])
    for text in ("city = 'New York'", "company = O'Brien", r"company = 'O\'Brien'", 'company = "O\'Brien"'):
        assert db.leads.count(where=text) == 1, text
    assert Filter.parse("city in ('New York', \"Oslo\")") == F.city.in_(["New York", "Oslo"])
    error = refused(lambda: db.leads.count(where="city = 's-Hertogenbosch"))
    assert "double quotes" in str(error)


@pytest.mark.parametrize(
    "call",
    [
        lambda db: db.catalogue.get("compny"),
        lambda db: db.accounts.list(after="x"),
        lambda db: db.sources.delete("Fair", in_use="clear", reassign="Web"),
        lambda db: db.leads.move("x", "New", position="top", before="y"),
        lambda db: db.pipelines.add("S", [5]),
        lambda db: db.undo("x"),
        lambda _: leadcore.Money("x", "NOK"),
        lambda _: leadcore.UndoPlan.from_json("x"),
    ],
)
def test_a_message_names_the_field_that_it_is_about(db: Database, call: Callable[[Database], object]) -> None:
    error = refused(lambda: call(db))
    assert str(error).startswith(f"`{error.violations[0].field}`: ")


def test_a_key_that_there_is_not_is_answered_with_the_nearest(db: Database) -> None:
    assert "did you mean `company`?" in str(refused(lambda: db.catalogue.get("compny")))
    assert "did you mean `unread`?" in str(refused(lambda: db.views.open("unraed")))
    assert "there is no label with this name" in str(refused(lambda: db.leads.create(company="A", labels=["VIP"])))


def test_a_row_says_which_one_it_is(db: Database) -> None:
    error = refused(lambda: db.leads.create_many([{"company": "A"}, {"compny": "B"}]))
    assert [broken.field for broken in error.violations] == ["drafts[1].compny"]


def test_a_grant_that_there_is_not_is_refused_where_it_is_made() -> None:
    error = refused(lambda: leadcore.Role().grant("veiw", "all"))  # type: ignore[arg-type]
    assert (error.violations[0].field, "did you mean `view`?" in str(error)) == ("permission", True)
    assert refused(lambda: leadcore.Role({"view": "mine"})).violations[0].field == "grants.view"


def fields(call: Callable[[], object]) -> list[str]:
    return [broken.field for broken in refused(call).violations]


def test_arguments_are_named_as_the_caller_wrote_them(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", currency="NOK")
    db.records.register("project", "Project", "Projects")
    note, task = db.activities.note(lead, "They called."), db.activities.task(lead, "Call back")
    done = db.activities.complete(task).activity
    series = db.activities.meeting(lead, "Weekly", date(2030, 1, 7), recurrence="FREQ=WEEKLY")
    register = db.records.register
    nan, line = float("nan"), {"description": "x"}
    said: list[tuple[list[str], Callable[[], object]]] = [
        (["singular"], lambda: register("invoice", "", "Invoices")),
        (["plural", "color"], lambda: register("invoice", "Invoice", "\0", color="red")),
        (["kind"], lambda: register("project", "Project", "Projects")),
        (["icon"], lambda: db.records.rename("project", icon="")),
        (["activity"], lambda: db.activities.snooze(note)),
        (["activity"], lambda: db.activities.snooze(done)),
        (["activity"], lambda: db.activities.snooze(series)),
        (["activity"], lambda: db.activities.complete(note)),
        (["activity"], lambda: db.activities.reopen(note)),
        (["activity"], lambda: db.activities.cancel(task.id)),
        (["activity"], lambda: db.activities.complete_call(task.id, "answered")),
        (["activity"], lambda: db.activities.set_state(note, "declined")),
        (["page_size"], lambda: list(db.activities.iter(lead, page_size=0))),
        (["page_size"], lambda: list(db.leads.iter(page_size=1001))),
        (["page_size"], lambda: list(db.leads.trash(page_size=-1))),
        (["page_size"], lambda: list(db.accounts.iter(page_size=2**70))),
        (["lines[1].quantity"], lambda: db.estimates.create(lead, lines=[line, {**line, "quantity": nan}])),
        (["lines[0].unit_price"], lambda: db.estimates.create(lead, lines=[{**line, "unit_price": "Infinity"}])),
        (["lines[0].tax"], lambda: db.estimates.create(lead, lines=[{**line, "tax": 101}])),
        (["lines[0].tax_name"], lambda: db.estimates.create(lead, lines=[{**line, "tax": 5, "tax_name": "a\nb"}])),
        (["lines[0].tax"], lambda: db.lines.set(lead, [{**line, "tax": -1}])),
        (["subject"], lambda: db.estimates.create([])),
        (["subject"], lambda: db.files.add([], b"x", name="a.txt")),
        (["subject"], lambda: db.records.link([], "project", "1", title="x")),
        (["about"], lambda: db.activities.note([], "x")),
        (["zone"], lambda: db.activities.meeting(lead, "x", date(2030, 1, 7), zone="Europe/Olso")),
        (["owner"], lambda: db.contacts.of(("activity", note.id))),
    ]
    for names, call in said:
        assert fields(call) == names
    with pytest.raises(TypeError, match=r"`lines\[0\].quantity`: expected a number, not 'bool'"):
        db.lines.set(lead, [{**line, "quantity": True}])
    assert "finite" in str(refused(lambda: leadcore.Line("x", nan)))


def test_a_file_that_is_not_there_is_told_by_its_argument(db: Database, tmp_path: Path) -> None:
    lead = db.leads.create(company="Nordlys AS")
    file = db.files.add(lead, b"hello", name="a.txt")
    missing = tmp_path / "missing" / "a.txt"
    for call, name in (
        (lambda: db.files.add(lead, missing), "content"),
        (lambda: db.files.add_many(lead, [("b.txt", b"x"), missing]), r"files\[1\].content"),
        (lambda: db.files.save(file, missing), "path"),
    ):
        with pytest.raises(leadcore.NotFoundError, match=f"^`{name}`: there is no"):
            call()
    assert fields(lambda: db.files.add(lead, tmp_path)) == ["content"]
    assert fields(lambda: db.files.add_many(lead, [tmp_path])) == ["files[0].content"]
    assert str(tmp_path) not in str(refused(lambda: db.files.add(lead, tmp_path)))
    assert len(db.files.of(lead)) == 1


def test_an_id_of_something_else_is_told_as_what_it_is(db: Database) -> None:
    account = db.accounts.get(became(db.leads.convert(db.leads.create(company="Fjord AS"))))
    lead = db.leads.create(company="Nordlys AS")
    contact = db.contacts.add(lead, name="Anna Berg")
    calls: list[Callable[[], object]] = [
        lambda: db.activities.note(account.id, "x"),
        lambda: db.activities.add_many([{"about": account.id, "kind": "note", "text": "x"}]),
        lambda: db.files.of(str(account.id)),
        lambda: db.estimates.create([lead, account.id]),
        lambda: db.contacts.of(account.id),
        lambda: db.leads.get(account.id),
        lambda: db.followers.follow(account.id),
        lambda: db.leads.page(account.id),
    ]
    for call in calls[:1] + calls[2:]:
        with pytest.raises(leadcore.NotFoundError, match=r"^`[a-z]+`: lead not found; this is the id of an account"):
            call()
    with pytest.raises(leadcore.NotFoundError, match=r'which is written \("contact", id\)$'):
        db.activities.note(contact.id, "x")
    with pytest.raises(leadcore.NotFoundError, match=r"^`account`: account not found; this is the id of a lead$"):
        db.accounts.page(lead.id)
    with pytest.raises(leadcore.NotFoundError, match=r"^lead not found$"):
        db.leads.get("0197f2a0-0000-7000-8000-000000000000")


def test_what_is_closed_says_what(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", currency="NOK")
    sent = db.estimates.send(db.estimates.create(lead, lines=[leadcore.Line("Panel", 1, 1)]))
    with pytest.raises(leadcore.ConflictError, match=r"^`delete` is closed for this estimate in its state$"):
        db.estimates.delete(sent)
    db.settings.set_function("note", F.city == "Oslo")
    with pytest.raises(leadcore.ConflictError, match=r"^`note` is closed for this lead in its state$"):
        db.activities.note(lead, "x")


def test_a_follow_up_that_there_is_not_is_answered_with_those_that_there_are(db: Database) -> None:
    assert "one of `none`, `planned`, `today`, `overdue`" in str(
        refused(lambda: db.leads.count(where="follow_up = soon"))
    )
    assert "did you mean `overdue`?" in str(refused(lambda: db.leads.count(where="follow_up in (overdu, today)")))
    assert db.leads.count(where="follow_up = none") == 0


def test_a_kind_of_record_that_there_is_not_is_answered_with_the_nearest(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    error = refused(lambda: db.activities.note(("acount", lead.id), "x"))
    assert "did you mean `account`?" in str(error)
    assert error.violations[0].field == "about"
