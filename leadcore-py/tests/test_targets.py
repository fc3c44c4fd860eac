"""Customers that the program keeps itself: in the same transaction, or elsewhere by the outbox."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import leadcore
import pytest
from conftest import became
from leadcore import ConversionOutcome, ConversionPlan, Database, Target


class OddError(Exception):
    """Of the program's own."""


class Clients:
    """Customers of a program, in a dictionary."""

    name = "client"

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}
        self.broken = False

    def create(self, outcome: ConversionOutcome, plan: ConversionPlan) -> str:
        """Add a row."""
        assert outcome.newly_converted
        if self.broken:
            raise OddError("no client today")
        reference = f"C-{outcome.account_number}"
        self.rows[reference] = plan.account_fields["name"]
        return reference

    def withdraw(self, outcome: ConversionOutcome, reference: str) -> None:
        """Take it off."""
        assert not outcome.newly_converted
        if self.broken:
            raise OddError("no way back today")
        del self.rows[reference]


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    place = ":memory:" if request.param == "memory" else str(tmp_path / "leads.db")
    with leadcore.open(place, tenant="acme", user="ada") as db:
        yield db


def lead_of(db: Database) -> leadcore.Lead:
    return db.leads.create(company="Nordlys AS", name="Anna Berg")


def test_a_target_makes_its_row_and_takes_it_back(store: Database) -> None:
    clients, lead = Clients(), lead_of(store)
    done = store.leads.convert(lead, targets=[clients])
    assert clients.rows == {"C-1": "Nordlys AS"}
    assert [(one.target, one.reference) for one in done.host] == [("client", "C-1")]
    again = store.leads.convert(lead, targets=[clients])
    assert (again.newly_converted, again.host, len(clients.rows)) == (False, done.host, 1)
    with pytest.raises(leadcore.ConflictError) as caught:
        store.leads.unconvert(lead)
    assert caught.value.conflict == {"reason": "blocked", "by": 1}
    assert store.leads.plan_unconvert(lead).host == done.host
    store.leads.unconvert(lead, targets=[clients])
    assert (clients.rows, store.leads.get(lead).state) == ({}, "open")


def test_a_key_stands_for_one_call_with_targets_too(store: Database) -> None:
    """A double click gives the first outcome, and so does a late retry, whatever became of the lead since."""
    clients, lead = Clients(), lead_of(store)

    def click() -> ConversionOutcome:
        return store.leads.convert(lead.id, targets=[clients], key="order 4711")

    first = click()
    again = click()
    assert (again.operation, again.newly_converted, again.host) == (first.operation, False, first.host)
    assert clients.rows == {"C-1": "Nordlys AS"}, "made once"
    back = store.leads.unconvert(lead, targets=[clients], key="back 1")
    assert clients.rows == {}
    store.leads.move(store.leads.get(lead), "Lost")
    late = click()
    assert (late.operation, late.host, clients.rows) == (first.operation, first.host, {}), "and never again"
    assert store.leads.get(lead).stage.name == "Lost"
    assert store.leads.unconvert(lead, targets=[clients], key="back 1").operation == back.operation
    other = lead_of(store)
    with pytest.raises(leadcore.ConflictError) as caught:
        store.leads.convert(other, targets=[clients], key="order 4711")
    assert caught.value.conflict == {"reason": "key_reused", "differs": ["lead"]}
    with pytest.raises(leadcore.ConflictError) as caught:
        store.leads.unconvert(other, targets=[clients], key="back 1")
    assert caught.value.conflict == {"reason": "key_reused", "differs": ["lead"]}
    with pytest.raises(leadcore.ConflictError) as caught:
        store.leads.convert(lead.id, targets=[clients], key="order 4711", status="prospect")
    assert caught.value.conflict == {"reason": "key_reused", "differs": ["status"]}
    # The same call with and without targets is the same call.
    assert store.leads.convert(lead.id, key="order 4711").operation == first.operation


