"""Addresses and numbers that do not reach anybody, or should not be used."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Self
from uuid import UUID

from .arguments import check, several
from .arguments import compiled as _leadcore
from .exceptions import refused
from .filters import Where, encode
from .mass import MassOutcome, outcome_of
from .plan import read_plan
from .values import Record

if TYPE_CHECKING:
    from .database import Database

__all__ = ["Finding", "Hygiene", "HygienePlan"]

_FIXES: Final = ("keep", "correct", "mark_invalid", "put_last", "remove")
_ISSUES: Final = (
    "undeliverable_email",
    "misspelt_email",
    "role_email",
    "disposable_email",
    "bounced_email",
    "opted_out_email",
    "malformed_phone",
    "impossible_phone",
    "dead_phone",
    "opted_out_phone",
)


@dataclass(frozen=True, slots=True)
class Finding(Record):
    """One address and what is wrong with it."""

    lead_id: UUID
    """The lead."""
    number: int
    """Its number."""
    channel: Literal["email", "phone"]
    """An e-mail address or a phone number."""
    address: str
    """The address."""
    primary: bool
    """Whether it is the primary one."""
    issue: str
    """What is wrong: ``undeliverable_email``, ``misspelt_email``, ``role_email``, ``disposable_email``,
    ``bounced_email``, ``opted_out_email``, ``malformed_phone``, ``impossible_phone``, ``dead_phone``,
    ``opted_out_phone``; later versions may add some."""
    fix: str
    """What is done about it: ``keep``, ``correct``, ``mark_invalid``, ``put_last`` or ``remove``."""
    correction: str | None = None
    """With ``correct``: the address that it becomes."""
    contact_id: UUID | None = None
    """The person of the lead whose address it is; ``None`` for the lead's own."""


class HygienePlan:
    """What is wrong with addresses, and what would be done: show it, change its fixes, store it, apply it later.

    It holds addresses, so it is personal data.

    >>> _ = db.leads.create(company="Nordlys AS", email="anna@gmial.com")
    >>> plan = db.hygiene.plan()
    >>> [(finding.issue, finding.fix, finding.correction) for finding in plan.findings]
    [('misspelt_email', 'correct', 'anna@gmail.com')]
    >>> plan.set_fix(0, "mark_invalid")
    >>> leadcore.HygienePlan.from_json(plan.to_json()) == plan
    True
    """

    __slots__ = ("_data",)

    def __init__(self, data: Mapping[str, Any]) -> None:
        """Take the data that :meth:`to_dict` gave."""
        check("data", data, Mapping, "the data of a plan")
        try:
            self._data: dict[str, Any] = json.loads(json.dumps(data, allow_nan=False))
            self._data["findings"] = list(self._data["findings"])
        except (TypeError, ValueError, KeyError, RecursionError):
            raise refused("plan", "malformed", "this is not a plan of hygiene") from None

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote."""
        data = read_plan(text, name="text", what="a plan of hygiene")
        _leadcore.hygiene_check(text)
        return cls(data)

    def to_json(self) -> str:
        """The plan as JSON."""
        return json.dumps(self._data)

    def to_dict(self) -> dict[str, Any]:
        """The plan as a dictionary of its own."""
        data: dict[str, Any] = json.loads(self.to_json())
        return data

    @property
    def scanned(self) -> int:
        """How many leads were looked at."""
        return int(self._data["scanned"])

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Address by address, by the numbers of the leads."""
        return tuple(_finding(one) for one in self._data["findings"])

    @property
    def counts(self) -> dict[str, int]:
        """How many findings each issue has."""
        return dict(self._data["counts"])

    @property
    def has_more(self) -> bool:
        """Whether there are more leads: hand the plan as ``after`` to the next."""
        return self._data.get("next") is not None

    def set_fix(self, finding: int, fix: str, correction: str | None = None) -> None:
        """Decide what is done about a finding, by its place in :attr:`findings`.

        A correction that is no address of its kind is refused at once.
        """
        check("finding", finding, int, "the place of a finding")
        check("fix", fix, str, "text")
        check("correction", correction, (str, type(None)), "text")
        if fix not in _FIXES:
            raise refused("fix", "unknown", f"must be one of {', '.join(_FIXES)}")
        if (fix == "correct") != (correction is not None):
            raise refused("correction", "required", "`correct`, and nothing else, says what the address becomes")
        if not 0 <= finding < len(self._data["findings"]):
            raise refused("finding", "out_of_range", "there is no finding at this place")
        if correction is not None:
            _leadcore.hygiene_check_correction(self._data["findings"][finding]["channel"], correction)
        self._data["findings"][finding]["fix"] = {"correct": correction} if fix == "correct" else fix

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HygienePlan) and self._data == other._data

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<HygienePlan scanned={self._data.get('scanned')!r} counts={self._data.get('counts')!r}>"


