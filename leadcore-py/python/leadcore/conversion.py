"""A conversion that was decided and not done yet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from ._leadcore import Contact
from .arguments import check, several
from .arguments import compiled as _leadcore
from .conversion_options import (
    CustomerType,
    EstimateChoice,
    customer_said,
    estimates_choice,
    one_of,
    opportunity_said,
    persons_said,
    uuid_of,
)
from .conversion_outcome import Document
from .conversion_parts import (
    FieldWrite,
    PlannedAccount,
    PlannedContact,
    PlannedEstimate,
    PlannedLink,
    PlannedOpportunity,
    PlannedService,
    estimate_of,
    id_of,
    link_of,
    service_of,
    service_told,
    write_of,
)
from .exceptions import InvalidError, Violation
from .fields import AccountInput, ContactInput
from .html import facts, grid, part
from .lines import LeadLines, LineRef, lead_lines_of
from .matching import Matches, matches_of
from .opportunity import OpportunityInput
from .plan import Plan
from .series import NumberSeries, SeriesRef, series_of

__all__ = ["ConversionPlan"]


class ConversionPlan(Plan):
    """A conversion, decided and not yet done: pure data to store, show, edit and hand to ``db.apply``.

    A wizard changes it step by step, each step from plan to plan: :meth:`choose_estimates`,
    :meth:`customer_information`, :meth:`edit_services`. Whoever draws none applies it as it comes.

    >>> lead = db.leads.create(company="Nordlys AS", name="Anna Berg")
    >>> plan = db.leads.plan_conversion(lead)
    >>> plan.account_fields["name"]
    'Nordlys AS'
    >>> plan == leadcore.ConversionPlan.from_json(plan.to_json())
    True
    """

    __slots__ = ()

    def _refuse(self) -> None:
        _leadcore.conversion_check(self._json)

    @classmethod
    def _of(cls, text: str) -> ConversionPlan:
        """Read what the compiled module wrote."""
        plan = cls.__new__(cls)
        plan._data = json.loads(text)
        plan._json = json.dumps(plan._data, sort_keys=True)
        return plan

    @property
    def lead_id(self) -> UUID:
        """The lead."""
        return UUID(self._data["lead"])

    @property
    def revision(self) -> int:
        """The revision of the lead when the plan was made; a lead that changed since needs a new plan."""
        revision: int = self._data["revision"]
        return revision

    @property
    def account(self) -> PlannedAccount:
        """The account that it becomes."""
        choice = self._data["account"]
        if choice == "none":
            return PlannedAccount("none", None, {}, None, None)
        [(kind, told)] = choice.items()
        fields = json.loads(json.dumps(told["fields"]))
        number = told.get("next_number") or None
        return PlannedAccount(kind, id_of(told.get("id")), fields, number, id_of(told.get("series")))

    @property
    def is_new_account(self) -> bool:
        """Whether the lead becomes a new account, rather than part of one that exists, or none."""
        return self.account.kind == "new"

    @property
    def account_fields(self) -> dict[str, Any]:
        """The fields of the account after the conversion; empty without one."""
        return self.account.fields

    @property
    def next_number(self) -> int | None:
        """The customer number that comes next, for a new account; not reserved. ``None`` in a used-up series."""
        return self.account.next_number

    @property
    def contacts(self) -> tuple[PlannedContact, ...]:
        """The persons of the customer."""
        found = []
        for one in self._data["contacts"]:
            [(kind, told)] = one["who"].items()
            fields: dict[str, Any] = {}
            which = told if kind == "existing" else told.get("id") if kind == "known" else None
            if kind != "existing":
                fields = json.loads(json.dumps(told["fields"] if kind == "known" else told))
            instead_of = tuple(UUID(one) for one in told.get("instead_of", ())) if kind == "known" else ()
            found.append(PlannedContact(kind, id_of(which), one["is_primary"], fields, instead_of))
        return tuple(found)

    @property
    def own_persons(self) -> dict[UUID, dict[str, Any]]:
        """The persons that hang on the lead and come along as they are, with what is known of them.

        What else they are is said by ``customer_information(person_fields=…)``.
        """
        told = json.loads(json.dumps(self._data.get("own_persons", ())))
        return {UUID(one["id"]): one["fields"] for one in told}

    @property
    def hidden(self) -> list[str]:
        """What the acting user may not see.

        The plan is shown without these fields, and nothing that it says of them is written: they become what the
        mapping makes of them. Where the amount is hidden, so are the prices of estimates and services. What a rule
        takes from a hidden field into another one is not shown either, and written when the plan is applied.
        """
        fields: list[str] = list(self._data.get("hidden", ()))
        return fields

    @property
    def opportunity(self) -> PlannedOpportunity | None:
        """The opportunity that comes of it."""
        choice = self._data.get("opportunity")
        if choice is None:
            return None
        [(kind, told)] = choice.items()
        ending = told.get("ending", "open")
        state: Any = ending if isinstance(ending, str) else next(iter(ending))
        fields = json.loads(json.dumps(told["fields"]))
        which, series = id_of(told.get("id")), id_of(told.get("series"))
        return PlannedOpportunity(kind, which, fields, state, told.get("next") or None, series)

    @property
    def products(self) -> LeadLines | None:
        """The products of the lead with what they add up to; ``None`` where it has none.

        They stay where they are, and account and opportunity show them (``db.lines.list``). What the opportunity is
        worth is said by its own amount, or by its own lines.
        """
        told = json.loads(_leadcore.conversion_told(self._json))["products"]
        return None if told is None else lead_lines_of(told)

    @property
    def estimates(self) -> tuple[PlannedEstimate, ...]:
        """The estimates of the lead that may become services."""
        return tuple(estimate_of(told) for told in self._data.get("estimates", ()))

    @property
    def services(self) -> tuple[PlannedService, ...]:
        """The services of the customer."""
        return tuple(service_of(told) for told in self._data.get("services", ()))

    @property
    def customer(self) -> CustomerType:
        """What the customer is, and which document it gets."""
        customer: CustomerType = self._data.get("customer", "neither")
        return customer

    @property
    def matches(self) -> Matches | None:
        """Accounts and contacts that the lead may be, with what speaks for each."""
        told = self._data.get("matches")
        return None if told is None else matches_of(told)

    @property
    def writes(self) -> tuple[FieldWrite, ...]:
        """Which rule of the conversion mapping writes what, with what was there before and what is dropped."""
        return tuple(write_of(told) for told in self._data.get("writes", ()))

    @property
    def dropped(self) -> tuple[FieldWrite, ...]:
        """The writes of which something is nowhere afterwards but on the lead."""
        return tuple(write for write in self.writes if write.why is not None)

    @property
    def stays_on_lead(self) -> list[str]:
        """The fields with a value that nothing has after the conversion; they stay readable on the lead."""
        fields: list[str] = list(self._data["stays_on_lead"])
        return fields

    @property
    def series(self) -> tuple[NumberSeries, ...]:
        """The series of customer numbers, each with the number that comes next and those that were given last."""
        return tuple(series_of(told) for told in self._data.get("series", ()))

    @property
    def opportunity_series(self) -> tuple[NumberSeries, ...]:
        """The same of the numbers of opportunities, where there will be a new one."""
        return tuple(series_of(told) for told in self._data.get("opportunity_series", ()))

    @property
    def links(self) -> tuple[PlannedLink, ...]:
        """The links that it adds, as things stood when it was made; what is linked already is not in it.

        What hangs on the lead (notes, calls, files, estimates …) is not in it: it stays where it is, and is shown with
        the customer too, by the first of these links.
        """
        return tuple(link_of(told) for told in json.loads(_leadcore.conversion_told(self._json))["links"])

    def choose_estimates(self, choice: EstimateChoice) -> ConversionPlan:
        """Step 1 of a wizard: whose lines become services.

        Services that were there are replaced by copies of the lines of these estimates.

        Args:
            choice: ``"all"`` that are offered, the ``"accepted"`` ones, these, or ``None``.

        Raises:
            InvalidError: For an estimate that is not offered: it is over, another version of it counts, or it
                is not of this lead; for one whose lines became services already; for more than 1,000 lines; and for
                any estimate when there is no account.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS", currency="EUR")
            >>> offer = db.estimates.create(lead, title="Roof", lines=[leadcore.Line("Panel", 12, 200)])
            >>> offer = db.estimates.send(offer)
            >>> plan = db.leads.plan_conversion(lead)
            >>> [(one.title, one.chosen) for one in plan.estimates]
            [('Roof', False)]
            >>> [service.line.description for service in plan.choose_estimates([offer]).services]
            ['Panel']

        """
        return self._of(_leadcore.conversion_estimates(self._json, json.dumps(estimates_choice(choice))))

    @property
    def missing(self) -> tuple[Violation, ...]:
        """What a new account, contact and opportunity must have and have not yet.

        :meth:`customer_information` fills it in.

        So are series that have no number left, ``series`` and ``opportunity.series``: :meth:`number_in` chooses another
        one, :meth:`without_opportunity` does without. A plan that misses something is not carried out.
        """
        told = self._data.get("missing", ())
        return tuple(Violation(one["field"], one["code"], one["message"]) for one in told)

    def customer_information(
        self,
        customer: CustomerType,
        *,
        convert_now: bool = False,
        account_fields: AccountInput | None = None,
        contact_fields: ContactInput | None = None,
        person_fields: Mapping[Contact | UUID | str, ContactInput] | None = None,
        opportunity_fields: OpportunityInput | None = None,
    ) -> ConversionPlan:
        """Step 2: what the customer is, which document it gets, and what its form says.

        Args:
            customer: ``"active_with_invoice"``, ``"inactive_with_proforma"`` or ``"neither"``. A new account becomes a
                customer or a prospect by this; one that is there becomes a customer, and never less than it is.
            convert_now: Leave the services out: the plan is ready.
            account_fields: What is written over what the plan says of a new account, by the keys of
                ``db.accounts.edit``; a category by record or id.
            contact_fields: The same for the new contact that the person of the lead becomes.
            person_fields: The same for further persons of the lead, each by its contact (:attr:`own_persons`).
            opportunity_fields: The same for a new opportunity, by the keys of ``db.opportunities.edit``; a source by
                record or id.

        Raises:
            InvalidError: With every value that does not fit (``account.x_terms``, ``contact.email``), and for an
                account, a person or an opportunity that is there already: they are edited by themselves.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> plan = db.leads.plan_conversion(lead).customer_information("inactive_with_proforma")
            >>> plan.account_fields["status"], plan.document
            ('prospect', 'proforma')

        """
        kind = json.dumps(one_of("customer", customer, CustomerType))
        check("convert_now", convert_now, bool, "true or false")
        profile, contact = customer_said(account_fields, contact_fields)
        persons = persons_said(person_fields)
        said = (profile, contact, persons)
        deal = opportunity_said(opportunity_fields)
        told = _leadcore.conversion_customer(self._json, kind, convert_now, *said)
        return self._of(told if opportunity_fields is None else _leadcore.conversion_opportunity(told, *deal))

    def number_in(self, series: SeriesRef) -> ConversionPlan:
        """Step 2: number the new account, or the new opportunity, in another series.

        Args:
            series: One of :attr:`series`, or of :attr:`opportunity_series`, which numbers the opportunity.

        Raises:
            InvalidError: For a series that the plan does not show, and for one that is used up or archived.

        Example:
            >>> north = db.series.add("opportunity", "North", prefix="N-")
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> db.leads.plan_conversion(lead, opportunity=True).number_in(north).opportunity.next_number
            'N-1'

        """
        which = uuid_of("series", series, NumberSeries, "a series or its id")
        return self._of(_leadcore.conversion_series(self._json, UUID(which)))

    def without_opportunity(self) -> ConversionPlan:
        """Step 2: no opportunity after all. What only it would have taken along stays on the lead.

        >>> lead = db.leads.create(company="Nordlys AS", amount=3000, currency="EUR")
        >>> plan = db.leads.plan_conversion(lead, opportunity=True).without_opportunity()
        >>> plan.opportunity, "amount" in plan.stays_on_lead
        (None, True)
        """
        return self._of(_leadcore.conversion_no_opportunity(self._json))

    def edit_services(self, services: Iterable[PlannedService | LineRef]) -> ConversionPlan:
        """Step 3: the services as they were edited. One keeps the line that it was copied from, another is new.

        Raises:
            InvalidError: With every rule that each of them breaks: ``services[1].quantity``.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS", currency="EUR")
            >>> plan = db.leads.plan_conversion(lead)
            >>> plan = plan.edit_services([*plan.services, leadcore.Line("Care", 12, 49)])
            >>> [service.line.quantity for service in plan.services]
            [Decimal('12')]

        """
        given = several("services", services, "several services")
        told, broken = [], []
        for n, one in enumerate(given):
            try:
                told.append(service_told(n, one))
            except InvalidError as error:
                broken.extend(error.violations)
        if broken:
            raise InvalidError("; ".join(str(one) for one in broken), violations=broken)
        return self._of(_leadcore.conversion_services(self._json, json.dumps(told)))

    @property
    def document(self) -> Document | None:
        """The document that your program makes for the customer."""
        document: Document | None = json.loads(_leadcore.conversion_told(self._json))["document"]
        return document

    def __repr__(self) -> str:
        account = self.account
        told = {"new": "new account", "existing": "existing account", "none": "no account"}[account.kind]
        parts = [told, f"{len(self.contacts)} contacts"]
        if self.opportunity is not None:
            parts.append(f"{self.opportunity.kind} opportunity")
        if self.services:
            parts.append(f"{len(self.services)} services")
        return f"<ConversionPlan {', '.join(parts)}>"

    def _repr_html_(self) -> str:
        """What it does, for notebooks."""
        account = self.account
        number = next((one.next for one in self.series if account.series_id in (one.id, None)), account.next_number)
        shown = part(
            "Conversion",
            facts([("account", account.kind), ("name", account.fields.get("name")), ("next number", number)]),
        )
        writes: Sequence[FieldWrite] = self.writes
        rows = [(one.source, one.target, one.old, one.new, one.dropped, one.why) for one in writes]
        shown += grid(("from", "to", "before", "after", "dropped", "why"), rows)
        if self.products is not None:
            shown += part("Products", self.products._repr_html_())
        return shown if self.matches is None else shown + part("Matches", self.matches._repr_html_())
