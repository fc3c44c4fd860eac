"""Random calls of every public method: whatever comes in, only the package's own exceptions come out."""

from __future__ import annotations

import contextlib
import datetime
import inspect
import os
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import leadcore
import pytest
from conftest import became
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from leadcore import F
from leadcore.fields import CONTACT_KEYS, LEAD_KEYS

MANAGERS = ("leads", "contacts", "accounts", "pipelines", "sources", "labels", "catalogue", "views")
#: One more for a long run: LEADCORE_RANDOM_CALLS=10000 makes about that many.
RUNS = int(os.environ.get("LEADCORE_RANDOM_CALLS", "600"))

words = st.sampled_from(
    ["", "me", "Oslo", "company", "-updated_at", "Won", "New", "customer", "Fair", "NO", "NOK", "a@b.example", "22 22"]
)
anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.decimals(),
        words,
        st.text(st.characters(), max_size=20),
        st.binary(max_size=5),
        st.uuids(),
        st.datetimes(timezones=st.sampled_from([None, datetime.UTC])),
        st.sampled_from([F.city == "Oslo", F.amount > Decimal(1), ~F.search("x"), UUID(int=0)]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3), st.tuples(inner)),
    max_leaves=5,
)


@pytest.fixture(scope="module", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Any text is the name of a file to `backup_to`: it is made where it is in nobody's way."""
    with contextlib.chdir(tmp_path_factory.mktemp("random")):
        yield


def calls() -> list[tuple[str, str]]:
    with leadcore.open(":memory:") as db:
        found = [
            (manager, name)
            for manager in MANAGERS
            for name, _ in inspect.getmembers(getattr(db, manager), inspect.ismethod)
            if not name.startswith("_")
        ]
    own = ["apply", "as_user", "backup_to", "board", "set_required", "timeline", "timeline_page", "transaction"]
    return found + [("", name) for name in own]


CALLS = calls()


def filled() -> tuple[leadcore.Database, list[Any]]:
    db = leadcore.open(":memory:", user="ada")
    source = db.sources.add("Fair")
    lead = db.leads.create(company="Nordlys AS", source=source)
    contact = db.contacts.add(lead, name="Anna Berg")
    plan = db.leads.plan_conversion(lead)
    other = db.leads.create(company="Fjord AS")
    account = db.accounts.get(became(db.leads.convert(other)))
    trashed = db.leads.create(company="Gone")
    db.leads.delete(trashed)
    return db, [source, lead, lead.id, contact, plan, account, other, trashed, lead.stage, lead.pipeline]


def arguments(method: Any, data: st.DataObject, records: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    value = st.one_of(anything, st.sampled_from(records))
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for name, parameter in inspect.signature(method).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            keys = st.sampled_from([*sorted(LEAD_KEYS | CONTACT_KEYS), "emial"])
            kwargs.update(data.draw(st.dictionaries(keys, value, max_size=4)))
        elif parameter.default is parameter.empty:
            args.append(data.draw(value))
        elif data.draw(st.booleans()):
            kwargs[name] = data.draw(value)
    return args, kwargs


@settings(max_examples=RUNS // 5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_only_our_exceptions_come_out(data: st.DataObject) -> None:
    db, records = filled()
    with db:
        for _ in range(5):
            manager, name = data.draw(st.sampled_from(CALLS))
            method = getattr(getattr(db, manager) if manager else db, name)
            args, kwargs = arguments(method, data, records)
            # A value of a wrong Python type is a TypeError or AttributeError, as everywhere in Python.
            with contextlib.suppress(leadcore.LeadcoreError, TypeError, AttributeError):
                result = method(*args, **kwargs)
                if inspect.isgenerator(result):
                    list(result)
            # Nothing was left half done.
            assert db.leads.count() >= 0
            assert all(lead.to_dict()["id"] == lead.id for lead in db.leads.iter())


@given(anything)
@settings(max_examples=RUNS // 5, deadline=None)
def test_every_field_takes_or_refuses_everything(value: Any) -> None:
    with leadcore.open(":memory:") as db:
        for key in sorted(LEAD_KEYS):
            with contextlib.suppress(leadcore.LeadcoreError):
                [lead] = db.leads.create_many([{key: value}])
                assert db.leads.get(lead) == lead
