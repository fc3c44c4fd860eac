"""Views, who has read what, changes, facets: what a list of leads is made of."""

from __future__ import annotations

import datetime
import pickle
import uuid
from zoneinfo import ZoneInfo

import leadcore
import pytest
from leadcore import Database, F, Role, RoleTable


@pytest.fixture
def filled(db: Database) -> Database:
    db.sources.add("Fair")
    db.leads.create_many(
        [
            {"company": "Alfa", "city": "Oslo", "amount": 100, "currency": "NOK", "source": "Fair"},
            {"company": "Beta", "city": "Bergen", "amount": 250, "owner": "bob"},
            {"company": "Gamma", "stage": "Discussion"},
        ]
    )
    return db


def rows(db: Database, view: leadcore.ViewEntry | leadcore.View | str, **asked: object) -> list[str]:
    return [row["company"] for row in db.views.open(view, sort="company", columns=["company"], **asked)]  # type: ignore[arg-type]


def test_system_views_show_what_they_are_called(filled: Database) -> None:
    assert rows(filled, "mine") == ["Alfa", "Gamma"]
    assert rows(filled, "all") == ["Alfa", "Beta", "Gamma"]
    bob = filled.as_user("bob")
    assert rows(bob, "mine") == ["Beta"]
    assert rows(bob, "unread") == ["Alfa", "Beta", "Gamma"]
    filled.leads.delete(filled.leads.by_number(1))
    assert rows(filled, "trash") == ["Alfa"]
    for entry in filled.views.list():
        assert filled.views.open(entry).name == entry.name


def test_a_row_is_ready_to_be_shown(filled: Database) -> None:
    page = filled.views.open("mine", search="alfa", columns=["number", "company", "amount", "source", "stage"])
    [row] = page
    assert dict(row.values) == {
        "number": "1",
        "company": "Alfa",
        "amount": "kr 100.00",
        "source": "Fair",
        "stage": "New",
    }
    assert (row.id, row.number, row.lead.source.name if row.lead.source else None) == (row.lead.id, 1, "Fair")
    assert (row.unread, row.rotting, row.actions) == (True, False, ("view", "edit", "delete", "convert"))
    assert [column.label for column in page.columns][:2] == ["Lead number", "Company"]
    assert (page.total, page.next, page.left_out, page.groups, page.sort) == (None, None, (), None, "-updated_at")
    assert "<td>Alfa</td>" in page._repr_html_()
    assert pickle.loads(pickle.dumps(page)) == page
    assert hash(row) == hash(pickle.loads(pickle.dumps(row)))
    assert page.to_dict()["rows"][0]["values"] == row.values


def test_pages_follow_each_other(filled: Database) -> None:
    first = filled.views.open("all", sort="-company", limit=2)
    rest = filled.views.open("all", sort="-company", limit=2, after=first.next)
    assert [row.lead.company for row in [*first, *rest]] == ["Gamma", "Beta", "Alfa"]
    assert (first.total, rest.next) == (3, None)


def test_a_filter_is_added_to_that_of_the_view(filled: Database) -> None:
    assert rows(filled, "mine", filter=F.amount >= 100) == ["Alfa"]
    assert rows(filled, "all", filter="amount >= 100") == ["Alfa", "Beta"]
    assert rows(filled, "all", filter="source = fair", search="al") == ["Alfa"]
    with pytest.raises(leadcore.InvalidError, match="did you mean `Fair`"):
        filled.views.open("all", filter="source = Fairr")


