"""Conversions that another system must hear of, each once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from .arguments import check, expected
from .arguments import compiled as _leadcore
from .conversion_outcome import ConversionOutcome, conversion_of
from .exceptions import refused
from .subjects import time_of, user_of
from .unconversion import UnconvertOutcome, unconversion_of
from .values import Record

if TYPE_CHECKING:
    from .database import Database

__all__ = ["Outbox", "OutboxBatch", "OutboxEvent"]


@dataclass(frozen=True, slots=True)
class OutboxEvent(Record):
    """Something that a consumer must carry on."""

    key: UUID
    """Its key, for ever the same: the call that it tells. Keep it with what you make, and make that once."""
    at: datetime = field(repr=False)
    """When it happened."""
    actor: str | None = field(repr=False)
    """Who did it; ``None`` for the program itself."""
    kind: Literal["converted", "unconverted"]
    """What happened."""
    outcome: ConversionOutcome | UnconvertOutcome
    """What that did: a customer to be made with the document that it gets, or one to be taken back."""
    _json: str = field(repr=False)

    @property
    def lead_id(self) -> UUID:
        """The lead."""
        return self.outcome.lead_id

    def to_json(self) -> str:
        """The event as JSON, to carry it out somewhere else and acknowledge it later."""
        return self._json

    @classmethod
    def from_json(cls, text: str) -> OutboxEvent:
        """Read what :meth:`to_json` wrote."""
        check("text", text, str, "text")
        try:
            return event_of(text)
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            raise refused("text", "malformed", "this is not an event of the outbox") from None


def event_of(text: str) -> OutboxEvent:
    """An event that the compiled module wrote."""
    told: Mapping[str, Any] = json.loads(text)
    [(kind, what)] = told["what"].items()
    outcome: ConversionOutcome | UnconvertOutcome
    outcome = conversion_of(what, False) if kind == "converted" else unconversion_of(what, False)
    return OutboxEvent(UUID(told["key"]), time_of(told["at"]), user_of(told["actor"]), kind, outcome, text)


@dataclass(frozen=True, slots=True)
class OutboxBatch(Record):
    """What a consumer has not got yet, the oldest first."""

    events: tuple[OutboxEvent, ...]
    """The events."""
    more: bool
    """Whether there may be more behind them."""


class Outbox:
    """``db.outbox``: what a system elsewhere (an ERP, an accounting service) must hear of.

    A conversion that is committed is in it, one that is not is not. A *consumer* is a name of small letters, digits and
    ``_-.``; each is told every event, in order, until it has acknowledged it.
    """

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.outbox``."""
        self._db = db

    def poll(self, consumer: str, *, limit: int = 100) -> OutboxBatch:
        """The oldest events that a consumer has not acknowledged.

        A consumer that nobody knows begins with the first conversion there ever was, unless it :meth:`start_now`.

        Args:
            consumer: Its name.
            limit: How many at most, 1 to 1,000.

        Example:
            >>> _ = db.leads.convert(db.leads.create(company="Nordlys AS"), customer="active_with_invoice")
            >>> [event] = db.outbox.poll("erp").events
            >>> event.kind, event.outcome.document
            ('converted', 'invoice')
            >>> db.outbox.acknowledge("erp", event)
            >>> db.outbox.poll("erp").events
            ()

        """
        events, more = _leadcore.outbox_poll(self._db._session, consumer, limit)
        return OutboxBatch(tuple(event_of(text) for text in events), more)

    def acknowledge(self, consumer: str, event: OutboxEvent) -> None:
        """Write that a consumer has carried out an event, in the order of the events; a second time changes nothing.

        >>> _ = db.leads.convert(db.leads.create(company="Nordlys AS"))
        >>> for event in db.outbox.poll("erp").events:
        ...     db.outbox.acknowledge("erp", event)
        """
        check("event", event, OutboxEvent, "an event of `db.outbox.poll`")
        _leadcore.outbox_acknowledge(self._db._session, consumer, event.to_json())

    def start_now(self, consumer: str) -> None:
        """Let a consumer that is new begin here: what happened before is not its concern.

        >>> _ = db.leads.convert(db.leads.create(company="Nordlys AS"))
        >>> db.outbox.start_now("billing")
        >>> db.outbox.poll("billing").events
        ()
        """
        _leadcore.outbox_start(self._db._session, consumer)

    def deliver(
        self,
        consumer: str,
        carry_out: Callable[[OutboxEvent], object],
        *,
        lease: timedelta = timedelta(minutes=5),
    ) -> int:
        """Carry out everything that a consumer has not got yet: how many events.

        ``carry_out`` is called for one event after the other, outside of any transaction, and each is acknowledged
        when it returns. What it raises is raised; that event and those behind it stay, and are delivered by the next
        call, the first one under the key that it had.

        Any number of threads and processes may deliver to one consumer at the same time: one of them has its events to
        itself, and the others return at once. An event is carried out again, under the same key, only after it raised,
        after a crash (when the lease has run out), or when it took longer than the lease.

        Args:
            consumer: Its name.
            carry_out: Called with each event.
            lease: How long one event may take, at most 24 hours.

        Example:
            >>> _ = db.leads.convert(db.leads.create(company="Nordlys AS"))
            >>> customers = {}
            >>> db.outbox.deliver("erp", lambda event: customers.setdefault(event.key, event.outcome.account_number))
            1
            >>> list(customers.values()), db.outbox.deliver("erp", print)
            ([1], 0)

        """
        if not callable(carry_out):
            raise expected("carry_out", "something to call", carry_out)
        check("lease", lease, timedelta, "a timedelta")
        milliseconds = lease // timedelta(milliseconds=1)
        return _leadcore.outbox_deliver(
            self._db._session, consumer, lambda text: carry_out(event_of(text)), milliseconds
        )
