"""Customers that your own program keeps: made in the transaction that converts a lead."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable
from uuid import UUID

from .arguments import check, expected, several
from .conversion import ConversionPlan
from .conversion_outcome import ConversionOutcome, conversion_of
from .exceptions import (
    CancelledError,
    CorruptError,
    InternalError,
    StorageError,
    UnsupportedError,
    refused,
)

__all__ = ["ConversionTarget", "Target"]

_Answer: TypeAlias = Callable[[int, str, str | None, str | None], str | bool | None]

#: The store itself is broken, or the caller wants to stop: nothing goes on after these.
_ENDS_ALL = (CancelledError, CorruptError, InternalError, StorageError)


@runtime_checkable
class ConversionTarget(Protocol):
    """A place where your program keeps customers of its own. :class:`Target` is one made of functions.

    Its methods run in the middle of the transaction, in the thread that converts. They may use the database: what they
    write is kept or taken back with the conversion. What they raise is raised by the call, and nothing of it is kept;
    of many leads it is the outcome of that one.
    """

    @property
    def name(self) -> str:
        """Its name, which never changes: the outcome says by it who made what."""
        ...

    def create(self, outcome: ConversionOutcome, plan: ConversionPlan, /) -> str | None:
        """Make what your program keeps of this customer, and say what it is called there.

        ``None`` when it keeps nothing. What leadcore keeps of it is written already.
        """
        ...

    def withdraw(self, outcome: ConversionOutcome, reference: str, /) -> None:
        """Take back what :meth:`create` made, when the conversion is taken back.

        What it leaves of what ``create`` hung on the customer is removed; what it writes into a field stands.
        """
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """A :class:`ConversionTarget` made of functions.

    >>> clients = {}
    >>> def create(outcome, plan):
    ...     clients["C-1"] = plan.account_fields["name"]
    ...     return "C-1"
    >>> client = leadcore.Target("client", create, lambda outcome, reference: clients.pop(reference))
    >>> lead = db.leads.create(company="Nordlys AS")
    >>> db.leads.convert(lead, targets=[client]).host, clients
    ((HostMade(target='client', reference='C-1'),), {'C-1': 'Nordlys AS'})
    >>> _ = db.leads.unconvert(lead, targets=[client])
    >>> clients
    {}
    """

    name: str
    """Its name, which never changes."""
    create: Callable[[ConversionOutcome, ConversionPlan], str | None]
    """Makes what your program keeps of the customer, and says what it is called there."""
    withdraw: Callable[[ConversionOutcome, str], object] | None = None
    """Takes it back. Without one, a conversion of which this made something is not taken back."""


def asked(
    targets: Iterable[ConversionTarget | Target], failures: dict[UUID, Exception] | None = None
) -> tuple[list[str], _Answer] | None:
    """The targets as the compiled module asks them. ``failures`` takes what they raise about one lead of many."""
    found = several("targets", targets, "several targets")
    names: list[str] = []
    for n, target in enumerate(found):
        name = getattr(target, "name", None)
        if not isinstance(name, str) or not callable(getattr(target, "create", None)):
            raise expected(f"targets[{n}]", "a target", target)
        if not name or name in names:
            raise refused(
                f"targets[{n}].name", "duplicate" if name else "required", "each target has a name of its own"
            )
        names.append(name)
    if not found:
        return None

    def each(at: int, made: str, plan: str | None, reference: str | None) -> str | bool | None:
        try:
            return answer(at, made, plan, reference)
        except _ENDS_ALL:
            raise
        except Exception as error:
            if failures is None:
                raise
            failures[UUID(json.loads(made)["lead"])] = error
            return False

    def answer(at: int, made: str, plan: str | None, reference: str | None) -> str | None:
        target = found[at]
        outcome = conversion_of(json.loads(made), reference is None)
        if plan is not None:
            said = target.create(outcome, ConversionPlan._of(plan))
            check(f"targets[{at}].create", said, (str, type(None)), "a target to say text or None")
            return said
        if target.withdraw is None:
            raise UnsupportedError(f"the target `{target.name}` does not take back what it made")
        target.withdraw(outcome, reference or "")
        return None

    return names, each
