"""The persons of leads and accounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from ._leadcore import Account, Contact
from .arguments import check
from .arguments import compiled as _leadcore
from .fields import CONTACT_KEYS, ContactInput, checked
from .leads import LeadRef
from .models import Entry, Topic

if TYPE_CHECKING:
    from typing import Unpack

    from .database import Database

__all__ = ["ContactRef", "Contacts"]

ContactRef: TypeAlias = Contact | UUID | str
"""A contact: the object, its id, or the text of that."""


class Contacts:
    """``db.contacts``."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.contacts``."""
        self._db = db

    def add(self, lead: LeadRef, /, *, primary: bool = False, **fields: Unpack[ContactInput]) -> Contact:
        """Add a person to a lead. The first one, and one added with ``primary``, becomes the primary contact.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.contacts.add(lead, name="Anna Berg", email="anna@nordlys.example").is_primary
        True
        """
        return _leadcore.contact_add(self._db._session, lead, checked(fields, CONTACT_KEYS), primary)

    def of(self, owner: LeadRef | Account) -> list[Contact]:
        """The persons of a lead (object or id) or an account (object), the primary one first.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.contacts.add(lead, name="Anna Berg")
        >>> _ = db.contacts.add(lead, name="Ola Vik", primary=True)
        >>> [contact.name for contact in db.contacts.of(lead)]
        ['Ola Vik', 'Anna Berg']
        """
        return _leadcore.contacts_of(self._db._session, owner)

    def edit(self, lead: LeadRef, contact: ContactRef, /, **changes: Unpack[ContactInput]) -> Contact:
        """Change some fields of a person of a lead. ``None`` empties a field.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> anna = db.contacts.add(lead, name="Anna Berg")
        >>> db.contacts.edit(lead, anna, job_title="CEO").job_title
        'CEO'
        """
        return _leadcore.contact_edit(self._db._session, lead, contact, checked(changes, CONTACT_KEYS))

    def make_primary(self, lead: LeadRef, contact: ContactRef) -> None:
        """Make one of the lead's persons the primary contact.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.contacts.add(lead, name="Anna Berg")
        >>> ola = db.contacts.add(lead, name="Ola Vik")
        >>> db.contacts.make_primary(lead, ola)
        >>> db.contacts.of(lead)[0].name
        'Ola Vik'
        """
        _leadcore.contact_primary(self._db._session, lead, contact)

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

    def remove(self, lead: LeadRef, contact: ContactRef) -> None:
        """Take a person off a lead. The person and its history stay stored.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> anna = db.contacts.add(lead, name="Anna Berg")
        >>> db.contacts.remove(lead, anna)
        >>> db.contacts.of(lead)
        []
        """
        _leadcore.contact_remove(self._db._session, lead, contact)
