"""Which field of a lead becomes which field of an account, contact or opportunity."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

from ._leadcore import Account, Lead
from .arguments import check
from .arguments import compiled as _leadcore
from .conversion_parts import FieldWrite, write_of
from .exceptions import refused
from .html import grid
from .values import Record

if TYPE_CHECKING:
    from .database import Database

__all__ = [
    "ConversionMapping",
    "ConversionMappings",
    "MappedAccount",
    "MappingFinding",
    "MappingRule",
    "TargetField",
]

FillPolicy: TypeAlias = Literal["fill_empty", "overwrite", "keep", "append"]
"""What becomes of a field of a target that is there already: the lead's value where it has none; wherever the lead has
one; what it has; or both, one behind the other. A new target takes what the lead has."""


@dataclass(frozen=True, slots=True)
class MappingRule(Record):
    """One lead field into one field of a target."""

    source: str
    """The field of the lead: ``company``, ``x_budget``."""
    target: str
    """The field of the target: ``account.name``, ``contact.email``, ``opportunity.amount``."""
    policy: FillPolicy = "fill_empty"
    """For a target that is there already."""

    def __post_init__(self) -> None:
        """Refuse what is no text."""
        for name in ("source", "target", "policy"):
            check(name, getattr(self, name), str, "text")


@dataclass(frozen=True, slots=True)
class MappingFinding(Record):
    """One thing that is wrong with a mapping."""

    severity: Literal["error", "warning"]
    """Whether the mapping cannot be used, or can and may lose something."""
    code: str
    """``unknown_field``, ``type_mismatch``, ``may_not_fit``, ``missing_choices``, ``several_sources``,
    ``torn`` (an amount without its currency), ``cannot_append``, ``no_source``, ``source_not_required``,
    ``not_unique`` (leads may share what only one record can have), ``source_disabled`` or ``lost``; later versions may
    add codes."""
    sources: tuple[str, ...]
    """The fields of the lead that it is about."""
    target: str | None
    """The field of the target that it is about."""
    choices: tuple[str, ...] = field(repr=False)
    """The choices that it is about."""
    message: str = field(repr=False)
    """The same as a sentence."""

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class TargetField(Record):
    """A field that a target has."""

    name: str
    """As rules name it: ``account.name``."""
    label: str
    """What people read."""
    takes: str
    """What it takes: ``text``, ``amount``, ``date``, ``emails`` …"""
    choices: tuple[str, ...] = field(repr=False)
    """The codes of its answers, of a field with choices."""
    required: bool = field(repr=False)
    """Whether the target must have a value."""


@dataclass(frozen=True, slots=True)
class MappedAccount(Record):
    """An account as the mapping makes it. Values are as JSON has them."""

    fields: dict[str, Any]
    """Its fields."""
    writes: tuple[FieldWrite, ...] = field(repr=False)
    """Rule by rule, with what is dropped."""

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class ConversionMapping(Record):
    """The rules of a tenant. Rules into one field apply in their order. A value: changes give another one.

    >>> mapping = leadcore.ConversionMapping.standard()
    >>> mapping = mapping.with_rule("source", "contact.description", "append").staying("score")
    >>> mapping.rules[-1].target, mapping.stays
    ('contact.description', ('score',))
    >>> leadcore.ConversionMapping.from_json(mapping.to_json()) == mapping
    True
    """

    rules: tuple[MappingRule, ...] = ()
    """What goes where."""
    stays: tuple[str, ...] = ()
    """Lead fields that stay on the lead on purpose: the linter does not call them lost."""
    revision: int | None = field(default=None, compare=False, repr=False)
    """The revision that was read, for ``db.conversion_mapping.set``; ``None`` when the tenant never changed it."""

    @classmethod
    def standard(cls, *, opportunity: bool = False) -> ConversionMapping:
        """What a conversion does unless the tenant says otherwise; with what an opportunity takes, if asked for.

        >>> len(leadcore.ConversionMapping.standard(opportunity=True).rules)
        30
        """
        check("opportunity", opportunity, bool, "true or false")
        return mapping_of(json.loads(_leadcore.conversion_mapping_standard(opportunity)), None)

    @classmethod
    def from_json(cls, text: str) -> ConversionMapping:
        """Read what :meth:`to_json` wrote, or Rust."""
        check("text", text, str, "text")
        try:
            return mapping_of(json.loads(text), None)
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            raise refused("text", "malformed", "this is not a mapping of a conversion") from None

    def to_json(self) -> str:
        """The mapping as JSON, as in Rust."""
        rules = [{"from": rule.source, "to": rule.target, "policy": rule.policy} for rule in self.rules]
        return json.dumps({"rules": rules, "stays": list(self.stays)})

    def with_rule(self, source: str, target: str, policy: FillPolicy = "fill_empty") -> ConversionMapping:
        """With one rule more."""
        return dataclasses.replace(self, rules=(*self.rules, MappingRule(source, target, policy)))

    def without(self, *, source: str | None = None, target: str | None = None) -> ConversionMapping:
        """Without the rules from this field, into this field, or from the one into the other.

        >>> mapping = leadcore.ConversionMapping.standard().without(target="account.industry")
        >>> any(rule.source == "industry" for rule in mapping.rules)
        False
        """
        if source is None and target is None:
            raise refused("source", "required", "say which rules: by `source`, `target` or both")
        for name, given in (("source", source), ("target", target)):
            check(name, given, (str, type(None)), "text or None")

        def goes(rule: MappingRule) -> bool:
            return source in (None, rule.source) and target in (None, rule.target)

        return dataclasses.replace(self, rules=tuple(rule for rule in self.rules if not goes(rule)))

    def staying(self, *fields: str) -> ConversionMapping:
        """With these fields staying on the lead on purpose."""
        for n, key in enumerate(fields):
            check(f"fields[{n}]", key, str, "text")
        return dataclasses.replace(self, stays=(*self.stays, *fields))

    def _told(self) -> str:
        rules = [(rule.source, rule.target, rule.policy) for rule in self.rules]
        return json.dumps({"rules": rules, "stays": list(self.stays)})

    def _repr_html_(self) -> str:
        """The rules as a table, for notebooks."""
        return grid(("from", "to", "policy"), [(rule.source, rule.target, rule.policy) for rule in self.rules])


def mapping_of(told: Mapping[str, Any], revision: int | None) -> ConversionMapping:
    """A mapping that the compiled module wrote."""
    rules = (MappingRule(one["from"], one["to"], one.get("policy", "fill_empty")) for one in told["rules"])
    return ConversionMapping(tuple(rules), tuple(told.get("stays", ())), revision)


def _findings(text: str) -> list[MappingFinding]:
    return [
        MappingFinding(
            one["severity"], one["code"], tuple(one["from"]), one["to"], tuple(one.get("choices", ())), one["message"]
        )
        for one in json.loads(text)
    ]


class ConversionMappings:
    """``db.conversion_mapping``."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.conversion_mapping``."""
        self._db = db

    def get(self) -> ConversionMapping:
        """The mapping of the tenant, as conversions use it.

        >>> db.conversion_mapping.get() == leadcore.ConversionMapping.standard()
        True
        """
        text, revision = _leadcore.conversion_mapping_get(self._db._session)
        return mapping_of(json.loads(text), revision)

    def set(self, mapping: ConversionMapping) -> list[MappingFinding]:
        """Write the mapping, and say what it may lose. It holds from the next plan on; ``db.undo`` takes it back.

        Raises:
            InvalidError: With everything that the linter calls an error.
            ConflictError: When it was changed since it was read.

        Example:
            >>> mapping = db.conversion_mapping.get().with_rule("source", "account.description", "append")
            >>> [found.sources for found in db.conversion_mapping.set(mapping) if found.code == "lost"][:2]
            [('company',), ('amount',)]

        """
        check("mapping", mapping, ConversionMapping, "a ConversionMapping")
        return _findings(_leadcore.conversion_mapping_set(self._db._session, mapping._told(), mapping.revision)[1])

    def lint(self, mapping: ConversionMapping | None = None) -> list[MappingFinding]:
        """Everything that is wrong with a mapping, or with the tenant's: errors first. Writes nothing.

        >>> wrong = leadcore.ConversionMapping.standard().with_rule("amount", "account.owner")
        >>> [(found.severity, found.code) for found in db.conversion_mapping.lint(wrong)][0]
        ('error', 'type_mismatch')
        """
        check("mapping", mapping, (ConversionMapping, type(None)), "a ConversionMapping or None")
        asked = self.get() if mapping is None else mapping
        return _findings(_leadcore.conversion_mapping_lint(self._db._session, asked._told()))

    def preview(self, lead: Lead | UUID | str, *, account: Account | UUID | str | None = None) -> MappedAccount:
        """What the tenant's mapping would make of a lead: a new account, or what would become of ``account``.

        >>> known = db.leads.convert(db.leads.create(company="Nordlys AS")).account_id
        >>> lead = db.leads.create(company="Nordlys Norge AS", industry="Energy")
        >>> mapped = db.conversion_mapping.preview(lead, account=known)
        >>> mapped.fields["name"], mapped.fields["industry"]
        ('Nordlys AS', 'Energy')
        >>> [(one.source, one.dropped, one.why) for one in mapped.writes if one.why]
        [('company', 'Nordlys Norge AS', 'target_kept')]
        """
        told = json.loads(_leadcore.conversion_mapping_preview(self._db._session, lead, account))
        return MappedAccount(told["fields"], tuple(write_of(one) for one in told["writes"]))

    def fields(self) -> list[TargetField]:
        """The fields that accounts, contacts and opportunities have, with those that the tenant added.

        >>> [(one.name, one.takes) for one in db.conversion_mapping.fields() if one.required]
        [('account.name', 'text'), ('opportunity.name', 'text')]
        >>> _ = db.catalogue.of("account").add_field("x_seats", label="Seats")
        >>> [one.label for one in db.conversion_mapping.fields() if one.name == "account.x_seats"]
        ['Seats']
        """
        found = _leadcore.conversion_target_fields(self._db._session)
        return [TargetField(name, label, takes, tuple(codes), must) for name, label, takes, codes, must in found]
