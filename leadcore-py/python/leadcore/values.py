"""Money and addresses: small values that say more than a number or a text."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from leadcore.exceptions import refused

__all__ = ["Email", "MarkNote", "Money", "Phone", "ReachKind", "Record"]

ReachKind = Literal["work", "home", "mobile", "fax"]
"""What an e-mail address or phone number is for."""


class Record:
    """What every small record can do."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Everything about the record by name, records inside it as dictionaries too."""
        return {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}  # type: ignore[arg-type]


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    to_dict = getattr(value, "to_dict", None)
    return value if to_dict is None else to_dict()


@dataclass(frozen=True, slots=True, init=False)
class Money(Record):
    """An exact amount in a currency: the value of a ``money`` field.

    >>> leadcore.Money("1250.50", "NOK")
    Money(amount=Decimal('1250.50'), currency='NOK')
    >>> leadcore.Money("1.5", "NOK") == leadcore.Money("1.50", "NOK")
    True
    """

    amount: Decimal
    """The amount, in units of the currency."""
    currency: str
    """Currency, ISO 4217."""

    def __init__(self, amount: Decimal | float | str, currency: str) -> None:
        """Numbers and text are read as what they print as; refused is what is no amount or no code of a currency."""
        try:
            exact = Decimal(str(amount))
        except (InvalidOperation, ValueError):
            exact = Decimal("nan")
        if not exact.is_finite() or not -40 <= exact.adjusted() <= 40:
            raise refused("amount", "out_of_range", "a number has at most 28 digits")
        code = str(currency)
        if len(code) != 3 or not (code.isascii() and code.isalpha()):
            raise refused("currency", "malformed", "a currency is its ISO code")
        object.__setattr__(self, "amount", exact)
        object.__setattr__(self, "currency", code.upper())

    @property
    def _field_text(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"


#: What stands between several addresses in one text. A comma before an extension belongs to the number.
_SEPARATOR = re.compile(r"[\n\r]|[,;](?!\s*(ext|isub=|phone-context=|[x#][ \d]))", re.IGNORECASE)


def _check_address(address: Email | Phone) -> None:
    # Callers without a type checker hand in anything.
    value: object = address.value
    kind: object = address.kind
    for flag in ("opted_out", "invalid"):
        if not isinstance(getattr(address, flag), bool):
            raise refused(flag, "malformed", "this is True or False")
    # Of two addresses in one text, which is opted out?
    if not isinstance(value, str) or (not value.startswith('"') and _SEPARATOR.search(value)):
        raise refused("value", "malformed", "this is text with one address")
    for note in ("opted_out_note", "invalid_note"):
        if not isinstance(getattr(address, note), (MarkNote, type(None))):
            raise refused(note, "malformed", "this is a MarkNote, or None")
    if kind not in (None, "work", "home", "mobile", "fax"):
        raise refused("kind", "unknown", "an address is for `work`, `home`, `mobile` or `fax`, or `None`")


def _marked(value: str, kind: str | None, opted_out: bool, invalid: bool) -> str:
    words = [kind] if kind else []
    words += [word for word, is_so in (("opted_out", opted_out), ("invalid", invalid)) if is_so]
    return f"{value} ({' '.join(words)})"


@dataclass(frozen=True, slots=True)
class MarkNote(Record):
    """Why and since when an address is marked, or a person is not to be called. Either may be unknown."""

    since: datetime | None = None
    """Since when."""
    reason: str | None = None
    """Why."""


@dataclass(frozen=True, slots=True)
class Email(Record):
    """An e-mail address and what is known of it. Handed to ``create`` or ``edit``, it says all of that.

    As plain text, an address that stays keeps what is known of it.

    >>> lead = db.leads.create(company="Nordlys AS", email=leadcore.Email("post@nordlys.example", kind="work"))
    >>> db.leads.edit(lead, email="new@nordlys.example, post@nordlys.example").emails[1].kind
    'work'
    """

    value: str
    """The address."""
    kind: ReachKind | None = None
    """What it is for: ``work``, ``home``, ``mobile`` or ``fax``; ``None`` when not said."""
    opted_out: bool = False
    """Whoever it belongs to does not want to be reached by it."""
    invalid: bool = False
    """It was tried and does not work."""
    opted_out_note: MarkNote | None = field(default=None, repr=False)
    """Why and since when it is opted out, set by ``mark`` and ``mark_address``."""
    invalid_note: MarkNote | None = field(default=None, repr=False)
    """Why and since when it does not work, likewise."""

    def __post_init__(self) -> None:
        """Refuse several addresses, and a kind that there is not."""
        _check_address(self)

    @property
    def _field_text(self) -> str:
        return _marked(self.value, self.kind, self.opted_out, self.invalid)

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Phone(Record):
    """A phone number and what is known of it, likewise.

    >>> lead = db.leads.create(company="Nordlys AS", phone=[leadcore.Phone("+47 22 22 22 22", invalid=True), "123"])
    >>> [number.invalid for number in lead.phones]
    [True, False]
    """

    value: str
    """The number as it was written."""
    kind: ReachKind | None = None
    """What it is for: ``work``, ``home``, ``mobile`` or ``fax``; ``None`` when not said."""
    opted_out: bool = False
    """Whoever it belongs to does not want to be reached by it."""
    invalid: bool = False
    """It was tried and does not work."""
    e164: str | None = field(default=None, repr=False)
    """The number in E.164 form (``+4722222222``), where it has one. It is worked out, not set."""
    opted_out_note: MarkNote | None = field(default=None, repr=False)
    """Why and since when it is opted out, set by ``mark`` and ``mark_address``."""
    invalid_note: MarkNote | None = field(default=None, repr=False)
    """Why and since when it does not work, likewise."""

    def __post_init__(self) -> None:
        """Refuse several addresses, and a kind that there is not."""
        _check_address(self)
        if not isinstance(self.e164, (str, type(None))):
            raise refused("e164", "malformed", "this is text, and worked out from the number")

    @property
    def _field_text(self) -> str:
        return _marked(self.value, self.kind, self.opted_out, self.invalid)

    def __str__(self) -> str:
        return self.value
