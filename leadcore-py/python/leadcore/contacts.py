"""The persons of leads and accounts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, overload
from uuid import UUID

from ._leadcore import Contact
from .arguments import check, expected
from .arguments import compiled as _leadcore
from .exceptions import NotFoundError, StorageError, refused
from .exporting import Target
from .fields import CONTACT_KEYS, ContactInput, with_custom
from .html import PERSON_COLUMNS, table
from .marks import AddressMark, given
from .models import Entry, Topic
from .subjects import SubjectRef
from .values import Email, Phone

if TYPE_CHECKING:
    from typing import Unpack

    from .database import Database

__all__ = ["ContactList", "ContactRef", "Contacts"]

ContactRef: TypeAlias = Contact | UUID | str
"""A contact: the object, its id, or the text of that."""


class ContactList(list[Contact]):
    """Persons: a list that a notebook shows as a table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return table(self, PERSON_COLUMNS)


class Contacts:
    """``db.contacts``."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.contacts``."""
        self._db = db

    def add(self, owner: SubjectRef, /, *, primary: bool = False, **fields: Unpack[ContactInput]) -> Contact:
        """Add a person to a lead or an account.

        The first one, and one added with ``primary``, becomes the primary contact.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.contacts.add(lead, name="Anna Berg", email="anna@nordlys.example").is_primary
        True
        """
        return _leadcore.contact_add(self._db._session, owner, with_custom(fields, CONTACT_KEYS), primary)

    def of(self, owner: SubjectRef) -> ContactList:
        """The persons of a lead or an account, the primary one first.

        The owner is the object, the id of a lead, or ``("account", id)``.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.contacts.add(lead, name="Anna Berg")
        >>> _ = db.contacts.add(lead, name="Ola Vik", primary=True)
        >>> [contact.name for contact in db.contacts.of(lead)]
        ['Ola Vik', 'Anna Berg']
        """
        return ContactList(_leadcore.contacts_of(self._db._session, owner))

    def to_vcard(self, owner: SubjectRef, *, version: Literal["3.0", "4.0"] = "3.0") -> str:
        """The persons of a lead or an account as vCards, for address books; the primary one first.

        It needs the permission ``export`` on the lead, or on a lead behind the account. Addresses that do not work, and
        what this user may not see, are left out.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.contacts.add(lead, name="Anna Berg", email="anna@nordlys.example")
        >>> cards = db.contacts.to_vcard(lead)
        >>> "FN:Anna Berg" in cards, cards.count("BEGIN:VCARD")
        (True, 1)
        """
        check("version", version, str, "`3.0` or `4.0`")
        return _leadcore.contacts_vcard(self._db._session, owner, version)

    def edit(self, owner: SubjectRef, contact: ContactRef, /, **changes: Unpack[ContactInput]) -> Contact:
        """Change some fields of a person of a lead or an account. ``None`` empties a field.

        Once a lead is converted, its persons are changed through the account.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> anna = db.contacts.add(lead, name="Anna Berg")
        >>> db.contacts.edit(lead, anna, job_title="CEO").job_title
        'CEO'
        >>> _ = db.catalogue.of("contact").add_field("x_language", label="Language")
        >>> db.contacts.edit(lead, anna.id, x_language="Norwegian").x_language
        'Norwegian'
        """
        return _leadcore.contact_edit(self._db._session, owner, contact, with_custom(changes, CONTACT_KEYS))

    def make_primary(self, owner: SubjectRef, contact: ContactRef) -> None:
        """Make one of the persons of a lead or an account the primary contact.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.contacts.add(lead, name="Anna Berg")
        >>> ola = db.contacts.add(lead, name="Ola Vik")
        >>> db.contacts.make_primary(lead, ola)
        >>> db.contacts.of(lead)[0].name
        'Ola Vik'
        """
        _leadcore.contact_primary(self._db._session, owner, contact)

    def timeline(self, contact: ContactRef, *, topics: Topic | Iterable[Topic] | None = None) -> Iterator[Entry]:
        """Everything that happened to a person, as :meth:`Database.timeline` tells it.

        >>> anna = db.contacts.add(db.leads.create(company="Nordlys AS"), name="Anna Berg")
        >>> _ = db.activities.call(anna, outcome="answered", title="Asked for prices")
        >>> [entry.text for entry in db.contacts.timeline(anna, topics=["call"])]
        ['Call logged: Asked for prices']
        """
        check("contact", contact, (Contact, UUID, str), "a contact or its id")
        subject = contact if isinstance(contact, Contact) else ("contact", contact)
        return self._db.timeline(subject, topics=topics)

    def remove(self, owner: SubjectRef, contact: ContactRef) -> None:
        """Take a person off a lead or an account. The person and its history stay stored.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> anna = db.contacts.add(lead, name="Anna Berg")
        >>> db.contacts.remove(lead, anna)
        >>> db.contacts.of(lead)
        []
        """
        _leadcore.contact_remove(self._db._session, owner, contact)

    def mark(
        self,
        contact: ContactRef,
        address: str | Email | Phone,
        mark: AddressMark,
        *,
        lifted: bool = False,
        reason: str | None = None,
        since: datetime | None = None,
    ) -> Contact:
        """Mark one e-mail address or phone number of a person, or take the mark off it; also after a conversion.

        For whoever may edit a lead or an account that has the person. A mark that a conversion wrote and that is said
        again here is told in the history, and stays when the conversion is taken back.

        Args:
            contact: Which person. With the object, refused when it changed since it was read.
            address: Which of its addresses, in any spelling of it.
            mark: ``opted_out`` (does not want to be reached by it) or ``invalid`` (it was tried and does not work).
            lifted: Take the mark off.
            reason: Why, at most 500 characters.
            since: Since when; now when not said. A mark that is there keeps its date.

        Returns:
            The person; ``is_primary`` is that of the object that was given, and ``False`` for an id.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> anna = db.contacts.add(lead, name="Anna Berg", email="anna@nordlys.example")
            >>> anna = db.contacts.mark(anna, "anna@nordlys.example", "opted_out", reason="asked by phone")
            >>> anna.emails[0].opted_out, anna.emails[0].opted_out_note.reason
            (True, 'asked by phone')

        """
        return _leadcore.contact_mark(self._db._session, contact, given(address, mark, lifted, reason, since))

    def do_not_call(
        self,
        contact: ContactRef,
        *,
        lifted: bool = False,
        reason: str | None = None,
        since: datetime | None = None,
    ) -> Contact:
        """Nobody may call a person any more, by whatever number; or, with ``lifted``, they may again.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> anna = db.contacts.add(lead, name="Anna Berg", phone="22 22 22 22")
        >>> anna = db.contacts.do_not_call(anna, reason="asked us not to")
        >>> anna.do_not_call.reason
        'asked us not to'
        >>> db.contacts.do_not_call(anna, lifted=True).do_not_call is None
        True
        """
        check("lifted", lifted, bool, "True or False")
        check("reason", reason, (str, type(None)), "text or None")
        check("since", since, (datetime, type(None)), "a datetime with a time zone, or None")
        note = None if lifted else (reason, since)
        return _leadcore.contact_do_not_call(self._db._session, contact, note)

    @overload
    def to_xlsx(self, owner: SubjectRef, output: None = None) -> bytes: ...
    @overload
    def to_xlsx(self, owner: SubjectRef, output: Target) -> int: ...
    def to_xlsx(self, owner: SubjectRef, output: Target | None = None) -> int | bytes:
        """Write the persons of a lead or an account as a spreadsheet; say how many there are.

        It needs the permission ``export``, as :meth:`to_vcard`. Fields that the acting user may not see are left out.
        Times are those of the acting user (``utc_offset``), and the head of their column says so:
        ``Added (UTC+01:00)``.

        Args:
            owner: Whose persons: the object, the id of a lead, or ``("account", id)``.
            output: A path, whose file is replaced, or a file object opened in binary mode; without it the file is
                returned, as bytes.

        Example:
            >>> import io
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> _ = db.contacts.add(lead, name="Anna Berg")
            >>> file = io.BytesIO()
            >>> db.contacts.to_xlsx(lead, file), file.getvalue()[:2]
            (1, b'PK')
            >>> db.contacts.to_xlsx(lead)[:2]
            b'PK'

        """
        return self._export(owner, output, True)

    @overload
    def to_csv(self, owner: SubjectRef, output: None = None) -> bytes: ...
    @overload
    def to_csv(self, owner: SubjectRef, output: Target) -> int: ...
    def to_csv(self, owner: SubjectRef, output: Target | None = None) -> int | bytes:
        """The same as CSV in UTF-8. Its times say how far from UTC they are: ``2026-11-22T09:00:00+01:00``.

        >>> import io
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.contacts.add(lead, name="Anna Berg")
        >>> file = io.BytesIO()
        >>> db.contacts.to_csv(lead, file), b"Anna Berg" in file.getvalue()
        (1, True)
        """
        return self._export(owner, output, False)

    def _export(self, owner: SubjectRef, output: Target | None, spreadsheet: bool) -> int | bytes:
        if output is not None:
            if not isinstance(output, (str, os.PathLike)) and not callable(getattr(output, "write", None)):
                raise expected("output", "a path, or a file object opened in binary mode", output)
            _leadcore.output_check(self._db._session, "output", output)
        path = output if isinstance(output, (str, os.PathLike)) else None
        if path is not None:
            _check_place(Path(path))
        file, count = _leadcore.contacts_export(self._db._session, owner, spreadsheet, path)
        if output is None:
            return file
        if not isinstance(output, (str, os.PathLike)):
            output.write(file)
        return count


def _check_place(path: Path) -> None:
    """Say of the argument why nothing can be written there."""
    try:
        if path.is_dir():
            raise refused("output", "malformed", "this is a directory, not a file")
        if not path.parent.is_dir():
            message = "`output`: there is no such directory"
            raise NotFoundError(message)
    except OSError as error:
        message = "`output`: the file cannot be written"
        raise StorageError(message) from error