def test_plans_are_applied_with_targets(store: Database) -> None:
    clients, lead = Clients(), lead_of(store)
    plan = store.leads.plan_conversion(lead)
    assert store.apply(plan, targets=[clients]).host[0].reference == "C-1"
    store.apply(store.leads.plan_unconvert(lead), targets=[clients])
    assert clients.rows == {}


def test_what_a_target_raises_is_raised_and_nothing_is_kept(store: Database) -> None:
    clients, lead = Clients(), lead_of(store)
    clients.broken = True
    entries = list(store.timeline(lead))
    with pytest.raises(OddError, match="no client today"):
        store.leads.convert(lead, targets=[clients])
    assert store.leads.get(lead) == lead
    assert (list(store.timeline(lead)), len(store.accounts.list())) == (entries, 0)
    clients.broken = False
    assert store.leads.convert(lead, targets=[clients]).account_number == 1, "the number was not used up"
    clients.broken = True
    with pytest.raises(OddError, match="no way back"):
        store.leads.unconvert(lead, targets=[clients])
    assert (store.leads.get(lead).state, clients.rows) == ("converted", {"C-1": "Nordlys AS"})


class Picky(Clients):
    """Has no place for one of them: it writes with the database, and then raises."""

    name = "picky"

    def __init__(self, store: Database, refuses: str, error: BaseException) -> None:
        super().__init__()
        self.store, self.refuses, self.error = store, refuses, error

    def create(self, outcome: ConversionOutcome, plan: ConversionPlan) -> str:  # noqa: ARG002 - as targets are called
        """Link a record, unless it is the one."""
        account = self.store.accounts.get(became(outcome))
        self.store.records.link(account, "client", f"C-{account.name}", title=account.name)
        if account.name == self.refuses:
            raise self.error
        return f"C-{account.name}"


def linked(db: Database) -> list[str]:
    return [f"C-{name}" for name in "ABCD" if _is_linked(db, f"C-{name}")]


def _is_linked(db: Database, key: str) -> bool:
    try:
        db.records.by_key("client", key)
    except leadcore.NotFoundError:
        return False
    return True


@pytest.mark.parametrize("batch", [None, 1, 3])
def test_x_08_many_leads_with_targets_each_for_itself(store: Database, batch: int | None) -> None:
    store.records.register("client", "Client", "Clients")
    leads = {name: store.leads.create(company=name) for name in "ABCD"}
    entries = list(store.timeline(leads["B"]))
    clients, picky = Clients(), Picky(store, "B", OddError("no place"))
    heard: list[leadcore.ConversionProgress] = []
    options: dict[str, Any] = {} if batch is None else {"batch": batch, "progress": heard.append}
    many = store.leads.convert_many(list(leads.values()), targets=[clients, picky], **options)
    assert [one.code for one in many.results] == ["done", "target_failed", "done", "done"]
    assert (many.totals.done, many.totals.target_failed, len(heard)) == (3, 1, 0 if batch is None else 4)
    failed = many.results[1]
    assert (failed.target, failed.error, many.refused) == ("picky", picky.error, (failed,))
    assert [(one.target, one.reference) for one in failed.made] == [("client", "C-2")], "kept elsewhere: for the caller"
    assert linked(store) == ["C-A", "C-C", "C-D"]
    assert (store.leads.get(leads["B"]), list(store.timeline(leads["B"]))) == (leads["B"], entries)
    assert [one.number for one in store.accounts.list()] == [1, 2, 3], "no number was used up"
    first = many.results[0].outcome
    assert first is not None
    assert [(one.target, one.reference) for one in first.host] == [("client", "C-1"), ("picky", "C-A")]
    if heard:
        assert (heard[1].last, heard[-1].totals) == (failed, many.totals)
    # Once there is a place, the same call goes on.
    picky.refuses = ""
    rest = store.leads.convert_many("", targets=[clients, picky], expected=4)
    assert (rest.totals.done, rest.totals.already, linked(store)) == (1, 3, ["C-A", "C-B", "C-C", "C-D"])


