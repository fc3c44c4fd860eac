"""What the caller decides about a conversion."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, get_args
from uuid import UUID

from ._leadcore import Account, Contact
from .arguments import check, expected
from .estimate import Estimate
from .exceptions import InvalidError, Violation, refused
from .fields import ACCOUNT_KEYS, CONTACT_KEYS, AccountInput, ContactInput, checked, with_custom
from .opportunities import day_of, id_of, is_name, opportunity_fields
from .opportunity import OPPORTUNITY_KEYS, Opportunity, OpportunityInput
from .series import NumberSeries
from .subjects import check_unicode, text_or_none
from .values import Record

if TYPE_CHECKING:
    from .models import Term
    from .series import SeriesRef

__all__ = [
    "ConversionInput",
    "CustomerType",
    "EstimateChoice",
    "Match",
    "NewOpportunity",
]

CustomerType: TypeAlias = Literal["active_with_invoice", "inactive_with_proforma", "neither"]
"""What the customer is from now on, and which document your program makes for it."""

_Into: TypeAlias = Literal["both", "account", "contacts"]
_Status: TypeAlias = Literal["customer", "prospect"]
_Ending: TypeAlias = Literal["open", "won", "lost"]

EstimateChoice: TypeAlias = Literal["all", "accepted"] | Iterable[Estimate | UUID | str] | None
"""Which estimates become services: all that are open or accepted, those that were accepted, these, or none. Of an
estimate with several versions it is the one that was accepted, else the latest that was sent, else the latest draft."""


@dataclass(frozen=True, slots=True)
class Match(Record):
    """The account or contact that matches ``at_least`` so well, or a new one where none does.

    Several that are as likely are an error. ``Match()`` alone chooses none: it asks you, as soon as one may match.

    >>> _ = db.leads.convert(db.leads.create(company="Nordlys AS", email="post@nordlys.example"))
    >>> lead = db.leads.create(company="Nordlys A/S", email="post@nordlys.example")
    >>> db.leads.convert(lead, account=leadcore.Match(at_least=80)).account_number
    1
    """

    at_least: int | None = None
    """The best one that is at least so sure, 0 to 100. ``None`` leaves it to you: as soon as one may match, it is an
    error that lists them."""

    def __post_init__(self) -> None:
        """Refuse what is no percentage."""
        whole = "a whole number or None"
        if isinstance(self.at_least, bool):
            raise expected("at_least", whole, self.at_least)
        check("at_least", self.at_least, (int, type(None)), whole)
        if self.at_least is not None and not 0 <= self.at_least <= 100:
            raise refused("at_least", "out_of_range", "must lie in 0 to 100")

    @property
    def _policy(self) -> object:
        return "ask_caller" if self.at_least is None else {"best": {"at_least": int(self.at_least)}}


class NewOpportunity(OpportunityInput, total=False):
    """A new opportunity of a conversion: what is said here goes over what the lead says.

    Fields that the tenant added to opportunities are said in ``custom``, or each by its own key.
    """

    state: _Ending
    """Open, or how it ended already."""
    on: date | str | None
    """The day on which it was won or lost; today when not said."""
    reason: Term | UUID | str | None
    """Why it was lost: one of ``db.lost_reasons``, its id or its name."""
    detail: str | None
    """Why it was lost, in words."""
    series: SeriesRef | None
    """The series that numbers it (``db.series``); the default one when not said."""


class ConversionInput(TypedDict, total=False):
    """Everything a caller may decide about a conversion. All of it is optional."""

    into: _Into
    """What the lead becomes: an account with its persons, the account alone, or its persons alone."""
    account: Account | Match | UUID | str | None
    """The account that it becomes a part of, or how to find that; a new one when not said."""
    person: Contact | Match | UUID | str | None
    """The contact that the person of the lead itself is, or how to find that; a new one when not said."""
    status: _Status
    """Whether a new account is a customer (as it comes) or a prospect."""
    series: SeriesRef | None
    """The series that numbers a new account (``db.series``); the default one when not said."""
    opportunity: Opportunity | NewOpportunity | UUID | str | bool | None
    """The running opportunity that the lead joins, or what a new one has; ``True`` for one with what the lead says."""
    estimates: EstimateChoice
    """Which estimates of the lead become services of the customer."""
    customer: CustomerType
    """What the customer is, and which document your program makes for it."""
    account_fields: AccountInput
    """What is written over what the lead says, for a new account; its status is said by ``status``."""
    contact_fields: ContactInput
    """What is written over what the lead says, for the new contact that the person of the lead becomes."""
    person_fields: Mapping[Contact | UUID | str, ContactInput]
    """The same for further persons of the lead, each by its contact: those that come along as they are."""
    key: str | None
    """Your own key for this conversion, at most 200 bytes: the same call again, also from another process or after the
    way back, gives the first outcome; another lead, other options or a call of another kind (one lead, many, an
    opportunity, a way back) under it are a conflict, ``key_reused``. The same words are the same call, also where what
    they name was renamed since, each name as before or as it is now, and 10.00 is 10. Of a call for many it stands for
    all of its leads: other leads under it are a conflict, too."""


CONVERSION_KEYS = frozenset(ConversionInput.__annotations__)
_ENDING_KEYS = frozenset({"state", "on", "reason", "detail", "series"})


def one_of(name: str, given: object, kind: Any) -> Any:
    """One of the words of a literal type."""
    known = get_args(kind)
    check(name, given, str, "text")
    if given not in known:
        raise refused(name, "unknown", f"must be {', '.join(f'`{word}`' for word in known[:-1])} or `{known[-1]}`")
    return given


def uuid_of(name: str, given: object, kind: type | tuple[type, ...], what: str) -> str:
    """The id of a record, as text."""
    which = given.id if isinstance(given, kind) else given  # type: ignore[attr-defined]
    if isinstance(which, UUID):
        return str(which)
    if not isinstance(which, str):
        raise expected(name, what, given)
    check_unicode(name, which)
    try:
        return str(UUID(which))
    except ValueError:
        raise refused(name, "malformed", "an id must be a UUID") from None


def _choice(name: str, given: object, kind: type) -> object:
    if given is None:
        return "new"
    if isinstance(given, Match):
        return {"match": given._policy}
    return {"existing": uuid_of(name, given, kind, "the record, its id, or a Match")}


def _series(name: str, given: object) -> str | None:
    return None if given is None else uuid_of(name, given, NumberSeries, "a series or its id")


def estimates_choice(given: object) -> object:
    """Which estimates, as the compiled module reads it."""
    if given is None:
        return "none"
    if isinstance(given, str):
        return one_of("estimates", given, Literal["all", "accepted"])
    if not isinstance(given, Iterable) or isinstance(given, (bytes, Mapping)):
        raise expected("estimates", "`all`, `accepted`, or several estimates", given)
    what = "an estimate or its id"
    return {"these": [uuid_of(f"estimates[{n}]", one, Estimate, what) for n, one in enumerate(given)]}


def _opportunity(given: object) -> tuple[object, dict[str, Any]]:
    """The opportunity, and what is said of its custom fields."""
    if given is None or given is False:
        return "none", {}
    if given is True:
        given = {}
    if not isinstance(given, Mapping):
        what = "an opportunity, its id, a mapping of its fields, or True"
        return {"existing": uuid_of("opportunity", given, Opportunity, what)}, {}
    try:
        said = with_custom(given, OPPORTUNITY_KEYS | _ENDING_KEYS)
        ending = {key: said.pop(key) for key in _ENDING_KEYS & said.keys()}
        series = _series("series", ending.pop("series", None))
        fields, own = opportunity_fields(said)
        how, reason = _ending(ending)
        return {"new": {"fields": json.loads(fields), "ending": how, "reason": reason, "series": series}}, own
    except InvalidError as error:
        broken = [Violation(f"opportunity.{one.field}", one.code, one.message) for one in error.violations]
    raise InvalidError("; ".join(str(one) for one in broken), violations=broken)


def _ending(said: Mapping[str, Any]) -> tuple[object, str | None]:
    """How it ended, and the reason where that is said by its name."""
    state = one_of("state", said.get("state", "open"), _Ending)
    on = day_of("on", said.get("on"))
    text_or_none("detail", said.get("detail"))
    if on is not None:
        try:
            date.fromisoformat(on)
        except ValueError:
            raise refused("on", "malformed", "a day is written YYYY-MM-DD") from None
    reason = id_of("reason", said.get("reason"))
    named = reason if is_name(reason) else None
    why = {"reason": None if named is not None else reason, "detail": said.get("detail")}
    wanted = {"open": (), "won": ("on",), "lost": ("on", "reason", "detail")}[state]
    for name in ("on", "reason", "detail"):
        if name not in wanted and said.get(name) is not None:
            raise refused(name, "not_allowed", f"this is not said of one that is {state}")
    if state == "open":
        return "open", None
    return ({"won": {"on": on}} if state == "won" else {"lost": {"on": on, **why}}), named


def key_of(given: object) -> str | None:
    """A key of the caller's."""
    check("key", given, (str, type(None)), "text or None")
    if not isinstance(given, str):
        return None
    check_unicode("key", given)
    if not 0 < len(given.strip().encode()) <= 200:
        raise refused("key", "too_long" if given.strip() else "required", "a key has 1 to 200 bytes")
    if given != given.strip() or any(ord(one) < 32 or 127 <= ord(one) < 160 for one in given):
        raise refused("key", "malformed", "a key has no blanks around it and no control characters")
    return given


