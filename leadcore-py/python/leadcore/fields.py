"""What can be set on leads and contacts, by keyword."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal, TypeAlias, TypedDict
from uuid import UUID

from leadcore.exceptions import InvalidError, Violation
from leadcore.models import Stage, Term

__all__ = ["AccountInput", "ContactInput", "LeadInput", "StageRef", "TermRef"]

TermRef: TypeAlias = Term | UUID | str
"""A term: the record, its id, or its name."""

StageRef: TypeAlias = Stage | UUID | str
"""A stage: the record, its id, or its name."""


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
    email: str | Iterable[str] | None
    """E-mail addresses, the first one primary: a list, or text with commas."""
    phone: str | Iterable[str] | None
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
    owner: str | None
    """The user responsible; the acting user when not said."""
    source: TermRef | None
    """Where the lead came from."""
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


class AccountInput(TypedDict, total=False):
    """Everything a caller may set on an account. ``None`` makes a field empty."""

    name: str
    """Company name, or the person's for a consumer. Never empty."""
    status: Literal["customer", "prospect"]
    """Whether it buys already."""
    kind: Literal["company", "consumer"]
    """Business or private person."""
    email: str | Iterable[str] | None
    """E-mail addresses, the first one primary."""
    phone: str | Iterable[str] | None
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


class ContactInput(TypedDict, total=False):
    """Everything a caller may set on a contact. ``None`` leaves or makes a field empty."""

    name: str | None
    """The person's full name."""
    job_title: str | None
    """Position in the company."""
    email: str | Iterable[str] | None
    """E-mail addresses, the first one primary."""
    phone: str | Iterable[str] | None
    """Phone numbers, the first one primary."""
    description: str | None
    """Anything else worth knowing."""


LEAD_KEYS = frozenset(LeadInput.__annotations__)
ACCOUNT_KEYS = frozenset(AccountInput.__annotations__)
CONTACT_KEYS = frozenset(ContactInput.__annotations__)

#: Attributes of a lead that are written under another name, or not at all.
_ELSEWHERE = {
    "emails": "use `email`, which takes several",
    "phones": "use `phone`, which takes several",
    "external_ids": "use `external_id`, which takes several",
    "stage": "a stage changes by `db.leads.move`",
    "region": "use `state_region`",
}


def checked(given: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """The fields as a dictionary; keys that no field has are refused, all at once, with what they may have meant."""
    broken = [Violation(str(key), "unknown", _hint(str(key), known)) for key in given if key not in known]
    if broken:
        raise InvalidError("; ".join(str(violation) for violation in broken), violations=broken)
    return {key: _several(value) for key, value in given.items()}


def _several(value: Any) -> Any:
    # A generator or another iterable of ours to read once; text, records and the like stay what they are.
    if isinstance(value, (str, bytes, list, tuple, set, frozenset)) or not isinstance(value, Iterable):
        return value
    return list(value)


def _hint(key: str, known: frozenset[str]) -> str:
    if key in _ELSEWHERE and key not in known:
        return _ELSEWHERE[key]
    near = difflib.get_close_matches(key, sorted(known), n=3)
    if not near:
        return "there is no field of this name"
    return "there is no field of this name; did you mean " + " or ".join(f"`{name}`" for name in near) + "?"