def _finding(told: dict[str, Any]) -> Finding:
    fix = told["fix"]
    correction = None
    if isinstance(fix, dict):
        ((fix, correction),) = fix.items()
    return Finding(
        UUID(told["lead"]),
        told["number"],
        told["channel"],
        told["address"],
        told["primary"],
        told["issue"],
        fix,
        correction,
        UUID(told["contact"]) if told.get("contact") else None,
    )


class Hygiene:
    """``db.hygiene``: finds addresses that reach nobody, and mends them by a plan.

    Nothing is sent and no domain is asked: what is known is the form of an address, its marks, and lists of domains.
    """

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.hygiene``."""
        self._db = db

    def plan(
        self,
        where: Where = None,
        *,
        issues: Iterable[str] = (),
        disposable: Iterable[str] = (),
        region: str | None = None,
        limit: int = 10_000,
        after: HygienePlan | None = None,
    ) -> HygienePlan:
        """Look for what is wrong with e-mail addresses and phone numbers of leads and their persons. Writes nothing.

        Args:
            where: Which leads; those in the trash and converted ones are left alone.
            issues: Only these (``"role_email"``: see :attr:`Finding.issue`); all when empty.
            disposable: Domains that give out disposable addresses, beside the few that are known here.
            region: Where national numbers are dialled from, of leads that name no country.
            limit: The plan ends behind the lead with which it has so many findings: 1 to 100,000.
            after: An earlier plan, to go on behind it.

        Example:
            >>> _ = db.leads.create(company="Nordlys AS", email="info@nordlys.no", phone="22 22 55 55")
            >>> plan = db.hygiene.plan(region="NO")
            >>> plan.counts
            {'role_email': 1, 'malformed_phone': 1}

        """
        asked: dict[str, Any] = {"filter": {"all": []}, "issues": several("issues", issues, "several issues")}
        asked["disposable"] = several("disposable", disposable, "several domains")
        for name in ("issues", "disposable"):
            for one in asked[name]:
                check(name, one, str, "several texts")
        for one in asked["issues"]:
            if one not in _ISSUES:
                raise refused("issues", "unknown", f"each must be one of {', '.join(_ISSUES)}")
        check("region", region, (str, type(None)), "the code of a country")
        check("limit", limit, int, "a whole number")
        check("after", after, (HygienePlan, type(None)), "an earlier plan")
        if limit < 0:
            raise refused("limit", "out_of_range", "a plan has 1 to 100,000 findings")
        asked |= {"region": region, "limit": limit, "after": None if after is None else after._data.get("next")}
        return HygienePlan.from_json(_leadcore.hygiene_plan(self._db._session, encode(where), json.dumps(asked)))

    def apply(self, plan: HygienePlan) -> MassOutcome:
        """Do what a plan says, in one call that ``db.undo`` takes back.

        A lead that changed since, or a person of it, is left alone with all that was to be done about it.

        >>> _ = db.leads.create(company="Nordlys AS", email="anna@gmial.com")
        >>> outcome = db.hygiene.apply(db.hygiene.plan())
        >>> outcome.totals.done, str(db.leads.by_number(1).email)
        (1, 'anna@gmail.com')
        >>> db.undo(outcome).totals.reversed
        1
        """
        check("plan", plan, HygienePlan, "a plan of `db.hygiene.plan`")
        return outcome_of(_leadcore.hygiene_apply(self._db._session, plan.to_json()))