def _check_status(said: Mapping[str, Any], into: str) -> None:
    """Refuse a status that would have no effect."""
    if "status" not in said:
        return
    joins = said.get("opportunity") is not None and not isinstance(said["opportunity"], (bool, Mapping))
    existing = said.get("account") is not None and not isinstance(said["account"], Match)
    if into == "contacts" or joins or existing:
        raise refused("status", "not_allowed", "only a new account is given a status")
    wanted = {"active_with_invoice": "customer", "inactive_with_proforma": "prospect"}.get(said.get("customer", ""))
    if wanted is not None and said["status"] != wanted:
        raise refused("status", "not_allowed", f"the type of customer says `{wanted}`")


def customer_said(account: object, contact: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is said of a new account and a new contact, as the compiled module reads it."""
    said: list[dict[str, Any]] = []
    broken: list[Violation] = []
    # The status is said elsewhere.
    for name, given, keys in (
        ("account", account, ACCOUNT_KEYS - {"status"}),
        ("contact", contact, CONTACT_KEYS),
    ):
        check(f"{name}_fields", given, (Mapping, type(None)), "a mapping of fields, or None")
        try:
            said.append(dict(with_custom(given or {}, keys)))  # type: ignore[arg-type]
        except InvalidError as error:
            broken += [Violation(f"{name}.{one.field}", one.code, one.message) for one in error.violations]
    if broken:
        raise InvalidError("; ".join(str(one) for one in broken), violations=broken)
    return said[0], said[1]


def opportunity_said(given: object) -> tuple[str, dict[str, Any]]:
    """What is said of a new opportunity, as the compiled module reads it."""
    check("opportunity_fields", given, (Mapping, type(None)), "a mapping of fields, or None")
    try:
        said, own = opportunity_fields(given or {})  # type: ignore[arg-type]
        if "source" in own:
            raise refused("source", "malformed", "a plan takes a source by record or id")
    except InvalidError as error:
        broken = [Violation(f"opportunity.{one.field}", one.code, one.message) for one in error.violations]
    else:
        return said, own
    raise InvalidError("; ".join(str(one) for one in broken), violations=broken)


def persons_said(given: object) -> dict[str, dict[str, Any]]:
    """What is said of further persons of a lead, as the compiled module reads it."""
    check("person_fields", given, (Mapping, type(None)), "a mapping from contacts to their fields, or None")
    said: dict[str, dict[str, Any]] = {}
    broken: list[Violation] = []
    for n, (contact, fields) in enumerate((given or {}).items()):  # type: ignore[attr-defined]
        place = f"person_fields[{n}]"
        check(place, fields, Mapping, "a mapping of fields")
        which = uuid_of(place, contact, Contact, "a contact or its id")
        if which in said:
            raise refused(place, "duplicate", "a person is named twice")
        try:
            said[which] = dict(with_custom(fields, CONTACT_KEYS))
        except InvalidError as error:
            broken += [Violation(f"{place}.{one.field}", one.code, one.message) for one in error.violations]
    if broken:
        raise InvalidError("; ".join(str(one) for one in broken), violations=broken)
    return said


def options_of(
    given: Mapping[str, Any],
) -> tuple[str, str, dict[str, Any], dict[str, Any], dict[str, Any], dict[str, dict[str, Any]]]:
    """The options without the opportunity, the opportunity, its custom fields, account, contact and further persons."""
    said = checked(given, CONVERSION_KEYS)
    into = one_of("into", said.get("into", "both"), _Into)
    account, person = said.get("account"), said.get("person")
    if into == "contacts" and account is not None:
        raise refused("account", "not_allowed", "a lead that becomes its persons alone has no account")
    one_of("status", said.get("status", "customer"), _Status)
    one_of("customer", said.get("customer", "neither"), CustomerType)
    _check_status(said, into)
    if into == "account" and person is not None:
        raise refused("person", "not_allowed", "a lead that becomes an account alone has no persons")
    options = {
        "account": "none" if into == "contacts" else _choice("account", account, Account),
        "contacts": into != "account",
        "person": _choice("person", person, Contact),
        "status": one_of("status", said.get("status", "customer"), _Status),
        "series": _series("series", said.get("series")),
        "estimates": estimates_choice(said.get("estimates")),
        "customer": one_of("customer", said.get("customer", "neither"), CustomerType),
        "key": key_of(said.get("key")),
    }
    opportunity, own = _opportunity(said.get("opportunity"))
    profile, contact = customer_said(said.get("account_fields"), said.get("contact_fields"))
    persons = persons_said(said.get("person_fields"))
    return json.dumps(options), json.dumps(opportunity), own, profile, contact, persons
