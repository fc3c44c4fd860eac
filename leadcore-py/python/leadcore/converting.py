"""Converting leads: one or many, looked at first or at once, and the way back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast
from uuid import UUID

from ._leadcore import Lead
from .arguments import check
from .arguments import compiled as _leadcore
from .conversion import ConversionPlan
from .conversion_options import ConversionInput, Match, key_of, one_of, options_of
from .conversion_outcome import ConversionOutcome, HostMade, conversion_of, outcome_of
from .exceptions import Conflict, UnsupportedError, Violation, refused
from .mass import Selection, chosen_of
from .matching import Matches, matches_of
from .subjects import check_unicode
from .targets import ConversionTarget, Target, asked
from .transactions import open_units
from .unconversion import UnconvertOutcome, UnconvertPlan, taken_back
from .values import Record

if TYPE_CHECKING:
    from typing import Unpack

    from .database import Database

__all__ = ["ConversionProgress", "ConversionTotals", "LeadConversion", "LeadConverted", "MassConversion", "MatchRef"]

_LeadRef: TypeAlias = Lead | UUID | str
_Code: TypeAlias = Literal[
    "done",
    "already",
    "gate_unmet",
    "duplicate",
    "ambiguous",
    "closed",
    "conflict",
    "forbidden",
    "not_found",
    "target_failed",
]
_Record: TypeAlias = Literal["account", "contact"]


@dataclass(frozen=True, slots=True)
class MatchRef(Record):
    """A record that may be the one that is meant."""

    record: _Record
    """What it is."""
    id: UUID
    """Its id."""
    score: int
    """How sure it is, 0 to 100."""


@dataclass(frozen=True, slots=True)
class LeadConverted(Record):
    """What became of one lead of many. Which of the optional attributes are set depends on ``code``."""

    lead_id: UUID
    """The lead."""
    code: _Code
    """Converted by this call; before; it may not be as it is; another record has a value that only one may have;
    several accounts or contacts may be it; conversion is closed for it in its state; it changed since it was read, or
    lacks nothing but a number, its series being used up; not allowed; not there; a target of your program raised."""
    outcome: ConversionOutcome | None = field(default=None, repr=False)
    """With ``done`` and ``already``: what the conversion did."""
    violations: tuple[Violation, ...] = ()
    """With ``gate_unmet`` and ``duplicate``: everything that stands against it, used-up number series included."""
    candidates: tuple[MatchRef, ...] = ()
    """With ``ambiguous``: those that the acting user may see, the likeliest first."""
    elsewhere: int = field(default=0, repr=False)
    """With ``ambiguous``: how many others there are."""
    conflict: Conflict | None = None
    """With ``conflict``: which. ``series_exhausted`` names the series of accounts where both are used up."""
    target: str | None = None
    """With ``target_failed``: the name of the target that raised. Nothing of the lead is written."""
    error: Exception | None = None
    """With ``target_failed``: what it raised."""
    made: tuple[HostMade, ...] = field(default=(), repr=False)
    """With ``target_failed``: what targets before it had made. What they wrote with this database is gone again; what
    they keep elsewhere is for you to remove."""

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class ConversionTotals(Record):
    """How many leads had which outcome."""

    done: int = 0
    """Converted by this call."""
    already: int = 0
    """Converted before."""
    gate_unmet: int = 0
    """Not to be converted as they are."""
    duplicate: int = 0
    """They bring a value that only one record may have, and another one has it."""
    ambiguous: int = 0
    """Several records may be them."""
    closed: int = 0
    """Conversion is closed for them in their state."""
    conflict: int = 0
    """Changed since they were read, or refused for nothing but that a number series is used up."""
    forbidden: int = 0
    """Not allowed."""
    not_found: int = 0
    """Not there."""
    target_failed: int = 0
    """Refused by a target of your program."""


@dataclass(frozen=True, slots=True)
class MassConversion(Record):
    """What a conversion of many leads did."""

    totals: ConversionTotals
    """The sums."""
    results: tuple[LeadConverted, ...] = field(repr=False)
    """Each lead once: in the order asked, those of a filter by number."""

    __hash__ = None  # type: ignore[assignment]

    @property
    def refused(self) -> tuple[LeadConverted, ...]:
        """Those that are not converted."""
        return tuple(result for result in self.results if result.code not in ("done", "already"))


@dataclass(frozen=True, slots=True)
class ConversionProgress(Record):
    """How far a conversion of many leads is: what is told of is on disk."""

    leads: int
    """How many leads were looked at."""
    totals: ConversionTotals
    """What became of them."""
    last: LeadConverted = field(repr=False)
    """The last of them."""

    __hash__ = None  # type: ignore[assignment]


def _conflict(told: Any) -> Conflict:
    if isinstance(told, str):
        return {"reason": told}
    [(reason, details)] = told.items()
    return cast("Conflict", {"reason": reason, **details})


def converted_of(told: Mapping[str, Any], failures: Mapping[UUID, Exception]) -> LeadConverted:
    """What became of a lead, as the compiled module wrote it; ``failures`` is what targets raised."""
    lead, outcome = UUID(told["lead"]), told["outcome"]
    if isinstance(outcome, str):
        return LeadConverted(lead, cast("_Code", outcome))
    [(code, details)] = outcome.items()
    if code in ("done", "already"):
        return LeadConverted(lead, code, conversion_of(details, code == "done"))
    if code in ("gate_unmet", "duplicate"):
        broken = (Violation(one["field"], one["code"], one["message"]) for one in details)
        return LeadConverted(lead, cast("_Code", code), violations=tuple(broken))
    if code == "ambiguous":
        refs = (MatchRef(one["record"], UUID(one["id"]), one["score"]) for one in details["candidates"])
        return LeadConverted(lead, code, candidates=tuple(refs), elsewhere=details["elsewhere"])
    if code == "target_failed":
        made = tuple(HostMade(one["target"], one["reference"]) for one in details["made"])
        return LeadConverted(lead, code, target=details["target"], error=failures.get(lead), made=made)
    return LeadConverted(lead, code, conflict=_conflict(details))


class LeadConversion:
    """The part of ``db.leads`` that converts leads, and takes that back."""

    __slots__ = ()

    _db: Database

    def plan_conversion(self, lead: _LeadRef, **options: Unpack[ConversionInput]) -> ConversionPlan:
        """Plan what the lead becomes. Writes nothing; ``db.apply`` does it.

        With a lead object, refused when it changed since it was read. :class:`ConversionInput` says what can be
        decided.

        Raises:
            FrozenError: When the lead is converted already.
            ConflictError: When several accounts or contacts match and ``account`` or ``person`` do not choose:
                ``ambiguous_match``; when conversion is closed for the lead and that is all: ``closed``.
            InvalidError: With everything that stands against the lead: it was lost or disqualified, or lacks a field
                that it must have. What the customer lacks is no error by itself: it stands in ``missing``.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS", name="Anna Berg", amount=3000, currency="EUR")
            >>> plan = db.leads.plan_conversion(lead, status="prospect", opportunity={"probability": 60})
            >>> plan
            <ConversionPlan new account, 1 contacts, new opportunity>
            >>> plan.account_fields["status"], plan.opportunity.fields["amount"], plan.opportunity.next_number
            ('prospect', '3000', 'O-00001')
            >>> [(one.source, one.target, one.new) for one in plan.writes][:2]
            [('kind', 'account.kind', 'company'), ('company', 'account.name', 'Nordlys AS')]

        """
        return ConversionPlan._of(_leadcore.conversion_plan(self._db._session, lead, options_of(options)))

    def convert(
        self,
        lead: _LeadRef,
        *,
        targets: Iterable[ConversionTarget | Target] = (),
        **options: Unpack[ConversionInput],
    ) -> ConversionOutcome:
        """Plan and apply in one call. A lead that was converted before gives the first outcome again.

        A ``key`` of yours stands for one call: the same call again gives its outcome, also after the way back or after
        what it names was renamed, and asks no target.

        Args:
            lead: Which lead. With the object, refused when it changed since it was read.
            targets: What your program keeps of customers, written in the same transaction.
            options: As for :meth:`plan_conversion`.

        Raises:
            ConflictError: For another lead, other options or a call of another kind under a ``key`` that stands for a
                call: ``key_reused``, with what ``differs``; and as for :meth:`plan_conversion`.
            InvalidError: With everything that stands against it.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> outcome = db.leads.convert(lead)
            >>> db.accounts.get(outcome.account_id).name
            'Nordlys AS'
            >>> db.leads.convert(lead).newly_converted
            False

        """
        said, hosts = options_of(options), asked(targets)
        if hosts is None:
            return outcome_of(_leadcore.conversion_convert(self._db._session, lead, said, None))
        with self._db.transaction():
            return outcome_of(_leadcore.conversion_convert(self._db._session, lead, said, hosts))

    def convert_many(
        self,
        leads: Selection,
        *,
        expected: int | None = None,
        batch: int | None = None,
        progress: Callable[[ConversionProgress], object] | None = None,
        targets: Iterable[ConversionTarget | Target] = (),
        **options: Unpack[ConversionInput],
    ) -> MassConversion:
        """Convert many leads, each by the rules of :meth:`convert`: what stands against one is its outcome alone.

        Each conversion is an operation of its own, with its own way back. A ``key`` stands for one call with all its
        leads: the same call again gives the same outcomes, and goes on with what was broken off, also where the filter
        finds others by now. After something that it names was renamed, leads that are left are ``gate_unmet`` until the
        call says the new name.

        Args:
            leads: All that match a filter, or these.
            expected: How many the caller saw: when there are more or fewer now, nothing is done.
            batch: Commit after so many leads: what was committed stays when a later one fails, and the same call goes
                on then. All or nothing when not said.
            progress: Hears of each lead once it is on disk; 100 leads at a time when no ``batch`` is said. One that
                returns ``False`` ends the call; what it raises is raised. What was committed stays.
            targets: What your program keeps of customers, as for :meth:`convert`. What one of them raises about a lead
                is the outcome of that lead, ``target_failed``: nothing of it is written, and the others go on. Errors
                that say that the database is broken, a :class:`CancelledError`, and what is no ``Exception``, such as
                a ``KeyboardInterrupt``, end the call.
            options: As for :meth:`plan_conversion`, for each lead.

        Raises:
            ConflictError: When there are more or fewer leads than ``expected``; for other leads, other options or a
                call of another kind under a ``key`` that was used before: ``key_reused``.

        Example:
            >>> _ = db.leads.create_many({"company": name, "city": "Oslo"} for name in ("Nordlys AS", "Fjord AS"))
            >>> done = db.leads.convert_many("city = Oslo", expected=2, status="prospect")
            >>> done.totals.done, [one.outcome.account_number for one in done.results]
            (2, [1, 2])

        """
        said, chosen = options_of(options), chosen_of(leads, expected)
        check("batch", batch, (int, type(None)), "a whole number or None")
        if progress is not None and not callable(progress):
            raise TypeError(f"`progress`: expected something to call, not '{type(progress).__name__}'")
        if batch is not None and batch < 1:
            raise refused("batch", "out_of_range", "a batch has at least one lead")
        failures: dict[UUID, Exception] = {}
        hosts = asked(targets, failures)
        hear = None if progress is None else _hearing(progress, failures)
        if hosts is not None:
            size = batch or (100 if hear else None)
            told = self._many_with(chosen, said, size, hear, hosts)
            return _many_told(told, json.loads(_leadcore.conversion_counted(None, json.dumps(told))), failures)
        if batch is None and hear is None:
            return _many(_leadcore.convert_many(self._db._session, chosen, said))
        return _many(_leadcore.convert_in_batches(self._db._session, chosen, said, batch or 100, hear))

    def _many_with(
        self, chosen: Any, said: Any, batch: int | None, hear: Callable[[Any], object] | None, hosts: Any
    ) -> list[dict[str, Any]]:
        """Each lead, with targets: one transaction, or one for each batch."""
        if batch is not None and self._db._session.key in open_units.get():
            raise UnsupportedError("this call has transactions of its own: run it outside of this one")
        results: list[dict[str, Any]] = []
        with self._db.transaction() if batch is None else contextlib.nullcontext():
            for part in _leadcore.convert_parts(self._db._session, chosen, said, batch):
                with self._db.transaction():
                    told = json.loads(_leadcore.convert_part(self._db._session, part, said, hosts))["results"]
                results += told
                # Each lead of the batch is told, also those behind one that ends the call.
                said_of_each = [] if hear is None else [hear(one) for one in told]
                if any(answer is not None and not answer for answer in said_of_each):
                    break
        return results

    def plan_unconvert(self, lead: _LeadRef) -> UnconvertPlan:
        """What taking the conversion of a lead back would do, and all that stands against it. Writes nothing.

        Raises:
            InvalidError: For a lead that is not converted.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> account = db.accounts.get(db.leads.convert(lead).account_id)
            >>> _ = db.as_user("bob").accounts.edit(account, city="Oslo")
            >>> [(one.blocker, one.by) for one in db.leads.plan_unconvert(lead).blockers]
            [('changed', ('bob',))]

        """
        return UnconvertPlan.from_json(_leadcore.unconversion_plan(self._db._session, lead))

    def unconvert(
        self, lead: _LeadRef, *, targets: Iterable[ConversionTarget | Target] = (), key: str | None = None
    ) -> UnconvertOutcome:
        """Take the conversion of a lead back: it is open again where it was, with everything that hung on it.

        What the conversion made new is archived or goes, what was there gets back what it had.

        Args:
            lead: Which lead.
            targets: What takes back what your program made, by its name.
            key: Your own key: the same call again gives the first outcome, also when the lead was converted anew, and
                asks no target. It is one key with those of conversions: it stands for one call of whatever kind.

        Raises:
            ConflictError: When something stands against it, which :meth:`plan_unconvert` lists: ``blocked``; for
                another lead or a call of another kind under a ``key`` that was used before: ``key_reused``.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> _ = db.leads.convert(lead)
            >>> _ = db.leads.unconvert(lead)
            >>> db.leads.get(lead).state, len(db.accounts.list())
            ('open', 0)

        """
        hosts, once = asked(targets), key_of(key)
        if hosts is None:
            return taken_back(_leadcore.unconversion_do(self._db._session, lead, None, once))
        with self._db.transaction():
            return taken_back(_leadcore.unconversion_do(self._db._session, lead, hosts, once))

    def matches(self, lead: _LeadRef, *, number: int | str | None = None, limit: int = 50) -> Matches:
        """Every account and contact that the lead may be, with what speaks for each.

        By e-mail, phone, domain, company name, tax number and customer number, and for accounts by their persons too.
        Of records out of sight it tells that there are some, and whose.

        Args:
            lead: Which lead.
            number: The customer number that somebody gave, best as people write it: ``"N-0001"`` is certain; a number
                that accounts of several series have says little.
            limit: How many records that share one thing are looked at, 1 to 1,000.

        Example:
            >>> _ = db.leads.convert(db.leads.create(company="Nordlys AS", email="post@nordlys.example"))
            >>> lead = db.leads.create(company="NORDLYS A/S", email="anna@nordlys.example")
            >>> [found] = db.leads.matches(lead).accounts
            >>> found.name, found.score, [(one.kind, one.value) for one in found.evidence]
            ('Nordlys AS', 85, [('company', 'nordlys'), ('domain', 'nordlys.example')])

        """
        return matches_of(json.loads(_leadcore.matches(self._db._session, lead, _number(number), limit)))

    def match(
        self,
        lead: _LeadRef,
        record: _Record = "account",
        *,
        at_least: int | None = None,
        number: int | str | None = None,
        limit: int = 50,
    ) -> UUID | None:
        """The account or contact that the lead is, by the rule that :class:`Match` states; ``None`` when there is none.

        Raises:
            ConflictError: When several may be it: ``ambiguous_match``, with the candidates.

        Example:
            >>> known = db.leads.create(company="Nordlys AS", email="post@nordlys.example")
            >>> account = db.leads.convert(known).account_id
            >>> lead = db.leads.create(company="Nordlys", email="post@nordlys.example")
            >>> db.leads.match(lead, at_least=80) == account
            True

        """
        what = one_of("record", record, _Record)
        policy = json.dumps(Match(at_least)._policy)
        return _leadcore.match_chosen(self._db._session, lead, what, policy, _number(number), limit)


def _number(given: object) -> Any:
    check("number", given, (int, str, type(None)), "a whole number, or the text of one")
    if isinstance(given, str):
        check_unicode("number", given)
    return given


def _many(text: str) -> MassConversion:
    told = json.loads(text)
    return _many_told(told["results"], told["totals"], {})


def _many_told(
    told: Iterable[Mapping[str, Any]], totals: Mapping[str, int], failures: Mapping[UUID, Exception]
) -> MassConversion:
    return MassConversion(ConversionTotals(**totals), tuple(converted_of(one, failures) for one in told))


def _hearing(
    progress: Callable[[ConversionProgress], object], failures: Mapping[UUID, Exception]
) -> Callable[[Any], object]:
    leads, totals = 0, None

    def hear(told: Any) -> object:
        nonlocal leads, totals
        one = json.loads(told) if isinstance(told, str) else told
        leads, totals = leads + 1, _leadcore.conversion_counted(totals, json.dumps([one]))
        return progress(ConversionProgress(leads, ConversionTotals(**json.loads(totals)), converted_of(one, failures)))

    return hear