def test_saved_views(filled: Database) -> None:
    saved = filled.views.save("Fairs", "source = Fair", columns=["company"], sort="-amount", group_by="source")
    assert (saved.owner, saved.shared, saved.shape, saved.columns) == ("ada", False, "list", ("company",))
    assert filled.views.get(saved.id) == saved
    assert pickle.loads(pickle.dumps(saved)) == saved
    page = filled.views.open(saved)
    assert page.groups is not None
    assert [(value.name, value.count) for value in page.groups] == [("Fair", 1)]
    newer = filled.views.update(saved, where=None, columns=None, group_by=None)
    assert (str(newer.filter), newer.columns, newer.sort, newer.group_by) == ("all()", None, "-amount", None)
    with pytest.raises(leadcore.ConflictError):
        filled.views.rename(saved, "Stale")
    with pytest.raises(leadcore.AlreadyExistsError):
        filled.views.save("FAIRS")
    bob = filled.as_user("bob")
    with pytest.raises(leadcore.NotFoundError):
        bob.views.open(newer)
    shared = filled.views.share(newer)
    assert len(bob.views.open(shared)) == 3
    assert filled.views.share(shared, False).shared is False
    filled.views.delete(saved.id)
    with pytest.raises(leadcore.NotFoundError):
        filled.views.get(saved.id)


def test_a_view_keeps_its_pipeline(filled: Database) -> None:
    other = filled.pipelines.add("Partners", stages=["New", "Talks"])
    saved = filled.views.save("Partners", shape="board", pipeline="partners")
    assert (saved.shape, saved.pipeline) == ("board", other.id)
    shown = filled.views.board(saved)
    assert [column.stage.name for column in shown.board.columns] == ["New", "Talks"]
    saved = filled.views.update(saved, pipeline=None)
    assert (saved.shape, saved.pipeline) == ("board", None)
    assert filled.views.update(saved, shape="list").shape == "list"
    # Stages of one name are told apart as the view writes them.
    [stage] = [stage for stage in other.stages if stage.name == "New"]
    view = filled.views.save("Talks", F.stage == stage)
    assert str(view.filter) == 'stage = "Partners / New"'
    assert filled.leads.count(where=str(view.filter)) == 0
    assert filled.leads.count(where="stage = New") == 2


def test_lists_open_with_the_default_view(filled: Database) -> None:
    assert filled.views.open().view == "mine"
    filled.views.set_default("all")
    assert filled.views.open().view == "all"


def test_what_no_longer_fits_is_left_out_and_told(filled: Database) -> None:
    saved = filled.views.save("Cities", "city = Oslo", columns=["company", "city"])
    filled.catalogue.set("city", enabled=False)
    page = filled.views.open(saved)
    assert [column.key for column in page.columns] == ["company"]
    assert page.rows == (), "rather none than leads that the view was not about"
    assert sorted(violation.field for violation in page.left_out) == ["columns[1]", "filter.city"]


@pytest.mark.parametrize(("view", "field"), [("nowhere", "view"), ("", "view"), ("\ud800", "view"), ("MINE", "view")])
def test_what_is_no_view_is_refused(db: Database, view: str, field: str) -> None:
    with pytest.raises(leadcore.InvalidError) as refused:
        db.views.open(view)
    assert refused.value.violations[0].field == field
    with pytest.raises(leadcore.NotFoundError):
        db.views.open(uuid.uuid4())
    with pytest.raises(leadcore.InvalidError):
        db.views.rename("mine", "Ours")
    with pytest.raises(TypeError):
        db.views.open(7)  # type: ignore[arg-type]


def test_everything_wrong_with_a_view_is_told_at_once(db: Database) -> None:
    with pytest.raises(leadcore.InvalidError) as refused:
        db.views.save(" ", "amount ~ 3", columns=["company", "company"], group_by="description")
    assert {violation.field for violation in refused.value.violations} >= {"name", "columns", "group_by"}
    with pytest.raises(leadcore.InvalidError) as refused:
        db.views.open("all", columns=["company", "compny", "cty"])
    assert [violation.field for violation in refused.value.violations] == ["columns[1]", "columns[2]"]
    with pytest.raises(leadcore.InvalidError):
        db.views.save("x", shape="round")  # type: ignore[arg-type]


