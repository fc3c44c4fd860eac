"""Filters as small Python expressions.

>>> from leadcore import F
>>> F.city == "Oslo"
Filter({'where': {'field': 'city', 'op': 'eq', 'value': 'Oslo'}})
>>> db.leads.count(where=(F.city == "Oslo") & ~F.email.is_empty() | F.created_at.last_days(7))
0

A filter is plain data underneath: ``filter.to_dict()`` can be stored and handed to any ``where=`` instead of the
expression. Text is compared without case and accents. Sources, stages and the like are named by record, id or name.

The same as text, for a search field or a file of settings:

>>> where = leadcore.Filter.parse('owner = me and amount >= 1000 and created this month')
>>> str(where)
'owner = "me" and amount >= 1000 and created_at this month'
>>> db.leads.count(where="city = Oslo or email is empty")
0
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias
from uuid import UUID

from leadcore.arguments import check, expected, several
from leadcore.arguments import compiled as _leadcore
from leadcore.exceptions import InvalidError, refused
from leadcore.models import Email, Money, Phone

#: What is said of a filter that nests too deep.
TOO_DEEP: Final = "a filter nests at most 32 levels deep"

__all__ = ["F", "FieldRef", "Filter", "Where"]


class Filter:
    """A tree of conditions; combine with ``&``, ``|`` and ``~``."""

    __slots__ = ("_tree",)

    def __init__(self, tree: Mapping[str, Any]) -> None:
        """Take the plain data that :meth:`to_dict` gives."""
        check("tree", tree, Mapping, "the plain data of a filter")
        self._tree = dict(tree)

    def to_dict(self) -> dict[str, Any]:
        """The filter as plain data."""
        return dict(self._tree)

    @classmethod
    def parse(cls, text: str) -> Filter:
        """Read a filter from text: ``owner = me and (amount >= 1000 or source in (Web, "Trade fair"))``.

        Fields go by their keys. There is ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``~`` (contains),
        ``starts with``, ``ends with``, ``between … and …``, ``in (…)``, ``is empty``, ``last 30 days``,
        ``next 7 days``, ``older than 90 days``, ``today``, ``this month``, ``last quarter``, ``is unread``,
        ``is rotting``, ``is followed``, ``has contact``, ``text ~ "words to search"``, and ``not``, ``and``, ``or``
        with parentheses. An empty text means every lead.

        Raises:
            InvalidError: With the place where the text stops being a filter, and what was expected there.

        Example:
            >>> leadcore.Filter.parse("amount >= 1000") == (leadcore.F.amount >= 1000)
            True
            >>> leadcore.Filter.parse("amount >= 10 and source")
            Traceback (most recent call last):
            ...
            leadcore.exceptions.InvalidError: `filter`: at character 24, the end: expected an operator

        """
        return cls(json.loads(_leadcore.filter_parse(text)))

    def to_text(self) -> str:
        """The filter as text, which :meth:`parse` reads back.

        >>> (leadcore.F.city.in_(["Oslo", "Bergen"]) & ~leadcore.F.is_unread).to_text()
        'city in ("Oslo", "Bergen") and not is unread'
        """
        return _leadcore.filter_text(encode(self) or "")

    def __str__(self) -> str:
        try:
            return self.to_text()
        except InvalidError:  # a tree that is no filter is still to be printed
            return repr(self)

    def __and__(self, other: Filter) -> Filter:
        return _join("all", self, other)

    def __or__(self, other: Filter) -> Filter:
        return _join("any", self, other)

    def __invert__(self) -> Filter:
        return Filter({"not": self._tree})

    def __bool__(self) -> bool:
        # `a and b`, `not a` and `1 < F.amount < 5` would silently drop a condition.
        raise TypeError("a filter has no truth value: combine filters with &, | and ~")

    def __eq__(self, other: object) -> bool:
        try:
            return isinstance(other, Filter) and self._tree == other._tree
        except RecursionError:
            raise _invalid(TOO_DEEP) from None

    def __hash__(self) -> int:
        return hash(encode(self))

    def __repr__(self) -> str:
        try:
            return f"Filter({self._tree!r})"
        except RecursionError:
            return "Filter(...)"


def _join(how: str, one: Filter, other: Filter) -> Filter:
    if not isinstance(other, Filter):
        return NotImplemented
    parts: list[Any] = []
    for tree in (one._tree, other._tree):
        nested = tree.get(how)
        parts.extend(nested if isinstance(nested, list) else [tree])
    return Filter({how: parts})


class FieldRef:
    """A field of a lead, to be compared. Get one as an attribute of :data:`F`: ``F.city``."""

    __slots__ = ("key",)

    def __init__(self, key: str) -> None:
        """The field with this key."""
        self.key = key

    def _where(self, op: str, value: object) -> Filter:
        return Filter({"where": {"field": self.key, "op": op, "value": value}})

    def __eq__(self, value: object) -> Filter:  # type: ignore[override]
        return self.is_empty() if value is None else self._where("eq", value)

    def __ne__(self, value: object) -> Filter:  # type: ignore[override]
        return ~self.is_empty() if value is None else self._where("ne", value)

    __hash__ = None  # type: ignore[assignment]

    def __lt__(self, value: object) -> Filter:
        return self._where("lt", value)

    def __le__(self, value: object) -> Filter:
        return self._where("le", value)

    def __gt__(self, value: object) -> Filter:
        return self._where("gt", value)

    def __ge__(self, value: object) -> Filter:
        return self._where("ge", value)

    def in_(self, values: Iterable[object]) -> Filter:
        """Equal to one of these."""
        return self._where("in", several("values", values, "several values"))

    def contains(self, part: str) -> Filter:
        """Has this text anywhere in it; for phones any run of digits."""
        return self._where("contains", _text("part", part))

    def starts_with(self, part: str) -> Filter:
        """Begins with this text."""
        return self._where("starts_with", _text("part", part))

    def ends_with(self, part: str) -> Filter:
        """Ends with this text."""
        return self._where("ends_with", _text("part", part))

    def is_empty(self) -> Filter:
        """Has no value."""
        return self._where("is_empty", True)

    def between(self, low: object, high: object) -> Filter:
        """A number, amount or time from ``low`` to ``high``, both included."""
        return self._where("between", [low, high])

    def last_days(self, days: int) -> Filter:
        """A time in the last ``days`` days up to now."""
        return self._where("last_days", _days(days))

    def next_days(self, days: int) -> Filter:
        """A time in the next ``days`` days from now."""
        return self._where("next_days", _days(days))

    def older_than_days(self, days: int) -> Filter:
        """A time more than ``days`` days ago."""
        return self._where("older_than_days", _days(days))

    def during(self, period: str) -> Filter:
        """A time or day in a period of the calendar, where the acting user lives (``utc_offset``).

        A period is ``today``, ``yesterday``, ``tomorrow``, or ``this_``, ``last_`` or ``next_`` with ``week``,
        ``month``, ``quarter``, ``year``, ``fiscal_quarter_from_4`` or ``fiscal_year_from_4``, where 4 is the month in
        which the fiscal year begins.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.leads.count(where=leadcore.F.created_at.during("this_month"))
        1
        """
        return self._where("during", _text("period", period))

    def __repr__(self) -> str:
        return f"F.{self.key}"


class _Fields:
    """Every field as an attribute: ``F.city``, ``F.x_budget``; ``F["city"]`` for a key in a variable."""

    __slots__ = ()

    def __getattr__(self, key: str) -> FieldRef:
        if key.startswith("_"):
            raise AttributeError(key)
        return FieldRef(key)

    def __getitem__(self, key: str) -> FieldRef:
        return FieldRef(key)

    @property
    def me(self) -> str:
        """The acting user, whoever that will be: ``F.owner == F.me``."""
        return "me"

    @property
    def my_team(self) -> str:
        """Everybody in the team of the acting user, which ``open`` and ``as_user`` say: ``F.owner == F.my_team``."""
        return "my_team"

    @property
    def now(self) -> str:
        """The time when the filter is used: ``F.created_at < F.now``."""
        return "now"

    @property
    def follow_up_state(self) -> FieldRef:
        """The next follow-up, to be compared with ``none``, ``planned``, ``today`` or ``overdue``.

        >>> db.leads.count(where=leadcore.F.follow_up_state.in_(["overdue", "today"]))
        0
        """
        return FieldRef("follow_up")

    @property
    def is_unread(self) -> Filter:
        """The acting user has not opened the lead yet."""
        return Filter({"is": "unread"})

    @property
    def is_rotting(self) -> Filter:
        """The lead is open and has been idle for longer than its stage allows."""
        return Filter({"is": "rotting"})

    @property
    def followed(self) -> Filter:
        """The acting user follows the lead; as text ``is followed``."""
        return Filter({"is": "followed"})

    def has(self, what: str) -> Filter:
        """The lead is linked with a record: a ``contact``, a ``primary_contact``, or an ``account`` that it became."""
        _text("what", what)
        if what == "contact":
            # The primary contact is one of them.
            return Filter({"any": [{"has": "contact"}, {"has": "primary_contact"}]})
        return Filter({"has": "converted_to" if what == "account" else what})

    def search(self, text: str) -> Filter:
        """The lead has every word of this text in its names, e-mails, phone digits or number."""
        return Filter({"search": _text("text", text)})

    def __repr__(self) -> str:
        return "F"


F: Final = _Fields()
"""Fields to build filters from: ``F.city == "Oslo"``."""

Where: TypeAlias = Filter | Mapping[str, Any] | str | None
"""What every ``where=`` takes: a filter, the same as plain data or as text, or ``None`` for all leads."""


def encode(where: Where, name: str = "where") -> str | None:
    """The filter as JSON; a lone condition may leave out the ``where`` around it."""
    if where is None:
        return None
    if isinstance(where, str):
        return _leadcore.filter_parse(where)
    if not isinstance(where, (Filter, Mapping)):
        raise expected(name, "a filter, or the same as text or plain data", where)
    tree: Any = where._tree if isinstance(where, Filter) else where
    if isinstance(tree, Mapping) and "field" in tree:
        tree = {"where": dict(tree)}
    try:
        return json.dumps(tree, default=_plain, allow_nan=False)
    except InvalidError:
        raise
    except RecursionError:
        raise _invalid(TOO_DEEP) from None
    except (TypeError, ValueError):
        raise _invalid("a filter holds field keys, operators, and values of the field's type") from None


def _plain(value: object) -> object:
    """Values that JSON does not know, in the written form that the type of the field is read from."""
    if isinstance(value, Filter):
        return value._tree
    if isinstance(value, Decimal):
        if not value.is_finite() or not -40 <= value.adjusted() <= 40:
            raise _invalid("a number has at most 28 digits")
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            raise _invalid("a time needs a time zone")
        return value.isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Money):
        raise _invalid("a filter compares amounts, whatever their currency: give a number")
    if isinstance(value, (Email, Phone)):
        return value.value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    identity = getattr(value, "id", None)
    if isinstance(identity, UUID):
        return str(identity)
    raise TypeError


def _text(name: str, given: str) -> str:
    check(name, given, str, "text")
    return given


def _days(given: int) -> int:
    check("days", given, int, "a whole number of days")
    return given


def _invalid(message: str) -> InvalidError:
    return refused("where", "malformed", message)