def test_what_ends_a_call_for_many_with_targets(store: Database) -> None:
    store.records.register("client", "Client", "Clients")
    leads = [store.leads.create(company=name) for name in "ABCD"]
    for error in (KeyboardInterrupt(), leadcore.CancelledError("enough"), leadcore.StorageError("the disk is full")):
        with pytest.raises(type(error)):
            store.leads.convert_many(leads, targets=[Picky(store, "C", error)])
        assert (linked(store), len(store.accounts.list())) == ([], 0), "all or nothing"
    stopped = store.leads.convert_many(leads, targets=[Picky(store, "", OddError())], batch=1, progress=lambda _: False)
    assert (stopped.totals.done, linked(store)) == (1, ["C-A"])
    with pytest.raises(KeyboardInterrupt):
        store.leads.convert_many(leads, targets=[Picky(store, "D", KeyboardInterrupt())], batch=2)
    assert linked(store) == ["C-A", "C-B"], "the batch before it stays"
    with store.transaction():
        inside = store.leads.convert_many(leads, targets=[Picky(store, "D", OddError())])
        assert (inside.totals.done, inside.totals.already, inside.totals.target_failed) == (1, 2, 1)
        with pytest.raises(leadcore.UnsupportedError):
            store.leads.convert_many(leads, targets=[Clients()], batch=1)
    assert linked(store) == ["C-A", "C-B", "C-C"]
    with pytest.raises(leadcore.ConflictError):
        store.leads.convert_many("", targets=[Clients()], expected=9)
    with pytest.raises(TypeError, match=r"`targets\[0\]`"):
        store.leads.convert_many("", targets=[5])  # type: ignore[list-item]


def test_a_key_holds_with_targets_too(store: Database) -> None:
    clients, lead = Clients(), lead_of(store)
    done = store.leads.convert(lead, targets=[clients], key="order 4711")
    again = store.leads.convert(lead.id, targets=[clients], key="order 4711")
    assert (again.operation, again.newly_converted, len(clients.rows)) == (done.operation, False, 1)


def test_the_first_targets_row_goes_when_the_second_one_fails(store: Database) -> None:
    """What a target writes with the database itself is of the same transaction."""
    store.records.register("client", "Client", "Clients")
    lead = lead_of(store)

    def create(outcome: ConversionOutcome, plan: ConversionPlan) -> str:
        account = store.accounts.get(became(outcome))
        assert account.name == plan.account_fields["name"], "what is written can be read"
        with store.transaction():
            store.records.link(account, "client", "C-7", title=account.name)
        with pytest.raises(leadcore.InvalidError):
            store.leads.create()
        return "C-7"

    def fails(outcome: ConversionOutcome, plan: ConversionPlan) -> None:
        raise OddError(str(plan.lead_id == outcome.lead_id))

    first = Target("client", create)
    with pytest.raises(OddError, match="True"):
        store.leads.convert(lead, targets=[first, Target("ledger", fails)])
    with pytest.raises(leadcore.NotFoundError):
        store.records.by_key("client", "C-7")
    done = store.leads.convert(lead, targets=[first, Target("mail", lambda *_: None)])
    assert [one.reference for one in done.host] == ["C-7"]
    assert store.records.by_key("client", "C-7").title == "Nordlys AS"


def test_what_takes_nothing_back_lets_nothing_be_taken_back(store: Database) -> None:
    lead, once = lead_of(store), Target("client", lambda *_: "C-7")
    store.leads.convert(lead, targets=[once])
    with pytest.raises(leadcore.UnsupportedError, match="client"):
        store.leads.unconvert(lead, targets=[once])
    assert store.leads.get(lead).state == "converted"


