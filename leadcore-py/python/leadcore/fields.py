"""What can be set on leads and contacts, by keyword."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeAlias, TypedDict
from uuid import UUID

from leadcore.exceptions import InvalidError, Violation
from leadcore.models import Choice, Email, Phone, Stage, Term

__all__ = ["AccountInput", "ContactInput", "FieldInput", "FieldType", "FieldsOf", "LeadInput", "StageRef", "TermRef"]

TermRef: TypeAlias = Term | UUID | str
"""A term: the record, its id, or its name."""

StageRef: TypeAlias = Stage | UUID | str
"""A stage: the record, its id, or its name."""

EmailInput: TypeAlias = str | Email | Iterable[str | Email] | None
"""E-mail addresses: text with commas, an :class:`Email`, or a list of either."""

PhoneInput: TypeAlias = str | Phone | Iterable[str | Phone] | None
"""Phone numbers likewise."""

FieldsOf: TypeAlias = Literal["lead", "account", "contact", "opportunity"]
"""Whose fields."""

FieldType: TypeAlias = Literal[
    "text",
    "long_text",
    "integer",
    "decimal",
    "money",
    "date",
    "time",
    "bool",
    "one_of",
    "many_of",
    "user",
    "link",
    "email",
    "phone",
    "url",
]
"""What a custom field takes, and what a record has of it: ``str`` for ``text``, ``long_text``, ``one_of``, ``user``,
``email``, ``phone`` and ``url``; ``int``; ``Decimal``; :class:`Money`; ``datetime.date`` and aware UTC ``datetime``;
``bool``; a tuple of ``str`` for ``many_of``; for a ``link`` kind and id of the record: ``("lead", id)``."""


class LeadInput(TypedDict, total=False):
    """Everything a caller may set on a lead. ``None`` leaves or makes a field empty."""

    kind: Literal["company", "consumer"] | None
    """Whether the lead is a business or a private person; a company when not said."""
    company: str | None
    """Company name."""
    name: str | None
    """The person's full name; its parts are read from it."""
    first_name: str | None
    """The person's given name."""
    last_name: str | None
    """The person's family name."""
    salutation: str | None
    """How to address the person (``Dr.``)."""
    job_title: str | None
    """The person's position in the company."""
    email: EmailInput
    """E-mail addresses, the first one primary: a list, or text with commas."""
    phone: PhoneInput
    """Phone numbers likewise; a national number is read as one of the lead's country."""
    website: str | None
    """Web site."""
    street: str | None
    """Street and house number."""
    city: str | None
    """City."""
    state_region: str | None
    """State, province or region."""
    postal_code: str | None
    """Zip or postal code."""
    country: str | None
    """Country: its ISO code or its name."""
    tax_id: str | None
    """Tax number."""
    currency: str | None
    """Currency, as ISO code."""
    currency_symbol: str | None
    """The symbol to print, when it differs from the currency's own."""
    amount: Decimal | int | float | str | None
    """What the lead may be worth: at most 4 decimal places. Best a ``Decimal``."""
    industry: str | None
    """Line of business."""
    description: str | None
    """Anything else worth knowing."""
    probability: int | None
    """The chance to win in percent, where it differs from the stage's."""
    score: int | None
    """How promising it is, by a number of your own."""
    expected_close: date | str | None
    """The day on which it may be won; as text like ``2026-11-22``."""
    owner: str | None
    """The user responsible; the acting user when not said."""
    source: TermRef | None
    """Where the lead came from."""
    campaign: str | None
    """The campaign that brought it, as you call it."""
    category: TermRef | None
    """What kind of lead it is."""
    location: TermRef | None
    """The place it belongs to."""
    partner: TermRef | None
    """The reseller or unit it belongs to."""
    labels: Iterable[TermRef] | None
    """Labels."""
    external_id: str | Iterable[str] | None
    """What other systems call the lead, as ``system:id``."""
    custom: Mapping[str, Any] | None
    """Fields that the tenant added, by key. Each is an argument of its own too: ``x_budget=1000``; type checkers do not
    know those."""


class FieldInput(TypedDict, total=False):
    """What can be said of a custom field. ``None`` goes back to what holds when nothing is said."""

    type: FieldType
    """What it takes; ``text`` when not said."""
    label: str | None
    """What people read; the key when not said."""
    required: bool
    """Every new or edited record must have a value."""
    unique: bool
    """No two records have the same value; leads in the trash and archived accounts have none."""
    enabled: bool
    """Whether it takes values."""
    default: Any
    """What a new record gets when nothing is given."""
    choices: Iterable[Choice | str | tuple[str, str]] | Mapping[str, str] | None
    """Of ``one_of`` and ``many_of``: choices, codes, pairs of code and label, or labels by code."""
    currency: str | None
    """Of ``money``: the currency where none is said."""
    links_to: Literal["lead", "contact", "account"]
    """Of a ``link``: to what; a lead when not said."""
    section: str | None
    """The key of the section that it stands in."""
    order: int | None
    """The place on the form, lowest first."""
    help: str | None
    """What it is for."""
    min: Decimal | int | float | str | None
    """The smallest number."""
    max: Decimal | int | float | str | None
    """The largest number."""
    max_length: int | None
    """The longest text, in characters."""


