"""The customers that leads became, and those that were there before."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from ._leadcore import Account, Lead
from .arguments import check, page_size_of
from .arguments import compiled as _leadcore
from .exceptions import refused
from .fields import ACCOUNT_KEYS, AccountInput, with_custom
from .models import Entry, Page, Topic
from .pages import AccountPage, wanted
from .series import SeriesRef
from .subjects import check_unicode
from .values import Record

if TYPE_CHECKING:
    from typing import Unpack

    from .database import Database

__all__ = ["AccountBlocker", "AccountRef", "Accounts"]

AccountRef: TypeAlias = Account | UUID | str
"""An account: the object, its id, or the text of that."""


@dataclass(frozen=True, slots=True)
class AccountBlocker(Record):
    """What stands against deleting an account. Which of the optional attributes are set depends on ``blocker``."""

    blocker: str
    """``leads`` (became it), ``persons`` (of it), ``has_children``; later versions may add more."""
    leads: tuple[UUID, ...] = field(default=(), repr=False)
    """With ``leads``: those that the acting user may see."""
    unseen: int = field(default=0, repr=False)
    """With ``leads``: how many there are besides."""
    count: int | None = field(default=None, repr=False)
    """With ``persons``: how many."""
    tabs: dict[str, int] = field(default_factory=dict, repr=False)
    """With ``has_children``: how many hang on it, by kind."""

    __hash__ = None  # type: ignore[assignment]


class Accounts:
    """``db.accounts``. Accounts are made by converting leads, or created for customers that were there before."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.accounts``."""
        self._db = db

    def get(self, account: AccountRef) -> Account:
        """The account with this id as it is now.

        >>> outcome = db.leads.convert(db.leads.create(company="Nordlys AS"))
        >>> db.accounts.get(outcome.account_id).number
        1
        """
        return _leadcore.account_get(self._db._session, account)

    def create(self, *, series: SeriesRef | None = None, **fields: Unpack[AccountInput]) -> Account:
        """Create an account that no lead became: a customer who was there before.

        It is a customer unless said otherwise. Without an ``owner`` it belongs to the acting user. Users who may not
        see all leads see it by what it says itself, as they would a lead of that owner.

        Args:
            series: The series that it is numbered in; the default one, where none is named.
            fields: Its fields; ``name`` is needed.

        Example:
            >>> account = db.accounts.create(name="Nordlys AS", city="Tromsø")
            >>> account.number, account.status
            (1, 'customer')
            >>> db.contacts.add(account, name="Anna Berg").is_primary
            True
            >>> lead = db.leads.create(company="NORDLYS A/S")
            >>> db.leads.convert(lead, account=account).account_id == account.id
            True

        """
        status, given = _told(fields)
        return _leadcore.account_create(self._db._session, status, series, given)

    def edit(self, account: AccountRef, /, **changes: Unpack[AccountInput]) -> Account:
        """Change some fields, and return the account as it is then. ``None`` empties a field.

        With an account object, the edit is refused when somebody changed the account since it was read; with an id it
        goes over whatever is there. The leads behind the account stay as they were converted. Who may edit one of them
        may edit the account. Fields that ``db.catalogue.of("account")`` has are arguments by their keys, or in
        ``custom``.

        Raises:
            ConflictError: When the account changed since it was read.
            InvalidError: With every broken rule at once.

        Example:
            >>> outcome = db.leads.convert(db.leads.create(company="Nordlys AS"))
            >>> account = db.accounts.get(outcome.account_id)
            >>> newer = db.accounts.edit(account, name="Nordlys Energi AS", city="Tromsø", status="prospect")
            >>> newer.name, newer.city, newer.revision
            ('Nordlys Energi AS', 'Tromsø', 2)
            >>> db.accounts.edit(account, city="Oslo")
            Traceback (most recent call last):
            ...
            leadcore.exceptions.ConflictError: account changed since it was read: revision 2, expected 1

        """
        status, given = _told(changes)
        return _leadcore.account_edit(self._db._session, account, status, given)

    def delete_blockers(self, account: AccountRef, /) -> tuple[AccountBlocker, ...]:
        """Everything that stands against :meth:`delete`; empty when it can be done.

        >>> account = db.accounts.get(db.leads.convert(db.leads.create(company="Nordlys AS")).account_id)
        >>> db.accounts.delete_blockers(account)
        (AccountBlocker(blocker='leads'),)
        """
        told = json.loads(_leadcore.account_delete_blockers(self._db._session, account))
        return tuple(
            AccountBlocker(
                one["blocker"],
                tuple(UUID(lead) for lead in one.get("leads", ())),
                one.get("unseen", 0),
                one.get("count"),
                dict(one.get("tabs", ())),
            )
            for one in told
        )

    def delete(self, account: AccountRef, /) -> None:
        """Delete an account that nothing hangs on and that no lead became.

        It is archived, because its number stays taken: it is in no list any more. An undo brings it back.

        Raises:
            ConflictError: When it changed since the object was read; ``in_use`` while something stands against it:
                :meth:`delete_blockers`.

        Example:
            >>> mistake = db.accounts.create(name="Nordlys AS")
            >>> db.accounts.delete(mistake)
            >>> db.accounts.list().items
            ()

        """
        _leadcore.account_delete(self._db._session, account)

    def by_number(self, number: int | str) -> Account:
        """The account with this number, in whichever series: the number, or the text that people write for it.

        >>> _ = db.leads.convert(db.leads.create(company="Nordlys AS"))
        >>> db.accounts.by_number(1).name
        'Nordlys AS'
        """
        return _leadcore.account_by_number(self._db._session, number)

    def list(self, *, limit: int = 50, after: str | None = None) -> Page[Account]:
        """A page of accounts by customer number, from behind ``after``, the ``next`` of the page before.

        For a user who may not see all leads a page can be shorter than ``limit`` and still have a next one.

        >>> _ = db.leads.convert(db.leads.create(company="Nordlys AS"))
        >>> [account.name for account in db.accounts.list()]
        ['Nordlys AS']
        """
        check("after", after, (str, type(None)), "the `next` of a page")
        accounts, following = _leadcore.account_page(self._db._session, after, limit)
        return Page(tuple(accounts), following)

    def iter(self, *, page_size: int = 500) -> Iterator[Account]:
        """Every account by customer number, read in pages as you go.

        >>> _ = db.leads.convert(db.leads.create(company="Nordlys AS"))
        >>> [account.number for account in db.accounts.iter()]
        [1]
        """
        size = page_size_of(page_size)
        after: str | None = None
        while True:
            accounts, after = _leadcore.account_page(self._db._session, after, size)
            yield from accounts
            if after is None:
                return

    def page(
        self,
        account: AccountRef,
        *,
        first: int = 10,
        timeline: int = 20,
        tabs: Iterable[str] | None = None,
    ) -> AccountPage:
        """The page of an account: what is about it and about the leads that became it, as ``db.leads.page``.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.activities.note(lead, "They called.")
        >>> page = db.accounts.page(db.leads.convert(lead).account_id)
        >>> page.account.name, page.tab("note").total
        ('Nordlys AS', 1)
        """
        chosen = wanted(first, timeline, tabs, None)
        page: AccountPage = _leadcore.page_of_account(self._db._session, account, chosen)
        return page

    def timeline(self, account: AccountRef, *, topics: Topic | Iterable[Topic] | None = None) -> Iterator[Entry]:
        """Everything that happened to an account and its leads, as :meth:`Database.timeline` tells it.

        >>> outcome = db.leads.convert(db.leads.create(company="Nordlys AS"))
        >>> [entry.text for entry in db.accounts.timeline(outcome.account_id, topics="created")]
        ['Account created', 'Lead created']
        """
        check("account", account, (Account, UUID, str), "an account or its id")
        subject = account if isinstance(account, Account) else ("account", account)
        return self._db.timeline(subject, topics=topics)

    def leads(self, account: AccountRef) -> builtins.list[Lead]:
        """The leads that became this account, oldest first.

        >>> outcome = db.leads.convert(db.leads.create(company="Nordlys AS"))
        >>> [lead.state for lead in db.accounts.leads(outcome.account_id)]
        ['converted']
        """
        return _leadcore.account_leads(self._db._session, account)


def _told(fields: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The status and the other fields that were said, as the core calls them."""
    given = with_custom(fields, ACCOUNT_KEYS)
    check("name", given.get("name"), (str, type(None)), "text")
    check_unicode("name", given.get("name"))
    status = given.pop("status", None)
    if "status" in fields and status is None:
        raise refused("status", "required", "an account is a `customer` or a `prospect`")
    if "name" in given:
        given["company"] = given.pop("name")
    return status, given