def test_inside_a_transaction_it_is_a_part_of_that(store: Database) -> None:
    clients, lead = Clients(), lead_of(store)
    with store.transaction():
        store.leads.create(company="Fjord AS")
        clients.broken = True
        with pytest.raises(OddError):
            store.leads.convert(lead, targets=[clients])
        clients.broken = False
        store.leads.convert(lead, targets=[clients])
    assert (store.leads.get(lead).state, store.leads.count()) == ("converted", 2)
    other = lead_of(store)
    with pytest.raises(OddError), store.transaction():
        store.leads.convert(other, targets=[clients])
        raise OddError
    assert store.leads.get(other).state == "open"


def test_a_target_may_convert_and_cannot_end_what_it_is_in(store: Database) -> None:
    clients, first, second = Clients(), lead_of(store), lead_of(store)
    outer = store.transaction()
    told: list[str] = []

    def create(outcome: ConversionOutcome, plan: ConversionPlan) -> str:  # noqa: ARG001 - as targets are called
        for unit in (outer._unit, store._session):
            assert unit is not None
            with pytest.raises(leadcore.InvalidError, match="transaction"):
                unit.end(True)
        with store.transaction():
            told.append(str(store.leads.convert(second, targets=[clients]).account_number))
        return "outer"

    with outer:
        done = store.leads.convert(first, targets=[Target("outer", create)])
        assert [one.reference for one in done.host] == ["outer"]
    assert (told, clients.rows) == (["2"], {"C-2": "Nordlys AS"})


def test_other_threads_wait_outside(tmp_path: Path) -> None:
    with leadcore.open(tmp_path / "leads.db", user="ada") as db:
        lead, seen = lead_of(db), []

        def create(outcome: ConversionOutcome, plan: ConversionPlan) -> None:  # noqa: ARG001 - as targets are called
            thread = threading.Thread(target=lambda: seen.append(db.leads.get(lead).state))
            thread.start()
            thread.join()
            seen.append(db.leads.get(lead).state)

        db.leads.convert(lead, targets=[Target("client", create)])
        assert seen == ["open", "converted"]


def test_what_is_no_target_is_refused(db: Database) -> None:
    lead = lead_of(db)
    wrong: list[tuple[Any, str]] = [(5, "targets"), ([5], r"targets\[0\]"), ([object()], r"targets\[0\]")]
    for given, name in wrong:
        for call in (db.leads.convert, db.leads.unconvert):
            with pytest.raises(TypeError, match=f"`{name}`"):
                call(lead, targets=given)
    with pytest.raises(leadcore.InvalidError, match=r"targets\[1\]\.name"):
        db.leads.convert(lead, targets=[Clients(), Clients()])
    with pytest.raises(TypeError, match=r"`targets\[0\]\.create`"):
        db.leads.convert(lead, targets=[Target("client", lambda *_: 5)])  # type: ignore[arg-type]
    assert db.leads.get(lead) == lead


def test_the_outbox_tells_each_thing_until_it_is_acknowledged(store: Database) -> None:
    first, second = lead_of(store), lead_of(store)
    one = store.leads.convert(first, customer="active_with_invoice")
    store.leads.convert(second)
    store.leads.unconvert(second)
    batch = store.outbox.poll("erp", limit=2)
    assert [(event.kind, event.lead_id) for event in batch.events] == [
        ("converted", first.id),
        ("converted", second.id),
    ]
    assert (batch.more, batch.events[0].key, batch.events[0].actor) == (True, one.operation, "ada")
    assert isinstance(batch.events[0].outcome, ConversionOutcome)
    assert batch.events[0].outcome.document == "invoice"
    with pytest.raises(leadcore.InvalidError):
        store.outbox.acknowledge("erp", batch.events[1])
    kept = leadcore.OutboxEvent.from_json(batch.events[0].to_json())
    assert kept == batch.events[0]
    store.outbox.acknowledge("erp", kept)
    store.outbox.acknowledge("erp", kept)
    made: list[tuple[str, Any]] = []

    def carry_out(event: leadcore.OutboxEvent) -> None:
        if event.kind == "unconverted" and len(made) == 1:
            made.append(("failed", event.key))
            raise OddError("the line is down")
        made.append((event.kind, event.key))
        store.leads.get(event.lead_id)  # outside of any transaction: the database can be used

    with pytest.raises(OddError, match="down"):
        store.outbox.deliver("erp", carry_out)
    assert store.outbox.deliver("erp", carry_out) == 1
    assert [kind for kind, _ in made] == ["converted", "failed", "unconverted"]
    assert made[1][1] == made[2][1], "the same key after a failure"
    assert store.outbox.deliver("erp", carry_out) == 0
    assert len(store.outbox.poll("other").events) == 3, "each consumer has its own place"


