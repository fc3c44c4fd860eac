"""Conversion into what is there: who may, and what is neither shown nor written."""

from __future__ import annotations

from typing import Any

import leadcore
import pytest
from conftest import became
from leadcore import ConversionPlan, Database, Role, RoleTable


def test_what_is_hidden_of_a_customer_is_neither_shown_nor_written_by_a_plan(db: Database, tmp_path: Any) -> None:
    sales = Role().grant("view", "all").grant("create", "own").grant("edit", "own").grant("convert", "own")
    roles = RoleTable().role("sales", sales.hide("phone")).role("boss", Role.manager())
    roles = roles.user("eve", "sales").user("mona", "boss")
    with leadcore.open(tmp_path / "hidden.db", tenant="acme", policy=roles) as office:
        eve, mona = office.as_user("eve"), office.as_user("mona")
        theirs = mona.leads.convert(mona.leads.create(company="Nordlys AS", phone="+47 22 22 22 22")).account_id
        own = eve.leads.create(company="Nordlys Nord")
        for call in (eve.leads.plan_conversion, eve.leads.convert):
            with pytest.raises(leadcore.DeniedError):
                call(own, account=theirs)
        mine = became(eve.leads.convert(own))
        mona.accounts.edit(mona.accounts.get(mine), phone="+47 22 12 34 56")
        second = eve.leads.create(company="Nordlys Syd", city="Oslo")
        plan = eve.leads.plan_conversion(second, account=mine)
        assert (plan.hidden, "22123456" in plan.to_json().replace(" ", "")) == (["phone"], False)
        data = plan.to_dict()
        data["account"]["existing"]["fields"].update(name="Nordlys Syd AS", phones=[])
        del data["hidden"]
        eve.apply(ConversionPlan(data))
        account = mona.accounts.get(mine)
        assert (account.name, account.phone, account.city) == ("Nordlys Syd AS", "+47 22 12 34 56", "Oslo")
        assert db.leads.plan_conversion(db.leads.create(company="Nordlys AS")).hidden == []
