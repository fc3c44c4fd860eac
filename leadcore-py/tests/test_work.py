"""Board, persons, conversion, history, lists, settings, policy, transactions."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from decimal import Decimal
from uuid import uuid4

import leadcore
import pytest
from conftest import became, panic
from leadcore import ConversionPlan, Database, F, Role, RoleTable


def test_the_board(db: Database) -> None:
    assert [column.count for column in db.board().columns] == [0] * 6
    db.leads.create_many({"company": f"<i>{n}", "stage": "Mailed" if n % 3 else "New"} for n in range(9))
    board = db.board(cards=2, sort="number")
    assert [(column.stage.name, column.count) for column in board.columns][:2] == [("New", 3), ("Mailed", 6)]
    column = board["Mailed"]
    assert [lead.number for lead in column.cards] == [2, 3]
    rest = db.leads.list(where=F.stage == column.stage, sort="number", after=column.next)
    assert [lead.number for lead in rest] == [5, 6, 8, 9]
    assert db.board(where=F.number < 3)["Mailed"].count == 1
    assert "&lt;i&gt;" in board._repr_html_()
    with pytest.raises(KeyError):
        board["Nowhere"]
    with pytest.raises(leadcore.NotFoundError):
        db.board(pipeline="Nothing")
    assert db.board(pipeline=board.pipeline) == db.board(pipeline="leads") == db.board()


def test_contacts(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", country="NO")
    anna = db.contacts.add(lead, name="Anna Berg", email="anna@nordlys.example", phone="22 22 22 22")
    ola = db.contacts.add(lead.id, name="Ola Vik")
    assert (anna.is_primary, ola.is_primary, anna.email) == (True, False, "anna@nordlys.example")
    db.contacts.make_primary(lead, ola)
    assert [one.name for one in db.contacts.of(lead)] == ["Ola Vik", "Anna Berg"]
    edited = db.contacts.edit(lead, anna, job_title="CEO", phone=None)
    assert (edited.job_title, edited.phones, edited.email) == ("CEO", (), "anna@nordlys.example")
    with pytest.raises(leadcore.ConflictError):
        db.contacts.edit(lead, anna, job_title="CTO")
    assert db.contacts.edit(lead, anna.id, job_title="CTO").job_title == "CTO"
    db.contacts.remove(lead, ola)
    assert [one.name for one in db.contacts.of(lead)] == ["Anna Berg"]
    with pytest.raises(leadcore.InvalidError, match="name"):
        db.contacts.add(lead)
    with pytest.raises(leadcore.InvalidError, match="did you mean `email`"):
        db.contacts.add(lead, emial="x")  # type: ignore[call-arg]
    assert repr(anna) == "<Contact Anna Berg>"
    assert anna.to_dict()["email"] == ("anna@nordlys.example",)


def test_conversion(db: Database) -> None:
    db.categories.add("Retail")
    lead = db.leads.create(company="Nordlys AS", name="Anna Berg", email="anna@nordlys.example", category="Retail")
    plan = db.leads.plan_conversion(lead, status="prospect")
    assert (plan.lead_id, plan.is_new_account, plan.next_number) == (lead.id, True, 1)
    assert ConversionPlan.from_json(plan.to_json()) == plan
    data = plan.to_dict()
    data["account"]["new"]["fields"]["name"] = "Nordlys Norge AS"
    outcome = db.apply(ConversionPlan(data))
    assert (outcome.account_number, outcome.newly_converted, len(outcome.contact_ids)) == (1, True, 1)
    account = db.accounts.get(became(outcome))
    assert (account.name, account.status, account.email) == ("Nordlys Norge AS", "prospect", "anna@nordlys.example")
    assert account.category is not None
    assert account.category.name == "Retail"
    again = db.leads.convert(lead)
    assert (again.account_id, again.newly_converted) == (outcome.account_id, False)
    frozen = db.leads.get(lead)
    assert (frozen.state, frozen.account_id) == ("converted", account.id)
    with pytest.raises(leadcore.FrozenError) as caught:
        db.leads.edit(frozen, city="Oslo")
    assert caught.value.conflict == {"reason": "converted"}
    assert [one.id for one in db.accounts.leads(account)] == [lead.id]
    assert [one.name for one in db.contacts.of(account)] == ["Anna Berg"]
    assert [one.name for one in db.contacts.of(lead)] == ["Anna Berg"]
    second = db.leads.convert(db.leads.create(company="Fjord AS"), account=account)
    assert second.account_id == account.id
    assert repr(db.accounts.list()[0]) == "<Account 1: Nordlys Norge AS>"


def test_an_outdated_or_broken_plan_is_refused(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    plan = db.leads.plan_conversion(lead)
    db.leads.edit(lead, city="Oslo")
    with pytest.raises(leadcore.ConflictError) as caught:
        db.apply(plan)
    assert caught.value.conflict == {"reason": "plan_outdated"}
    for text in ("", "[]", "{}", '{"lead": 1}', "{" * 100_000):
        with pytest.raises(leadcore.InvalidError):
            db.apply(ConversionPlan.from_json(text))
    with pytest.raises(leadcore.InvalidError):
        db.leads.convert(lead, status="friend")  # type: ignore[arg-type]


def test_accounts_in_pages(db: Database) -> None:
    for n in range(5):
        db.leads.convert(db.leads.create(company=f"C{n}"))
    page = db.accounts.list(limit=2)
    assert [account.number for account in page] == [1, 2]
    assert [account.number for account in db.accounts.list(limit=9, after=page.next)] == [3, 4, 5]
    assert [account.number for account in db.accounts.iter(page_size=2)] == [1, 2, 3, 4, 5]
    with pytest.raises(leadcore.InvalidError):
        db.accounts.list(after="x")


def test_the_timeline(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS", amount=5)
    lead = db.leads.edit(lead, amount="7.50")
    db.as_user("bob").leads.move(lead, "Discussion")
    moved, edited, created = db.timeline(lead)
    assert (moved.actor, moved.action, moved.text) == ("bob", "moved", "Status: New → Discussion")
    assert [change.after for change in edited.changes if change.field == "amount"] == [Decimal("7.50")]
    assert created.subject == ("lead", lead.id)
    page = db.timeline_page(lead, limit=2)
    assert list(page) == [moved, edited]
    assert list(db.timeline_page(lead, after=page.next)) == [created]
    outcome = db.leads.convert(lead.id)
    assert list(db.timeline(db.accounts.get(became(outcome)))) == list(db.timeline(lead))


@pytest.mark.parametrize("name", ["sources", "categories", "labels", "locations", "partners"])
def test_terms(db: Database, name: str) -> None:
    terms: leadcore.Terms = getattr(db, name)
    a, b = terms.add("Fair"), terms.add("Web", color="#ABCDEF")
    assert (a.position, b.position, b.color, str(b)) == (0, 1, "#abcdef", "Web")
    assert terms.list() == [a, b]
    with pytest.raises(leadcore.AlreadyExistsError):
        terms.add("FAIR")
    renamed = terms.rename(a, "Trade fair")
    assert (renamed.id, renamed.revision) == (a.id, 2)
    with pytest.raises(leadcore.ConflictError):
        terms.rename(a, "Other")
    assert terms.rename("trade fair", "Fair").name == "Fair"
    key = "labels" if name == "labels" else terms.kind
    [lead] = db.leads.create_many([{"company": "A", key: [a] if name == "labels" else a}])
    with pytest.raises(leadcore.ConflictError) as caught:
        terms.delete(a)
    assert caught.value.conflict == {"reason": "in_use", "by": 1}
    terms.delete(a, reassign=b)
    value = getattr(db.leads.get(lead), key)
    assert value == ((b,) if name == "labels" else b)
    terms.delete("web", in_use="clear")
    assert not getattr(db.leads.get(lead), key)
    with pytest.raises(leadcore.NotFoundError):
        terms.delete(uuid4())


def test_pipelines(db: Database) -> None:
    [pipeline] = db.pipelines.list()
    assert pipeline.is_default
    first, *rest = pipeline.stages
    renamed = dataclasses.replace(first, name="Fresh", probability=5)
    pipeline = db.pipelines.update(pipeline, name="Sales", stages=[renamed, ("Called", "open", 20), *rest])
    assert [stage.name for stage in pipeline.stages][:3] == ["Fresh", "Called", "Mailed"]
    assert (pipeline.stages[0].id, pipeline.stages[1].probability) == (first.id, 20)
    lead = db.leads.create(company="A")
    assert lead.stage.name == "Fresh"
    with pytest.raises(leadcore.ConflictError):
        db.pipelines.update(pipeline, stages=pipeline.stages[1:])
    second = db.pipelines.add("Partners", ["Asked", ("Signed", "won")])
    assert (second.is_default, db.pipelines.get("Partners")) == (False, second)
    for bad in (["A", ("A", "open")], [("Only", "won")], ["A", ("B", "sideways")], [("A", "open", 101)]):
        with pytest.raises(leadcore.InvalidError):
            db.pipelines.add("Bad", bad)  # type: ignore[arg-type]


def test_the_catalogue(db: Database) -> None:
    lead = db.leads.create(company="A")
    db.set_required("tax_id")
    with pytest.raises(leadcore.InvalidError, match="tax_id"):
        db.leads.edit(lead, city="Oslo")
    db.set_required("tax_id", required=False)
    spec = db.catalogue.set("tax_id", label="Org. no.", order=1)
    assert (spec.label, spec.required, spec.order) == ("Org. no.", False, 1)
    assert db.catalogue.get("tax_id") == spec
    db.catalogue.set("industry", enabled=False)
    with pytest.raises(leadcore.InvalidError, match="disabled"):
        db.leads.create(company="B", industry="Fish")
    for key in ("stage", "shoe_size"):
        with pytest.raises(leadcore.InvalidError):
            db.set_required(key)


def test_the_policy() -> None:
    roles = (
        RoleTable()
        .role("sales", Role.salesperson().hide("tax_id"))
        .role("boss", Role.manager().grant("view", "all"))
        .user("ada", "sales", team="north")
        .user("bob", "sales")
        .user("cy", "boss")
    )
    assert RoleTable.from_dict(roles.to_dict()) == roles
    with leadcore.open(":memory:", user="ada", policy=roles) as ada:
        with pytest.raises(leadcore.InvalidError):
            ada.leads.create(company="Nordlys AS", tax_id="NO123456785")
        lead = ada.leads.create(company="Nordlys AS")
        bob, cy, eve, system = (ada.as_user(user) for user in ("bob", "cy", "eve", None))
        lead = cy.leads.edit(lead, tax_id="NO123456785")
        assert ada.leads.get(lead).tax_id is None
        assert cy.leads.get(lead).tax_id is not None
        assert system.leads.count() == 1
        assert bob.leads.count() == 0
        with pytest.raises(leadcore.NotFoundError):
            bob.leads.edit(lead, city="Oslo")
        with pytest.raises(leadcore.DeniedError):
            ada.leads.delete(lead)
        with pytest.raises(leadcore.DeniedError):
            eve.leads.create(company="A")
        with pytest.raises(leadcore.InvalidError):
            ada.leads.list(where=F.tax_id == "x")
        with pytest.raises(leadcore.DeniedError):
            ada.sources.add("Fair")
    with pytest.raises(leadcore.InvalidError):
        leadcore.open(":memory:", policy=RoleTable().role("x", Role({"fly": "all"})))


def test_tenants_do_not_see_each_other(db: Database) -> None:
    assert (db.tenant, db.user) == ("acme", "ada")
    for bad in ({"tenant": ""}, {"tenant": "a\0"}, {"user": "x" * 200}, {"user": "\ud800"}):
        with pytest.raises(leadcore.InvalidError):
            leadcore.open(":memory:", **bad)  # type: ignore[arg-type]


def test_closing(db: Database) -> None:
    other = db.as_user("bob")
    assert not db.closed
    db.close()
    db.close()
    assert other.closed
    for call in (
        db.leads.count,
        other.pipelines.list,
        lambda: db.leads.create(company="A"),
        db.transaction().__enter__,
    ):
        with pytest.raises(leadcore.UnsupportedError, match="closed"):
            call()


def test_a_transaction_keeps_all_or_nothing(db: Database) -> None:
    with db.transaction():
        db.leads.create(company="A")
        db.as_user("bob").leads.create(company="B")
        assert db.leads.count() == 2
    assert db.leads.count() == 2
    with pytest.raises(RuntimeError, match="stop"), db.transaction():
        db.leads.create(company="C")
        raise RuntimeError("stop")
    assert db.leads.count() == 2


def test_a_failed_call_leaves_the_transaction_usable(db: Database) -> None:
    with db.transaction():
        db.sources.add("Fair")
        with pytest.raises(leadcore.AlreadyExistsError):
            db.sources.add("fair")
        with pytest.raises(leadcore.InternalError):
            panic(db)
        db.sources.add("Web")
    assert [str(source) for source in db.sources.list()] == ["Fair", "Web"]


def test_a_transaction_in_a_transaction_can_be_taken_back_alone(db: Database) -> None:
    with db.transaction():
        db.leads.create(company="A")
        with pytest.raises(ZeroDivisionError), db.transaction():
            db.leads.create(company="B")
            with db.transaction():
                db.leads.create(company="C")
            raise ZeroDivisionError
        with db.transaction():
            db.leads.create(company="D")
        assert db.leads.count() == 2
    assert sorted(lead.company or "" for lead in db.leads.iter()) == ["A", "D"]


def test_two_databases_have_transactions_of_their_own(db: Database) -> None:
    with leadcore.open(":memory:") as other, db.transaction():
        with pytest.raises(KeyError), other.transaction():
            other.leads.create(company="X")
            db.leads.create(company="A")
            raise KeyError
        assert (db.leads.count(), other.leads.count()) == (1, 0)


def test_a_transaction_is_used_once(db: Database) -> None:
    transaction = db.transaction()
    with transaction:
        pass
    with pytest.raises(leadcore.InvalidError):
        transaction.__enter__()
    with pytest.raises(leadcore.InvalidError):
        db.transaction().__exit__(None, None, None)


def test_a_stale_lead_is_not_converted(db: Database) -> None:
    lead = db.leads.create(company="Havn Foods")
    db.leads.edit(lead, city="Bergen")
    with pytest.raises(leadcore.ConflictError):
        db.leads.convert(lead)
    outcome = db.leads.convert(lead.id)
    # Once it is converted, whoever asks gets the first outcome.
    assert became(db.leads.convert(lead)) == outcome.account_id


def test_an_account_is_edited(db: Database) -> None:
    category = db.categories.add("Retail")
    outcome = db.leads.convert(db.leads.create(company="Nordlys AS", country="NO", industry="Energy"))
    account = db.accounts.get(became(outcome))
    newer = db.accounts.edit(
        account, name="Nordlys Energi AS", phone="22 22 22 22", category="retail", industry=None, status="prospect"
    )
    assert (newer.name, newer.phone_e164, newer.category) == ("Nordlys Energi AS", "+4722222222", category)
    assert (newer.industry, newer.status, newer.revision) == (None, "prospect", 2)
    assert db.accounts.get(account) == newer
    with pytest.raises(leadcore.ConflictError) as stale:
        db.accounts.edit(account, city="Oslo")
    assert stale.value.conflict == {"reason": "stale_revision", "expected": 1, "found": 2}
    assert db.accounts.edit(account.id, city="Oslo").revision == 3
    with pytest.raises(leadcore.InvalidError) as wrong:
        db.accounts.edit(account.id, name=" ", email="nobody")
    assert [violation.field for violation in wrong.value.violations] == ["email"]
    with pytest.raises(leadcore.InvalidError, match="`name`: "):
        db.accounts.edit(account.id, name="")
    with pytest.raises(leadcore.InvalidError, match="status"):
        db.accounts.edit(account.id, status=None)  # type: ignore[arg-type]
    with pytest.raises(leadcore.InvalidError, match="did you mean `city`"):
        db.accounts.edit(account.id, ctiy="Oslo")  # type: ignore[call-arg]
    texts = [entry.text for entry in db.timeline(account)]
    assert any("Nordlys AS → Nordlys Energi AS" in text for text in texts), texts


def test_what_can_be_done_with_a_lead(db: Database) -> None:
    roles = RoleTable().role("viewer", Role.viewer()).user("vi", "viewer")
    lead = db.leads.create(company="A")
    assert db.leads.actions(lead) == ["view", "edit", "delete", "convert"]
    db.leads.convert(lead)
    assert db.leads.actions(lead.id) == ["view"]
    with pytest.raises(leadcore.NotFoundError):
        db.leads.actions(uuid4())
    with leadcore.open(":memory:", policy=roles) as other:
        lead = other.leads.create(company="A")
        assert other.as_user("vi").leads.actions(lead) == ["view"]


def test_a_role_says_at_once_what_it_cannot_hide() -> None:
    for key in ("id", "number", "state", "stage", "updated_at"):
        with pytest.raises(leadcore.InvalidError, match=f"`hidden.{key}`: .*cannot be hidden"):
            Role.viewer().hide(key)
        with pytest.raises(leadcore.InvalidError):
            RoleTable.from_dict({"roles": {"x": {"hidden": [key]}}, "users": {}})
    with pytest.raises(leadcore.InvalidError, match=r"hidden\.shoe_size"):
        Role.viewer().hide("shoe_size")


def test_who_may_not_see_an_email_does_not_find_by_it() -> None:
    roles = RoleTable().role("clerk", Role.viewer().hide("email")).user("kim", "clerk")
    with leadcore.open(":memory:", policy=roles) as db:
        db.leads.create(company="A", email="secret@a.example")
        assert len(db.leads.search("secret")) == 1
        kim = db.as_user("kim")
        assert len(kim.leads.search("secret")) == 0
        with pytest.raises(leadcore.InvalidError, match="you may not see this field"):
            kim.leads.count(where=leadcore.F.email == "secret@a.example")


def test_limits_and_names_in_messages(db: Database) -> None:
    lead = db.leads.create(company="A")
    for limit in (0, -1, 1001, 2**70):
        for call in (
            lambda limit=limit: db.leads.list(limit=limit),
            lambda limit=limit: db.accounts.list(limit=limit),
            lambda limit=limit: db.timeline_page(lead, limit=limit),
        ):
            with pytest.raises(leadcore.InvalidError, match="`limit`: a page has 1 to 1,000 records"):
                call()
    for cards in (-1, 1001, 2**70):
        with pytest.raises(leadcore.InvalidError, match="`cards`: "):
            db.board(cards=cards)
    with pytest.raises(leadcore.InvalidError, match="did you mean `Discussion`"):
        db.leads.move(lead, "discusion")
    with pytest.raises(leadcore.InvalidError, match="did you mean `Mailed`"):
        db.leads.create(company="B", stage="Maild")
    with pytest.raises(leadcore.InvalidError, match="did you mean `On hold`"):
        db.leads.count(where=F.stage == "onhold")
    with pytest.raises(leadcore.InvalidError) as far:
        db.leads.move(lead, "somewhere else")
    assert "did you mean" not in str(far.value)


def test_the_version_is_that_of_the_package() -> None:
    assert leadcore.__version__ == importlib.metadata.version("leadcore")