def test_the_outbox_refuses_what_does_not_fit(db: Database) -> None:
    db.leads.convert(lead_of(db))
    [event] = db.outbox.poll("erp").events
    for consumer in ("", "ERP", "x" * 65, "\ud800"):
        with pytest.raises(leadcore.InvalidError, match="consumer"):
            db.outbox.poll(consumer)
    with pytest.raises(leadcore.InvalidError, match="limit"):
        db.outbox.poll("erp", limit=0)
    with pytest.raises(leadcore.UnsupportedError), db.transaction():
        db.outbox.deliver("erp", print)
    for text in ("", "{}", "[]", '{"what": 5}'):
        with pytest.raises(leadcore.InvalidError):
            leadcore.OutboxEvent.from_json(text)
    db.outbox.start_now("erp")
    assert db.outbox.poll("erp").events == ()
    db.outbox.acknowledge("erp", event)


def test_threads_that_deliver_share_the_events(store: Database) -> None:
    for _ in range(12):
        store.leads.convert(lead_of(store))
    told: list[Any] = []
    counts: list[int] = []

    def work() -> None:
        while (count := store.outbox.deliver("erp", lambda event: told.append(event.key))) or len(told) < 12:
            counts.append(count)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [event.key for event in store.outbox.poll("other").events]
    assert sum(counts) == 12
    with pytest.raises(leadcore.InvalidError, match="lease"):
        store.outbox.deliver("erp", print, lease=timedelta(days=10**6))
    with pytest.raises(TypeError, match="lease"):
        store.outbox.deliver("erp", print, lease=5)  # type: ignore[arg-type]


def test_what_a_target_hung_on_the_account_goes_with_the_conversion(store: Database) -> None:
    notes: list[Any] = []

    def create(outcome: ConversionOutcome, _: ConversionPlan) -> str:
        account = ("account", became(outcome))
        notes[:] = [store.activities.note(account, text) for text in ("Client opened", "Left there")]
        return "C1"

    def withdraw(_: ConversionOutcome, __: str) -> None:
        store.activities.delete(notes[0].id)

    lead = lead_of(store)
    done = store.leads.convert(lead, targets=[Target("erp", create, withdraw)])
    plan = store.leads.plan_unconvert(lead)
    assert [one.blocker for one in plan.blockers] == ["target"]
    told = {one.subject: one.fate for one in plan.records}
    assert [told[("activity", note.id)] for note in notes] == ["removed", "removed"]
    store.leads.unconvert(lead.id, targets=[Target("erp", create, withdraw)])
    assert store.leads.get(lead).state == "open"
    assert became(done) not in [account.id for account in store.accounts.list()]
    for note in notes:
        with pytest.raises(leadcore.NotFoundError):
            store.activities.get(note.id)


def test_a_note_of_a_target_that_somebody_answered_stands_against_the_way_back(store: Database) -> None:
    notes: list[Any] = []

    def create(outcome: ConversionOutcome, _: ConversionPlan) -> str:
        notes.append(store.activities.note(("account", became(outcome)), "Client opened"))
        return "C1"

    lead = lead_of(store)
    store.leads.convert(lead, targets=[Target("erp", create)])
    store.as_user("bo").activities.edit(notes[0], text="They asked for another invoice")
    plan = store.leads.plan_unconvert(lead)
    assert [(one.blocker, one.tabs) for one in plan.blockers][:1] == [("has_children", {"note": 1})]
