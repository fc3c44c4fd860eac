"""The fields of a lead as a form shows them. Frozen values, like all records."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .values import Record

__all__ = ["Choice", "FieldSpec", "FormSection", "Section"]


@dataclass(frozen=True, slots=True)
class Choice(Record):
    """One answer of a field with choices."""

    code: str
    """What is stored: 1 to 100 bytes, no comma, semicolon or control character."""
    label: str = ""
    """What people read; the code when not said."""
    order: int = field(default=0, repr=False)
    """The place in the list, lowest first; equal ones as they are given."""
    archived: bool = False
    """No longer offered; leads that have it keep it."""

    def __str__(self) -> str:
        return self.label or self.code


@dataclass(frozen=True, slots=True)
class Section(Record):
    """A group of fields on a form."""

    key: str
    """Stable key: ``identity``, ``reach`` …"""
    label: str
    """What people read."""
    order: int = field(default=0, repr=False)
    """The place on the form, lowest first."""

    def __str__(self) -> str:
        return self.label


@dataclass(frozen=True, slots=True)
class FieldSpec(Record):
    """A field of a lead as the tenant sees it."""

    key: str
    """Its name in ``create``, filters and files."""
    label: str
    """What people read."""
    section: str = field(repr=False)
    """The key of its group on a form: ``identity``, ``reach``, ``address``, ``finance``, ``management``, ``more``,
    ``system``, or one that the tenant added."""
    type: str = field(repr=False)
    """What values it takes: ``text``, ``email``, ``phone``, ``integer``, ``amount``, ``time``, ``choice``, ``user``,
    ``code`` or ``reference``; of a custom field one of :data:`leadcore.FieldType`."""
    required: bool = False
    """Whether a lead must have a value."""
    enabled: bool = field(default=True, repr=False)
    """Whether it takes values."""
    writable: bool = field(default=True, repr=False)
    """Whether callers set it, rather than leadcore; on the form of a user who can change no lead, nothing is."""
    multiple: bool = field(default=False, repr=False)
    """Whether it holds several values."""
    order: int = field(default=0, repr=False)
    """The place on a form, lowest first."""
    help: str | None = field(default=None, repr=False)
    """What it is for, where the tenant says so."""
    custom: bool = field(default=False, repr=False)
    """Whether the tenant added it; what follows is said of such fields only."""
    unique: bool = field(default=False, repr=False)
    """Whether no two leads have the same value."""
    default: Any = field(default=None, repr=False)
    """What a new lead gets when nothing is given."""
    choices: tuple[Choice, ...] = field(default=(), repr=False)
    """The choices, archived ones too."""
    currency: str | None = field(default=None, repr=False)
    """Of ``money``: the currency where none is said."""
    links_to: str | None = field(default=None, repr=False)
    """Of a ``link``: ``lead``, ``contact`` or ``account``."""
    min: Decimal | None = field(default=None, repr=False)
    """The smallest number."""
    max: Decimal | None = field(default=None, repr=False)
    """The largest number."""
    max_length: int | None = field(default=None, repr=False)
    """The longest text in characters, where that is less than the type allows."""


@dataclass(frozen=True, slots=True)
class FormSection(Record):
    """A section of the form with its fields, in order."""

    section: Section
    """The section."""
    fields: tuple[FieldSpec, ...]
    """The fields that people fill in."""