def test_the_menu_is_each_users_own(filled: Database) -> None:
    saved = filled.views.save("Fairs", "source = Fair")
    filled.views.arrange([saved, "unread"])
    filled.views.set_default(saved)
    entries = filled.views.list()
    assert [entry.view for entry in entries][:3] == [str(saved.id), "unread", "mine"]
    assert [entry.name for entry in entries if entry.is_default] == ["Fairs"]
    filled.views.unpin(saved)
    assert filled.views.list()[0].view == "unread"
    assert filled.as_user("bob").views.list()[0].view == "mine"
    with pytest.raises(leadcore.InvalidError):
        filled.as_user(None).views.pin("all")


def test_unread_until_opened(filled: Database) -> None:
    bob = filled.as_user("bob")
    lead = filled.leads.by_number(1)
    assert bob.leads.open(lead) == lead
    assert rows(bob, "unread") == ["Beta", "Gamma"]
    bob.leads.mark_read(row.lead for row in bob.views.open("unread"))
    assert rows(bob, "unread") == []
    bob.leads.mark_unread([lead.id, uuid.uuid4()])
    assert rows(bob, "unread") == ["Alfa"]
    bob.leads.mark_all_read()
    assert rows(bob, "unread") == []
    with pytest.raises(leadcore.InvalidError):
        filled.as_user(None).leads.mark_all_read()
    with pytest.raises(leadcore.NotFoundError):
        bob.leads.open(uuid.uuid4())


def test_changes_miss_nothing(filled: Database) -> None:
    copy: dict[uuid.UUID, leadcore.Lead] = {}
    after, more = None, True
    while more:
        page = filled.leads.changes(after, limit=1)
        copy |= {lead.id: lead for lead in page.leads}
        after, more = page.next, page.more
    assert sorted(lead.company or "" for lead in copy.values()) == ["Alfa", "Beta", "Gamma"]
    lead = filled.leads.edit(filled.leads.by_number(1), city="Voss")
    gone = filled.leads.by_number(2)
    filled.leads.delete(gone)
    page = filled.leads.changes(after)
    assert (page.leads, page.gone) == ((lead,), (gone.id,))
    assert filled.leads.changes(page.next).leads == ()
    with pytest.raises(leadcore.InvalidError):
        filled.leads.changes(page.next + 1000)
    with pytest.raises(leadcore.InvalidError):
        filled.leads.changes(limit=0)


def test_facets_name_their_values(filled: Database) -> None:
    [source, owner] = filled.leads.facets(["source", "owner"], where="amount >= 1")
    assert [(value.value, value.name, value.count) for value in source] == [
        (None, "", 1),
        (filled.sources.list()[0], "Fair", 1),
    ]
    assert [(value.value, value.count) for value in owner] == [("ada", 1), ("bob", 1)]
    with pytest.raises(leadcore.UnsupportedError):
        filled.leads.facets(["description"])
    with pytest.raises(leadcore.InvalidError):
        filled.leads.facets(["nothing"])


def test_a_team_and_an_offset_are_said_of_a_user(filled: Database) -> None:
    team = F.owner == F.my_team
    with pytest.raises(leadcore.InvalidError):
        filled.leads.count(where=team)
    assert filled.as_user("ada", team=["bob"]).leads.count(where=team) == 3
    assert filled.as_user("cleo", team=["bob"]).leads.count(where=team) == 1
    with pytest.raises(TypeError):
        filled.as_user("ada", team="bob")
    with leadcore.open(":memory:", user="ada", team=["bob"], utc_offset=ZoneInfo("Europe/Oslo")) as db:
        db.as_user("bob").leads.create(company="Theirs")
        assert db.leads.count(where=team & F.created_at.during("today") & (F.created_at < F.now)) == 1


