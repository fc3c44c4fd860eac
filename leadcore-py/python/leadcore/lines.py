"""Lines of estimates, what they add up to, and the products of leads."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

from .arguments import check, expected, several
from .arguments import compiled as _leadcore
from .exceptions import refused
from .html import MOST_ROWS, facts, grid
from .subjects import check_unicode, time_of
from .values import Record

if TYPE_CHECKING:
    from .database import Database
    from .leads import LeadRef
    from .subjects import SubjectRef

__all__ = ["LeadLines", "Line", "LineRef", "Lines", "TaxTotal", "Totals"]


@dataclass(frozen=True, slots=True, init=False)
class Line(Record):
    """So much of something for this price.

    >>> line = leadcore.Line("Panel", 12, "199.99", discount="5 %", tax=25, tax_name="VAT")
    >>> line.discount_percent, line.tax
    (Decimal('5'), Decimal('25'))
    """

    description: str
    """What it is."""
    quantity: Decimal
    """How much of it, at most 6 decimal places."""
    unit_price: Decimal
    """The price of one, without tax, at most 6 decimal places."""
    product: str | None = field(repr=False)
    """Your own code of the product."""
    unit: str | None = field(repr=False)
    """What the quantity counts: ``h``, ``pcs``."""
    discount: Decimal | None = field(repr=False)
    """This amount is taken off the line."""
    discount_percent: Decimal | None = field(repr=False)
    """Or so many percent of it."""
    tax: Decimal | None = field(repr=False)
    """The rate of its tax in percent."""
    tax_name: str | None = field(repr=False)
    """What the tax is called. Lines of one rate and name are taxed together."""

    def __init__(
        self,
        description: str,
        quantity: Decimal | float | str = 1,
        unit_price: Decimal | float | str = 0,
        *,
        product: str | None = None,
        unit: str | None = None,
        discount: Decimal | float | str | None = None,
        discount_percent: Decimal | float | str | None = None,
        tax: Decimal | float | str | None = None,
        tax_name: str | None = None,
    ) -> None:
        """Best numbers are ``Decimal``; others, and text, are read as what they print as.

        A ``discount`` like ``"5 %"`` is one in percent.
        """
        given = {
            "description": description,
            "quantity": quantity,
            "unit_price": unit_price,
            "product": product,
            "unit": unit,
            "discount": discount,
            "discount_percent": discount_percent,
            "tax": tax,
            "tax_name": tax_name,
        }
        for name, value in _read(given, "").items():
            object.__setattr__(self, name, value)

    @classmethod
    def _of(cls, given: Mapping[str, Any], path: str) -> Line:
        """The line of a mapping; ``path`` stands before the names in what is said of them."""
        return cls(**_read(given, path))


LineRef: TypeAlias = Line | Mapping[str, Any]
"""A line: the record, or the same as a mapping of its names."""

_NUMBERS: Final = ("quantity", "unit_price", "discount", "discount_percent", "tax")


def _read(given: Mapping[str, Any], path: str) -> dict[str, Any]:
    """What a line has, its numbers exact. ``path`` stands before the names in what is said of them."""
    known = [one.name for one in fields(Line)]
    said: dict[str, Any] = {"quantity": 1, "unit_price": 0, **dict.fromkeys(known[3:]), **given}
    for name in said:
        if name not in known:
            raise refused(f"{path}{name}", "unknown", "a line has no such field")
    if "description" not in said:
        raise refused(f"{path}description", "required", "a line says what it is")
    check(f"{path}description", said["description"], str, "text")
    for name in ("product", "unit", "tax_name"):
        check(f"{path}{name}", said[name], (str, type(None)), "text or None")
    for name, value in said.items():
        check_unicode(f"{path}{name}", value)
    percent = said["discount"]
    if isinstance(percent, str) and percent.rstrip().endswith("%"):
        if said["discount_percent"] is not None:
            raise _twice(path)
        said["discount"], said["discount_percent"] = None, percent.rstrip()[:-1]
    if isinstance(said["tax"], str):
        said["tax"] = said["tax"].strip().removesuffix("%")
    for name in _NUMBERS:
        optional = name not in ("quantity", "unit_price")
        said[name] = None if optional and said[name] is None else number_of(f"{path}{name}", said[name])
    if said["discount"] is not None and said["discount_percent"] is not None:
        raise _twice(path)
    return {name: said[name] for name in known}


def _twice(path: str) -> Exception:
    return refused(f"{path}discount", "not_allowed", "`discount` and `discount_percent` exclude each other")


def number_of(name: str, given: object) -> Decimal:
    """A number, exactly as it was given."""
    if isinstance(given, bool) or not isinstance(given, (Decimal, int, float, str)):
        raise expected(name, "a number", given)
    try:
        exact = Decimal(str(given).strip())
    except (InvalidOperation, ValueError):  # an int of more digits than may be printed is a ValueError
        raise refused(name, "malformed", "this is not a number") from None
    if not exact.is_finite():
        raise refused(name, "malformed", "a number is finite: not NaN, and not infinite")
    if not -40 <= exact.adjusted() < 28:
        raise refused(name, "out_of_range", "a number has at most 28 digits")
    return exact


def lines_json(given: Iterable[LineRef], name: str = "lines") -> list[dict[str, Any]]:
    """The lines as the compiled module reads them: numbers in their written form."""
    if isinstance(given, (Mapping, Line)):
        raise expected(name, "several lines", given)
    told = []
    for n, line in enumerate(several(name, given, "several lines")):
        if isinstance(line, Line):
            said = {one.name: getattr(line, one.name) for one in fields(Line)}
        else:
            check(f"{name}[{n}]", line, Mapping, "a line, or a mapping of its fields")
            said = _read(line, f"{name}[{n}].")
        told.append({key: f"{value:f}" if isinstance(value, Decimal) else value for key, value in said.items()})
    return told


def line_json(given: LineRef, path: str = "") -> list[dict[str, Any]]:
    """One line as the compiled module reads it; what is wrong in it is told by its own fields, behind ``path``."""
    check(f"{path}line", given, (Line, Mapping), "a line, or a mapping of its fields")
    return lines_json([given if isinstance(given, Line) else Line._of(given, path)])


def line_of(told: Mapping[str, Any]) -> Line:
    """A line that the compiled module wrote."""
    discount, tax = told.get("discount", {}), told.get("tax", {})
    return Line(
        told["description"],
        told["quantity"],
        told["unit_price"],
        product=told.get("product"),
        unit=told.get("unit"),
        discount=discount.get("amount"),
        discount_percent=discount.get("percent"),
        tax=tax.get("percent"),
        tax_name=tax.get("name"),
    )


@dataclass(frozen=True, slots=True)
class TaxTotal(Record):
    """The tax of the lines of one rate and name, rounded once."""

    name: str | None
    """What the tax is called."""
    percent: Decimal
    """The rate."""
    net: Decimal
    """What its lines come to without tax."""
    tax: Decimal
    """The tax on that."""


@dataclass(frozen=True, slots=True)
class Totals(Record):
    """What lines add up to, to the smallest unit of the currency."""

    net: Decimal
    """What is to be paid without tax."""
    discount: Decimal
    """What was taken off to get there."""
    taxes: tuple[TaxTotal, ...] = field(repr=False)
    """The tax of each rate, by name, then by rate."""
    tax: Decimal
    """The tax of all rates."""
    gross: Decimal
    """Net and tax."""


def totals_of(told: Mapping[str, Any]) -> Totals:
    """Totals that the compiled module wrote."""
    taxes = tuple(
        TaxTotal(one.get("name"), Decimal(one["percent"]), Decimal(one["net"]), Decimal(one["tax"]))
        for one in told.get("taxes", ())
    )
    return Totals(Decimal(told["net"]), Decimal(told["discount"]), taxes, Decimal(told["tax"]), Decimal(told["gross"]))


def lines_table(lines: Sequence[Line], nets: Sequence[Decimal], totals: Totals, currency: str | None) -> str:
    """Lines as a table, for notebooks, with what they add up to."""
    said = [(line, net, line.discount, line.discount_percent) for line, net in zip(lines, nets, strict=False)]
    rows: list[tuple[object, ...]] = [
        (
            line.description,
            f"{line.quantity:f} {line.unit or ''}".strip(),
            f"{line.unit_price:f}",
            f"{percent:f} %" if percent is not None else amount,
            None if line.tax is None else f"{line.tax_name or ''} {line.tax:f} %".strip(),
            f"{net:f}",
        )
        for line, net, amount, percent in said[:MOST_ROWS]
    ]
    shown = grid(("description", "quantity", "unit price", "discount", "tax", "net"), rows, len(said) - len(rows))
    taxes = [(f"{tax.name or 'tax'} {tax.percent:f} %", f"{tax.tax:f}") for tax in totals.taxes]
    total = f"{totals.gross:f} {currency or ''}".strip()
    return shown + facts([("net", f"{totals.net:f}"), *taxes, ("total", total)])


@dataclass(frozen=True, slots=True)
class LeadLines(Record):
    """The products of a lead. It is a sequence of its lines."""

    lead_id: UUID = field(repr=False)
    """The lead."""
    revision: int = field(repr=False)
    """How often they were written."""
    currency: str | None
    """The currency of all lines, ISO 4217."""
    lines: tuple[Line, ...]
    """The lines."""
    nets: tuple[Decimal, ...] = field(repr=False)
    """What each line comes to without tax, in their order."""
    totals: Totals = field(repr=False)
    """What they add up to."""
    created_at: datetime = field(repr=False)
    """When they were first written."""
    updated_at: datetime = field(repr=False)
    """When they were last written."""

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)

    def __getitem__(self, index: int) -> Line:
        return self.lines[index]

    def _repr_html_(self) -> str:
        """The lines and what they add up to, for notebooks."""
        return lines_table(self.lines, self.nets, self.totals, self.currency)


def _list(text: str | None) -> LeadLines | None:
    return None if text is None else lead_lines_of(json.loads(text))


def lead_lines_of(told: Mapping[str, Any]) -> LeadLines:
    """The products of a lead that the compiled module wrote."""
    return LeadLines(
        UUID(told["lead"]["id"]),
        told["revision"],
        told.get("currency"),
        tuple(line_of(line) for line in told["lines"]),
        tuple(Decimal(net) for net in told["nets"]),
        totals_of(told["totals"]),
        time_of(told["created_at"]),
        time_of(told["updated_at"]),
    )


class Lines:
    """``db.lines``: the products of leads."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.lines``."""
        self._db = db

    def of(self, lead: LeadRef) -> LeadLines | None:
        """The products of a lead with their totals; ``None`` where it has none.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.lines.of(lead) is None
        True
        """
        return _list(_leadcore.lines_of(self._db._session, lead))

    def list(self, subject: SubjectRef) -> builtins.list[LeadLines]:
        """The products that a lead, an account or an opportunity shows, those of the oldest lead first.

        An account shows those of the leads that became it; an opportunity those of the lead that it was made of, and of
        the leads that joined it. They stay the leads': nothing is copied.

        >>> lead = db.leads.create(company="Nordlys AS", currency="EUR")
        >>> _ = db.lines.set(lead, [leadcore.Line("Panel", 12, 200)])
        >>> done = db.leads.convert(lead.id, opportunity=True)
        >>> [shown.lines[0].description for shown in db.lines.list(("opportunity", done.opportunity_id))]
        ['Panel']
        """
        return [lead_lines_of(told) for told in json.loads(_leadcore.lines_list(self._db._session, subject))]

    def set(
        self,
        lead: LeadRef | LeadLines,
        lines: Iterable[LineRef],
        *,
        currency: str | None = None,
        with_amount: bool = True,
    ) -> LeadLines | None:
        """Write the products of a lead in the place of those that it has; without lines it has none then.

        Args:
            lead: Which lead; or the products as they were read, to be refused when they changed since.
            lines: Each a :class:`Line`, or a mapping of its fields.
            currency: The currency of all lines; that of the lead when not said.
            with_amount: Whether their net total and its currency become the amount and currency of the lead.

        Raises:
            InvalidError: With every broken rule of every line: ``lines[3].quantity``.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS", currency="NOK")
            >>> panels = {"description": "Panel", "quantity": 12, "unit_price": 200}
            >>> db.lines.set(lead, [panels, leadcore.Line("Inverter", 1, 900)]).totals.net
            Decimal('3300')
            >>> db.leads.get(lead).amount
            Decimal('3300')

        """
        which, revision = (lead.lead_id, lead.revision) if isinstance(lead, LeadLines) else (lead, None)
        check("currency", currency, (str, type(None)), "text or None")
        text = json.dumps(lines_json(lines))
        return _list(_leadcore.lines_set(self._db._session, which, revision, text, currency, with_amount))
