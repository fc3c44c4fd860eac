"""Which addresses must not or cannot be used, and whom nobody may call."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias
from uuid import UUID

from ._leadcore import Lead
from .arguments import check, expected
from .arguments import compiled as _leadcore
from .values import Email, Phone

if TYPE_CHECKING:
    from .database import Database

__all__ = ["AddressMark", "LeadMarks"]

AddressMark: TypeAlias = Literal["opted_out", "invalid"]
"""What can be said of an address: whoever it belongs to does not want to be reached by it, or it does not work."""


def given(
    address: str | Email | Phone, mark: str, lifted: bool, reason: str | None, since: datetime | None
) -> tuple[str, str, str, bool, str | None, datetime | None]:
    """A mark as the compiled module takes it. What has an ``@`` is an e-mail address."""
    if not isinstance(address, (str, Email, Phone)):
        raise expected("address", "an e-mail address or a phone number", address)
    check("since", since, (datetime, type(None)), "a datetime with a time zone, or None")
    text = address if isinstance(address, str) else address.value
    is_email = isinstance(address, Email) or (isinstance(address, str) and "@" in text)
    return text, "email" if is_email else "phone", mark, lifted, reason, since


class LeadMarks:
    """The part of ``db.leads`` that marks addresses."""

    __slots__ = ()

    _db: Database

    def mark_address(
        self,
        lead: Lead | UUID | str,
        address: str | Email | Phone,
        mark: AddressMark,
        *,
        lifted: bool = False,
        reason: str | None = None,
        since: datetime | None = None,
    ) -> Lead:
        """Mark one e-mail address or phone number of a lead, or take the mark off it.

        Args:
            lead: Which lead. With the object, refused when it changed since it was read.
            address: Which of its addresses, in any spelling of it.
            mark: ``opted_out`` or ``invalid``.
            lifted: Take the mark off.
            reason: Why, at most 500 characters.
            since: Since when; now when not said. A mark that is there keeps its date.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS", email="post@nordlys.example")
            >>> lead = db.leads.mark_address(lead, "post@nordlys.example", "invalid", reason="550 unknown user")
            >>> lead.emails[0].invalid, lead.emails[0].invalid_note.reason
            (True, '550 unknown user')

        """
        told = given(address, mark, lifted, reason, since)
        return _leadcore.lead_mark_address(self._db._session, lead, told)

    def do_not_call(self, lead: Lead | UUID | str, *, reason: str | None = None, since: datetime | None = None) -> Lead:
        """Nobody may call a lead any more: each number that it has is marked as opted out.

        The person that it becomes is not called by another number either. A lead without a number is refused.

        >>> lead = db.leads.create(company="Nordlys AS", phone="22 22 22 22, 33 33 33 33")
        >>> [phone.opted_out for phone in db.leads.do_not_call(lead, reason="asked us not to").phones]
        [True, True]
        """
        check("since", since, (datetime, type(None)), "a datetime with a time zone, or None")
        return _leadcore.lead_do_not_call(self._db._session, lead, (reason, since))
