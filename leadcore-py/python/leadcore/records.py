"""Records of your own program that are shown with leads, contacts and accounts, and their kinds."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import EllipsisType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias
from uuid import UUID

from .arguments import check
from .arguments import compiled as _leadcore
from .exceptions import refused
from .models import Page, Subject
from .subjects import (
    SubjectRef,
    about_of,
    fields_json,
    identity,
    page_of,
    text_or_none,
    time_of,
    time_or_none,
    user_of,
)
from .values import Record

if TYPE_CHECKING:
    from .database import Database

__all__ = ["HostRecord", "HostRecordRef", "OnConversion", "RecordKind", "Records"]


OnConversion: TypeAlias = Literal["shown", "host"]
"""What becomes of records of yours when their lead is converted. Whichever it is, they are reachable from the lead and
from the customer: ``shown`` is all there is to it; ``host`` says that your program does something with its own rows
besides, in a target or by the outbox."""


@dataclass(frozen=True, slots=True)
class RecordKind(Record):
    """A kind of record that your program registered, and how a page shows it."""

    kind: str
    """The name by which it is stored: ``subscription``."""
    singular: str
    """What one is called: ``Subscription``."""
    plural: str
    """What its tab is called: ``Subscriptions``."""
    icon: str | None = None
    """The name of an icon of yours."""
    color: str | None = None
    """``#rrggbb``."""
    on_conversion: OnConversion | None = None
    """What becomes of such records when their lead is converted; ``None`` when nobody said so yet."""


@dataclass(frozen=True, slots=True)
class HostRecord(Record):
    """A record of your program that is shown with leads, contacts or accounts."""

    id: UUID = field(repr=False)
    """The id."""
    revision: int = field(repr=False)
    """How often it was written."""
    about: tuple[Subject, ...] = field(repr=False)
    """The records that it is about."""
    kind: str
    """Its kind."""
    key: str
    """Your own id of it."""
    title: str
    """What it is called."""
    url: str | None = field(repr=False)
    """Where it is opened."""
    state: str | None
    """How it stands, in your own words."""
    is_open: bool = field(repr=False)
    """Whether something is still to be done about it."""
    at: datetime | None = field(repr=False)
    """Its place in the order of the tab; when it was linked, if ``None``."""
    created_by: str | None = field(repr=False)
    """Who linked it; ``None`` for the program itself."""
    created_at: datetime = field(repr=False)
    """When it was linked."""
    updated_at: datetime = field(repr=False)
    """When it was last written."""

    #: The columns of a table of records.
    _columns: ClassVar[tuple[str, ...]] = ("kind", "key", "title", "state", "is_open", "at")

    @property
    def subject(self) -> Subject:
        """Its kind and id."""
        return "record", self.id


HostRecordRef: TypeAlias = HostRecord | UUID | str
"""A record: the object, or its id. A write with the object is refused when it changed since."""


def record_of(told: dict[str, Any]) -> HostRecord:
    fields = told["fields"]
    return HostRecord(
        UUID(told["id"]),
        told["revision"],
        about_of(told),
        told["kind"],
        told["key"],
        fields["title"],
        fields.get("url"),
        fields.get("state"),
        fields.get("is_open", False),
        time_or_none(fields.get("at")),
        user_of(told["created_by"]),
        time_of(told["created_at"]),
        time_of(told["updated_at"]),
    )


def _fields(**given: Any) -> str:
    """What was said, each of a type that it can be."""
    check("title", given["title"], (str, EllipsisType), "text")
    for name in ("url", "state"):
        text_or_none(name, given[name])
    check("is_open", given["is_open"], (bool, EllipsisType), "True or False")
    at = given["at"]
    check("at", at, (datetime, type(None), EllipsisType), "a datetime with a time zone, or None")
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise refused("at", "malformed", "a time needs a time zone")
        given["at"] = at.astimezone(UTC).isoformat()
    return fields_json(given)


