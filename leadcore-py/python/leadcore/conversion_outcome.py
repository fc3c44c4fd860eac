"""What a conversion did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias
from uuid import UUID

from .conversion_parts import id_of
from .models import Subject
from .values import Record

__all__ = ["ConversionOutcome", "Document", "HostMade", "LinkAdded"]

Document: TypeAlias = Literal["invoice", "proforma"]
"""The document that your program makes for a new customer."""


@dataclass(frozen=True, slots=True)
class HostMade(Record):
    """What a target of your own program made in the same transaction."""

    target: str
    """The name of the target."""
    reference: str
    """What your program calls what it made."""


@dataclass(frozen=True, slots=True)
class LinkAdded(Record):
    """A link that a conversion added."""

    source: Subject
    """From which record."""
    role: str
    """What the other one is to it: ``converted_to``, ``contact``, ``primary_contact``, ``opportunity``."""
    target: Subject
    """To which record."""


@dataclass(frozen=True, slots=True)
class ConversionOutcome(Record):
    """What a conversion did."""

    operation: UUID = field(repr=False)
    """The call that did it."""
    lead_id: UUID = field(repr=False)
    """The lead, frozen now."""
    account_id: UUID | None
    """The account it became: what to show next. ``None`` when it became its persons alone."""
    account_number: int | None
    """The customer number of the account."""
    contact_ids: tuple[UUID, ...] = field(repr=False)
    """The persons that came with the lead, the primary one first."""
    newly_converted: bool
    """Whether this call did it; ``False`` when the lead was converted before and this is the first outcome."""
    opportunity_id: UUID | None = field(default=None, repr=False)
    """The opportunity, new or joined."""
    service_ids: tuple[UUID, ...] = field(default=(), repr=False)
    """The services, new all of them."""
    document: Document | None = field(default=None, repr=False)
    """The document that your program makes for the customer."""
    host: tuple[HostMade, ...] = field(default=(), repr=False)
    """What targets of your program made."""
    links: tuple[LinkAdded, ...] = field(default=(), repr=False)
    """The links that it added."""


def _subject(told: Mapping[str, Any]) -> Subject:
    return told["kind"], UUID(told["id"])


def conversion_of(told: Mapping[str, Any], newly: bool) -> ConversionOutcome:
    """An outcome that the compiled module wrote."""
    account = id_of(told["account"])
    links = (LinkAdded(_subject(one["from"]), one["role"], _subject(one["to"])) for one in told["links"])
    return ConversionOutcome(
        UUID(told["operation"]),
        UUID(told["lead"]),
        account,
        None if account is None else told["account_number"],
        tuple(UUID(one) for one in told["contacts"]),
        newly,
        id_of(told.get("opportunity")),
        tuple(UUID(one) for one in told.get("services", ())),
        told.get("document"),
        tuple(HostMade(one["target"], one["reference"]) for one in told.get("host", ())),
        tuple(links),
    )


def outcome_of(told: tuple[str, bool]) -> ConversionOutcome:
    """The same as the compiled module hands it over."""
    return conversion_of(json.loads(told[0]), told[1])
