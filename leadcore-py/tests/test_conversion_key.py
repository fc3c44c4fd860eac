"""A caller's own key for a conversion and its way back."""

from __future__ import annotations

import leadcore
import pytest
from leadcore import Database


def test_a_key_of_the_callers_stands_for_one_conversion(db: Database) -> None:
    lead, other = db.leads.create(company="Nordlys AS"), db.leads.create(company="Fjord AS")
    first = db.leads.convert(lead.id, key="order 4711")
    again = db.leads.convert(lead.id, key="order 4711")
    assert (again.account_id, again.newly_converted) == (first.account_id, False)
    with pytest.raises(leadcore.ConflictError):
        db.leads.convert(other.id, key="order 4711")
    with pytest.raises(leadcore.ConflictError):
        db.leads.convert(lead.id, key="order 4711", status="prospect")
    back = db.leads.unconvert(lead, key="back 1")
    assert db.leads.unconvert(lead, key="back 1").operation == back.operation
    # A late retry of the first call does not convert again.
    assert db.leads.convert(lead.id, key="order 4711").account_id == first.account_id
    assert db.leads.get(lead.id).state == "open"
    for bad in (" ", "x" * 201):
        with pytest.raises(leadcore.InvalidError, match="key"):
            db.leads.convert(other.id, key=bad)