class Records:
    """``db.records``: records of your own program, and their kinds."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.records``."""
        self._db = db

    def kinds(self) -> builtins.list[RecordKind]:
        """The kinds that your program registered, in the order of their tabs.

        >>> _ = db.records.register("subscription", "Subscription", "Subscriptions")
        >>> [kind.plural for kind in db.records.kinds()]
        ['Subscriptions']
        """
        return [RecordKind(**told) for told in json.loads(_leadcore.record_kinds(self._db._session))]

    def register(
        self,
        kind: str,
        singular: str,
        plural: str,
        *,
        icon: str | None = None,
        color: str | None = None,
        on_conversion: OnConversion | None = None,
    ) -> RecordKind:
        """Register a kind of record.

        Args:
            kind: The name by which it is stored for ever: 1 to 31 of a-z, 0-9 and ``_``, a letter first.
            singular: What one is called.
            plural: What its tab is called.
            icon: The name of an icon of yours.
            color: ``#rrggbb``.
            on_conversion: What becomes of such records when their lead is converted; see :meth:`check_policies`.

        Example:
            >>> db.records.register("project", "Project", "Projects", color="#1a7f37").kind
            'project'

        """
        said = {"icon": icon, "color": color, "on_conversion": on_conversion}
        return self._set(kind, True, singular=singular, plural=plural, **said)

    def check_policies(self) -> None:
        """For the tests of your program: fail unless every kind says what becomes of it on conversion.

        So nobody adds a kind and forgets it: call it in a test, on a database where your program registered its kinds.

        Raises:
            AssertionError: With the names of all kinds without ``on_conversion``.

        Example:
            >>> _ = db.records.register("project", "Project", "Projects")
            >>> db.records.check_policies()
            Traceback (most recent call last):
            AssertionError: these kinds of record have no policy for conversion: project
            >>> _ = db.records.rename("project", on_conversion="shown")
            >>> db.records.check_policies()

        """
        if without := [kind.kind for kind in self.kinds() if kind.on_conversion is None]:
            raise AssertionError(f"these kinds of record have no policy for conversion: {', '.join(without)}")

    def rename(
        self,
        kind: str,
        *,
        singular: str | EllipsisType = ...,
        plural: str | EllipsisType = ...,
        icon: str | EllipsisType | None = ...,
        color: str | EllipsisType | None = ...,
        on_conversion: OnConversion | EllipsisType | None = ...,
    ) -> RecordKind:
        """Change how a kind is shown, and what becomes of it on conversion.

        What is not given stays. Records keep their kind.

        >>> _ = db.records.register("project", "Project", "Projects")
        >>> db.records.rename("project", plural="Our projects").plural
        'Our projects'
        """
        said = {"icon": icon, "color": color, "on_conversion": on_conversion}
        return self._set(kind, False, singular=singular, plural=plural, **said)

    def _set(self, kind: str, new: bool, **given: Any) -> RecordKind:
        for name in ("singular", "plural"):
            check(name, given[name], (str, EllipsisType), "text")
        for name in ("icon", "color", "on_conversion"):
            text_or_none(name, given[name])
        _leadcore.record_kind_set(self._db._session, kind, fields_json(given), new)
        return next(known for known in self.kinds() if known.kind == kind)

    def remove(self, kind: str) -> None:
        """Take a kind away. Refused while there are records of it.

        >>> _ = db.records.register("project", "Project", "Projects")
        >>> db.records.remove("project")
        >>> db.records.kinds()
        []
        """
        _leadcore.record_kind_remove(self._db._session, kind)

    def link(
        self,
        subject: SubjectRef | Iterable[SubjectRef],
        kind: str,
        key: str,
        *,
        title: str,
        url: str | None = None,
        state: str | None = None,
        is_open: bool = False,
        at: datetime | None = None,
    ) -> HostRecord:
        """Show a record of yours with a lead, contact or account, or with several.

        One that is linked already is written anew: then it is about these records and says this.

        Args:
            subject: What it is about.
            kind: Its kind, registered.
            key: Your own id of it, unique in its kind.
            title: What it is called.
            url: Where it is opened.
            state: How it stands, in your own words.
            is_open: Whether something is still to be done about it.
            at: Its place in the order of the tab; when it was linked, if not said.

        Example:
            >>> _ = db.records.register("subscription", "Subscription", "Subscriptions")
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> db.records.link(lead, "subscription", "sub-42", title="Fibre 500", state="active").key
            'sub-42'

        """
        fields = _fields(title=title, url=url, state=state, is_open=is_open, at=at)
        return self._one(_leadcore.record_link(self._db._session, subject, kind, key, fields))

    def edit(
        self,
        record: HostRecordRef,
        *,
        title: str | EllipsisType = ...,
        url: str | EllipsisType | None = ...,
        state: str | EllipsisType | None = ...,
        is_open: bool | EllipsisType = ...,
        at: datetime | EllipsisType | None = ...,
    ) -> HostRecord:
        """Change what your program says of a record; what is not given stays.

        >>> _ = db.records.register("subscription", "Subscription", "Subscriptions")
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> record = db.records.link(lead, "subscription", "sub-42", title="Fibre 500")
        >>> db.records.edit(record, state="cancelled").title
        'Fibre 500'
        """
        fields = _fields(title=title, url=url, state=state, is_open=is_open, at=at)
        return self._one(_leadcore.record_edit(self._db._session, *_of(record), fields))

    def unlink(self, record: HostRecordRef) -> None:
        """Take a record off every page. Your own record is yours; an undo brings the link back.

        >>> _ = db.records.register("subscription", "Subscription", "Subscriptions")
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.records.unlink(db.records.link(lead, "subscription", "sub-42", title="Fibre 500"))
        >>> len(db.records.of(lead, "subscription"))
        0
        """
        _leadcore.record_unlink(self._db._session, *_of(record))

    def get(self, record: HostRecordRef) -> HostRecord:
        """One record.

        >>> _ = db.records.register("subscription", "Subscription", "Subscriptions")
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> record = db.records.link(lead, "subscription", "sub-42", title="Fibre 500")
        >>> db.records.get(record.id) == record
        True
        """
        return self._one(_leadcore.record_get(self._db._session, _of(record)[0]))

    def by_key(self, kind: str, key: str) -> HostRecord:
        """The record with your own id of it.

        >>> _ = db.records.register("subscription", "Subscription", "Subscriptions")
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.records.link(lead, "subscription", "sub-42", title="Fibre 500")
        >>> db.records.by_key("subscription", "sub-42").title
        'Fibre 500'
        """
        return self._one(_leadcore.record_by_key(self._db._session, kind, key))

    def of(
        self,
        subject: SubjectRef,
        kind: str,
        *,
        open: bool | None = None,  # noqa: A002 - it is what people call it
        ascending: bool = False,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[HostRecord]:
        """A page of the records of one kind about a record, the latest first unless ``ascending``.

        >>> _ = db.records.register("subscription", "Subscription", "Subscriptions")
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.records.link(lead, "subscription", "sub-42", title="Fibre 500", is_open=True)
        >>> [record.title for record in db.records.of(lead, "subscription", open=True)]
        ['Fibre 500']
        """
        told = _leadcore.records_of(self._db._session, subject, kind, open, ascending, after, limit)
        return page_of(told, record_of)

    def _one(self, text: str) -> HostRecord:
        return record_of(json.loads(text))


def _of(record: HostRecordRef) -> tuple[Any, int | None]:
    return identity(record, HostRecord, "record")
