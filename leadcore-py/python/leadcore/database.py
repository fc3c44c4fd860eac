"""The opened database: leads, board, customers, settings.

>>> with leadcore.open(":memory:", tenant="acme", user="ada") as db:
...     lead = db.leads.create(company="Nordlys AS", email="post@nordlys.example")
...     lead.number
1
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

from . import _leadcore
from .accounts import Accounts
from .catalogue import Catalogue
from .contacts import Contacts
from .exceptions import InvalidError, LeadcoreError, Violation
from .filters import Where, encode
from .leads import Leads
from .models import Board, ConversionOutcome, ConversionPlan, Entry, Page, Pipeline
from .pipelines import Pipelines
from .policy import RoleTable
from .terms import Terms

__all__ = ["Database", "Transaction", "open"]

#: The open transactions of this thread or task, by store. Context variables follow the flow of the program: another
#: thread or asyncio task is outside the transaction, and `asyncio.to_thread` inside it.
_open_units: ContextVar[Mapping[int, _leadcore.Session]] = ContextVar("leadcore_transactions", default={})  # noqa: B039 - never changed


def open(  # noqa: A001 - `leadcore.open` reads as it should
    path: str | os.PathLike[str],
    *,
    tenant: str = "default",
    user: str | None = None,
    policy: RoleTable | None = None,
) -> Database:
    """Open a file, made when it is not there, or ``":memory:"``.

    **One process, one SQLite**: while it is open, do not open the same file with Python's own ``sqlite3`` or another
    package that brings SQLite. It would drop this one's locks, and another process's committed rows can vanish. Use
    the queries here, or :meth:`Database.backup_to` a copy that is safe to open with anything.

    Args:
        path: The file, or ``":memory:"``.
        tenant: Whose leads. One file holds any number of tenants that never see each other.
        user: Who asks, by your own name for the user; ``None`` is the program itself, which may do everything.
        policy: Who may do what. Without one, everybody may do everything.

    Example:
        >>> db = leadcore.open(":memory:", tenant="acme", user="ada")
        >>> db.leads.create(company="Nordlys AS").owner
        'ada'
        >>> db.close()

    """
    place = None if path == ":memory:" else path
    roles = None
    if policy is not None:
        roles = encode(policy.to_dict())
    return Database(_leadcore.Session.open(place, tenant, user, roles))


class Database:
    """An opened database as one user of one tenant sees it. Safe to use from any number of threads.

    It closes at the end of a ``with`` block, or by :meth:`close`.
    """

    __slots__ = (
        "_root",
        "accounts",
        "catalogue",
        "categories",
        "contacts",
        "labels",
        "leads",
        "locations",
        "partners",
        "pipelines",
        "sources",
    )

    leads: Leads
    """Leads: create, edit, find, move, delete, convert."""
    contacts: Contacts
    """The persons of leads and accounts."""
    accounts: Accounts
    """The customers that leads became."""
    pipelines: Pipelines
    """Pipelines with their stages."""
    sources: Terms
    """Where leads come from."""
    categories: Terms
    """What kinds of leads there are."""
    labels: Terms
    """Labels, with colours."""
    locations: Terms
    """Places that leads belong to."""
    partners: Terms
    """Resellers or units that leads belong to."""
    catalogue: Catalogue
    """The fields of a lead: which are required, disabled, relabelled."""

    def __init__(self, session: _leadcore.Session) -> None:
        """Use :func:`leadcore.open`."""
        self._root = session
        self.leads = Leads(self)
        self.contacts = Contacts(self)
        self.accounts = Accounts(self)
        self.pipelines = Pipelines(self)
        self.sources = Terms(self, "source")
        self.categories = Terms(self, "category")
        self.labels = Terms(self, "label")
        self.locations = Terms(self, "location")
        self.partners = Terms(self, "partner")
        self.catalogue = Catalogue(self)

    @property
    def _session(self) -> _leadcore.Session:
        """The session, inside the transaction that this thread or task has open."""
        unit = _open_units.get().get(self._root.key)
        return self._root if unit is None else self._root.within(unit)

    @property
    def tenant(self) -> str:
        """Whose leads."""
        return self._root.tenant

    @property
    def user(self) -> str | None:
        """Who asks; ``None`` for the program itself."""
        return self._root.user

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._root.closed

    def as_user(self, user: str | None) -> Database:
        """The same database for another user; closing one closes both.

        >>> db.as_user("bob").leads.create(company="Fjord AS").owner
        'bob'
        """
        return Database(self._root.as_user(user))

    def transaction(self) -> Transaction:
        """Several calls as one: kept together at the end of the block, taken back together when it raises.

        It holds for this thread or asyncio task, whichever object of this database is used; other threads and tasks
        go on outside it, and their writes wait until it ends. Inside another transaction it is a part that can be
        taken back alone.

        >>> with db.transaction():
        ...     source = db.sources.add("Fair")
        ...     lead = db.leads.create(company="Nordlys AS", source=source)
        >>> try:
        ...     with db.transaction():
        ...         db.leads.delete(lead)
        ...         raise RuntimeError("changed my mind")
        ... except RuntimeError:
        ...     db.leads.count()
        1
        """
        return Transaction(self)

    def board(
        self,
        *,
        pipeline: Pipeline | str | None = None,
        where: Where = None,
        sort: str | None = None,
        cards: int = 25,
    ) -> Board:
        """One pipeline as columns: open leads by stage, with counts and the first ``cards`` of each.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> board = db.board(cards=10)
        >>> [(column.stage.name, column.count) for column in board.columns][:2]
        [('New', 1), ('Mailed', 0)]
        """
        return _leadcore.board(self._session, pipeline, encode(where), sort, cards)

    def apply(self, plan: ConversionPlan) -> ConversionOutcome:
        """Carry out a plan made by ``db.leads.plan_conversion``, once; a second time gives the first outcome.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.apply(db.leads.plan_conversion(lead)).account_number
        1
        """
        return _leadcore.apply(self._session, plan.to_json())

    def timeline(self, subject: _leadcore.Lead | _leadcore.Account) -> Iterator[Entry]:
        """Everything that happened to a lead or an account, newest first, read in pages as you go.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> lead = db.leads.move(lead, "Discussion")
        >>> [entry.text for entry in db.timeline(lead)]
        ['Status: New → Discussion', 'Lead created']
        """
        before: int | None = None
        while True:
            entries, before = _leadcore.timeline(self._session, subject, before, 200)
            yield from entries
            if before is None:
                return

    def timeline_page(
        self, subject: _leadcore.Lead | _leadcore.Account, *, limit: int = 50, after: str | None = None
    ) -> Page[Entry]:
        """One page of :meth:`timeline`, from behind ``after``, the ``next`` of the page before.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.timeline_page(lead, limit=10).items[0].action
        'created'
        """
        entries, following = _leadcore.timeline(self._session, subject, number_cursor(after), limit)
        return Page(tuple(entries), None if following is None else str(following))

    def set_required(self, field: str, required: bool = True) -> None:
        """Say that every new or edited lead must have a value in this field, or no longer must.

        >>> db.set_required("email")
        >>> db.leads.create(company="Nordlys AS")
        Traceback (most recent call last):
        ...
        leadcore.exceptions.InvalidError: `email`: must have a value
        """
        self.catalogue.set(field, required=required)

    def backup_to(self, path: str | os.PathLike[str]) -> None:
        """Write a copy to a new file, while work goes on. The copy is safe to open with any SQLite."""
        self._root.backup_to(path)

    def close(self) -> None:
        """Close the database, for all views of it. A second call does nothing."""
        self._root.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed " if self.closed else ""
        return f"<{state}leadcore.Database tenant={self.tenant!r} user={self.user!r}>"


class Transaction:
    """What :meth:`Database.transaction` returns; use it in a ``with`` statement, once."""

    __slots__ = ("_before", "_database", "_unit")

    def __init__(self, database: Database) -> None:
        """Use :meth:`Database.transaction`."""
        self._database = database
        self._unit: _leadcore.Session | None = None
        self._before: Mapping[int, _leadcore.Session] = {}

    def __enter__(self) -> Self:
        if self._unit is not None:
            raise _misuse("a transaction is used once: ask for a new one")
        self._unit = self._database._session.begin()
        self._before = _open_units.get()
        _open_units.set({**self._before, self._unit.key: self._unit})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._unit is None:
            raise _misuse("the transaction was not entered")
        _open_units.set(self._before)
        if kind is None:
            self._unit.end(True)
            return
        # What went wrong in the block is what the caller must see; a transaction that cannot be told to end is
        # rolled back when it is forgotten.
        with contextlib.suppress(LeadcoreError):
            self._unit.end(False)


def _misuse(message: str) -> InvalidError:
    return InvalidError(message, violations=[Violation("transaction", "not_allowed", message)])


def number_cursor(after: Any) -> int | None:
    """Read the number behind a page that is counted by numbers."""
    if after is None:
        return None
    if isinstance(after, str) and after.isascii() and after.isdigit() and len(after) < 20:
        return int(after)
    message = "this is not a page cursor"
    raise InvalidError(message, violations=[Violation("after", "malformed", message)])