@pytest.mark.parametrize("hours", [-11, 0, 13])
def test_days_begin_where_the_user_lives(db: Database, hours: int) -> None:
    zone = datetime.timezone(datetime.timedelta(hours=hours))
    here = [db.as_user("ada", utc_offset=zone), db.as_user("ada", utc_offset=datetime.timedelta(hours=hours))]
    lead = db.leads.create(company="Alfa")
    shown = lead.created_at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    for user in here:
        assert user.views.open("all", columns=["created_at"])[0]["created_at"] == shown
        with user.transaction():
            assert user.views.open("all", columns=["created_at"])[0]["created_at"] == shown
        assert user.as_user("bob").views.open("all", columns=["created_at"])[0]["created_at"] == shown


def test_an_offset_that_there_is_not_is_refused(db: Database) -> None:
    with pytest.raises(leadcore.InvalidError):
        db.as_user("ada", utc_offset=datetime.timedelta(hours=24))


def test_hidden_fields_stay_hidden() -> None:
    roles = RoleTable().role("boss", Role.manager()).role("vi", Role.viewer().hide("amount"))
    roles = roles.user("ada", "boss").user("vi", "vi")
    with leadcore.open(":memory:", user="ada", policy=roles) as limited:
        limited.leads.create(company="Alfa", amount=5)
        shared = limited.views.share(limited.views.save("Large", "amount > 1", columns=["company", "amount"]))
        vi = limited.as_user("vi")
        page = vi.views.open(shared)
        # A view with a condition that vi may not see shows no lead, and says why.
        assert (page.rows, [broken.field for broken in page.left_out]) == ((), ["filter.amount", "columns[1]"])
        assert str(vi.views.get(shared).filter) == "any()"
        every = vi.views.open("all", columns=["company"])
        assert (dict(every[0].values), every[0].lead.amount) == ({"company": "Alfa"}, None)
        with pytest.raises(leadcore.InvalidError):
            vi.views.open("all", filter="amount > 1")


def test_a_text_is_a_filter_everywhere(filled: Database) -> None:
    assert filled.leads.list(where="amount >= 200")[0].company == "Beta"
    assert sum(filled.board(where="city = Oslo")[stage].count for stage in ("New", "Discussion")) == 1
    assert filled.leads.count_by("owner", where="amount >= 200") == {"bob": 1}
    assert filled.leads.count(where="") == 3
    with pytest.raises(leadcore.InvalidError, match="at character 11"):
        filled.leads.count(where="amount >= and")


@pytest.mark.parametrize(
    "where",
    [
        F.city == "Oslo",
        (F.amount >= 1000) | ~F.email.is_empty(),
        F.created_at.during("last_fiscal_year_from_4") & F.is_unread & F.has("contact"),
        F.source.in_(["Fair", 'a "quoted" one']),
        F.search("kari 2222") & F.created_at.last_days(3),
    ],
)
def test_text_leads_back_to_the_filter(where: leadcore.Filter) -> None:
    assert leadcore.Filter.parse(where.to_text()) == where
    assert str(where) == where.to_text()


def test_a_tree_that_is_no_filter_can_be_printed() -> None:
    broken = leadcore.Filter({"nonsense": 1})
    assert str(broken) == repr(broken)
    with pytest.raises(leadcore.InvalidError):
        broken.to_text()


def test_when_the_number_of_leads_is_known(db: Database) -> None:
    """As the documentation of `ListPage.total` says."""
    source = db.sources.add("Fair")
    db.leads.create_many([{"company": "A", "source": source}, {"company": "B"}])
    db.leads.delete(db.leads.create(company="C"))
    assert db.views.open("all").total == 2
    for known in ("source = Fair", "stage = New and state = open", "owner = me", "category is empty"):
        assert db.views.open("all", filter=known).total is not None, known
    for unknown in ("city = Oslo", "source = Fair and owner = me", "amount > 5"):
        assert db.views.open("all", filter=unknown).total is None, unknown
    assert db.views.open("all", search="a").total is None
    assert db.views.open("trash").total is None