class AccountInput(TypedDict, total=False):
    """Everything a caller may set on an account. ``None`` makes a field empty."""

    name: str
    """Company name, or the person's for a consumer. Never empty."""
    status: Literal["customer", "prospect"]
    """Whether it buys already."""
    kind: Literal["company", "consumer"]
    """Business or private person."""
    email: EmailInput
    """E-mail addresses, the first one primary."""
    phone: PhoneInput
    """Phone numbers likewise; a national number is read as one of the account's country."""
    website: str | None
    """Web site."""
    street: str | None
    """Street and house number."""
    city: str | None
    """City."""
    state_region: str | None
    """State, province or region."""
    postal_code: str | None
    """Zip or postal code."""
    country: str | None
    """Country: its ISO code or its name."""
    tax_id: str | None
    """Tax number."""
    currency: str | None
    """Currency, as ISO code."""
    currency_symbol: str | None
    """The symbol to print, when it differs from the currency's own."""
    industry: str | None
    """Line of business."""
    description: str | None
    """Anything else worth knowing."""
    owner: str | None
    """The user responsible."""
    category: TermRef | None
    """Industry or type."""
    custom: Mapping[str, Any] | None
    """Fields that the tenant added to accounts, by key; each is an argument of its own too, as of a lead."""


class ContactInput(TypedDict, total=False):
    """Everything a caller may set on a contact. ``None`` leaves or makes a field empty."""

    name: str | None
    """The person's full name."""
    job_title: str | None
    """Position in the company."""
    role: str | None
    """What part the person has in the deal: ``Decision maker``."""
    email: EmailInput
    """E-mail addresses, the first one primary."""
    phone: PhoneInput
    """Phone numbers, the first one primary."""
    description: str | None
    """Anything else worth knowing."""
    custom: Mapping[str, Any] | None
    """Fields that the tenant added to contacts, by key; each is an argument of its own too, as of a lead."""


LEAD_KEYS = frozenset(LeadInput.__annotations__)
ACCOUNT_KEYS = frozenset(AccountInput.__annotations__)
CONTACT_KEYS = frozenset(ContactInput.__annotations__)
FIELD_KEYS = frozenset(FieldInput.__annotations__)

#: What the key of every custom field begins with.
CUSTOM = "x_"

#: Attributes of a lead that are written under another name, or not at all.
_ELSEWHERE = {
    "emails": "use `email`, which takes several",
    "phones": "use `phone`, which takes several",
    "external_ids": "use `external_id`, which takes several",
    "stage": "a stage changes by `db.leads.move`",
    "region": "use `state_region`",
    "closing": "a lead ends by moving it to a won or lost stage",
}


def lead_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a lead; custom ones by themselves or in ``custom``."""
    return with_custom(given, LEAD_KEYS)


def with_custom(given: Mapping[str, Any], keys: frozenset[str]) -> dict[str, Any]:
    """The fields of a record that has these; custom ones by themselves or in ``custom``."""
    fields = dict(given)
    own = fields.pop("custom", None)
    broken = []
    if own is not None:
        if not isinstance(own, Mapping):
            broken.append(Violation("custom", "malformed", "must be a mapping of field keys to values"))
            own = {}
        for key, value in own.items():
            if not str(key).startswith(CUSTOM):
                broken.append(Violation(f"custom.{key}", "unknown", "the key of a custom field begins with `x_`"))
            elif key in fields:
                broken.append(Violation(str(key), "duplicate", "is given twice"))
            else:
                fields[key] = value
    if broken:
        raise InvalidError("; ".join(str(violation) for violation in broken), violations=broken)
    known = keys - {"custom"}
    return checked(fields, known | {key for key in fields if str(key).startswith(CUSTOM)})


def checked(given: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """The fields as a dictionary; keys that no field has are refused, all at once, with what they may have meant."""
    broken = [Violation(str(key), "unknown", _hint(str(key), known)) for key in given if key not in known]
    if broken:
        raise InvalidError("; ".join(str(violation) for violation in broken), violations=broken)
    return {key: _several(value) for key, value in given.items()}


def _several(value: Any) -> Any:
    # A generator or another iterable of ours to read once; text, records and the like stay what they are.
    if isinstance(value, (str, bytes, list, tuple, set, frozenset, Mapping)) or not isinstance(value, Iterable):
        return value
    return list(value)


def _hint(key: str, known: frozenset[str]) -> str:
    if key in _ELSEWHERE and key not in known:
        return _ELSEWHERE[key]
    near = difflib.get_close_matches(key, sorted(known), n=3)
    if not near:
        return "there is no field of this name"
    return "there is no field of this name; did you mean " + " or ".join(f"`{name}`" for name in near) + "?"
