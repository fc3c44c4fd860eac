"""Which accounts and contacts a lead may be, with what speaks for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias
from uuid import UUID

from .html import grid
from .models import Subject
from .values import Record

__all__ = ["Elsewhere", "Evidence", "MatchCandidate", "Matches", "PersonMatches", "TooCommon"]

EvidenceKind: TypeAlias = Literal[
    "number",
    "tax_id",
    "email",
    "phone",
    "company",
    "contact_of_account",
    "domain",
    "person",
    "number_of_several",
    "other_tax_id",
]
"""What two records have in common. ``contact_of_account``: a person of the account has the lead's e-mail or phone.
``number_of_several``: the customer number that was given, which accounts of other series have too.
``other_tax_id`` speaks against it: both have a tax number, and another one."""


@dataclass(frozen=True, slots=True)
class Evidence(Record):
    """One thing that speaks for a candidate, or against it."""

    kind: EvidenceKind
    """What it is."""
    value: str | None
    """What is the same, as it is compared; ``None`` where the acting user may not see the field."""


@dataclass(frozen=True, slots=True)
class MatchCandidate(Record):
    """An account or a contact that the lead may be."""

    subject: Subject
    """The record: ``("account", id)`` or ``("contact", id)``."""
    name: str
    """What people call it."""
    number: int | None
    """The customer number, of an account."""
    account_ids: tuple[UUID, ...] = field(repr=False)
    """The accounts that it belongs to, of a contact."""
    score: int
    """0 to 100: 100 is certain."""
    evidence: tuple[Evidence, ...]
    """What speaks for it, the strongest first; each kind once."""

    @property
    def id(self) -> UUID:
        """The id of the record."""
        return self.subject[1]


@dataclass(frozen=True, slots=True)
class Elsewhere(Record):
    """A record that the acting user may not see: that there is one, and whose it is, nothing else."""

    kind: Literal["account", "contact"]
    """What it is."""
    owner: str | None
    """The user responsible; ``None`` where nobody is, or where the acting user may not see owners."""


@dataclass(frozen=True, slots=True)
class TooCommon(Record):
    """Something that too many records have in common: only the first of them were looked at."""

    kind: Literal["account", "contact"]
    """What they are."""
    evidence: EvidenceKind
    """What they have in common."""
    looked_at: int
    """How many were looked at."""


@dataclass(frozen=True, slots=True)
class PersonMatches(Record):
    """Which contacts a person that hangs on the lead may be."""

    contact_id: UUID
    """The person."""
    contacts: tuple[MatchCandidate, ...]
    """Contacts that the acting user may see, without the lead's own, the likeliest first."""
    elsewhere: tuple[Elsewhere, ...] = ()
    """Records out of the acting user's sight."""
    too_common: tuple[TooCommon, ...] = field(default=(), repr=False)
    """What was cut short."""


@dataclass(frozen=True, slots=True)
class Matches(Record):
    """Every account and contact that a lead may be, the likeliest first. False when there is none."""

    accounts: tuple[MatchCandidate, ...]
    """Accounts that the acting user may see."""
    contacts: tuple[MatchCandidate, ...]
    """Contacts that the acting user may see, without the lead's own."""
    elsewhere: tuple[Elsewhere, ...] = ()
    """Records out of the acting user's sight."""
    too_common: tuple[TooCommon, ...] = field(default=(), repr=False)
    """What was cut short."""
    persons: tuple[PersonMatches, ...] = ()
    """The same for each person that hangs on the lead and may be a contact."""

    def __bool__(self) -> bool:
        return bool(self.accounts or self.contacts or self.elsewhere or self.persons)

    def _repr_html_(self) -> str:
        """The candidates as a table, for notebooks."""
        rows = [
            (one.subject[0], one.number, one.name, one.score, ", ".join(found.kind for found in one.evidence))
            for one in (*self.accounts, *self.contacts, *(one for person in self.persons for one in person.contacts))
        ]
        return grid(("record", "number", "name", "score", "evidence"), rows)


def _candidate(kind: str, told: Mapping[str, Any]) -> MatchCandidate:
    return MatchCandidate(
        (kind, UUID(told["id"])),
        told["name"],
        told.get("number"),
        tuple(UUID(one) for one in told["accounts"]),
        told["score"],
        tuple(Evidence(one["kind"], one["value"]) for one in told["evidence"]),
    )


def _kind(told: Mapping[str, Any]) -> Literal["account", "contact"]:
    return "account" if told["is_account"] else "contact"


def matches_of(told: Mapping[str, Any]) -> Matches:
    """Matches that the compiled module wrote."""
    return Matches(
        tuple(_candidate("account", one) for one in told["accounts"]),
        tuple(_candidate("contact", one) for one in told["contacts"]),
        tuple(Elsewhere(_kind(one), one["owner"]) for one in told["elsewhere"]),
        tuple(TooCommon(_kind(one), one["kind"], one["looked_at"]) for one in told["too_common"]),
        tuple(
            PersonMatches(
                UUID(person["contact"]),
                tuple(_candidate("contact", one) for one in person["contacts"]),
                tuple(Elsewhere(_kind(one), one["owner"]) for one in person["elsewhere"]),
                tuple(TooCommon(_kind(one), one["kind"], one["looked_at"]) for one in person["too_common"]),
            )
            for person in told.get("persons", ())
        ),
    )
