"""Who follows leads and accounts, and who can take part in something."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ._leadcore import Lead
from .arguments import compiled as _leadcore
from .arguments import several
from .models import Page, Subject
from .subjects import SubjectRef, time_of
from .values import Record

if TYPE_CHECKING:
    from .activity import Participant
    from .database import Database

__all__ = ["Candidate", "Candidates", "Follow", "Followers", "Participants"]


@dataclass(frozen=True, slots=True)
class Follow(Record):
    """A user follows a record: your program tells them what happens there."""

    user: str
    """Who."""
    since: datetime
    """Since when."""
    subject: Subject = field(repr=False)
    """What: a lead, or an account."""


def follow_of(told: dict[str, Any]) -> Follow:
    """A follower that the compiled module wrote."""
    return Follow(told["user"], time_of(told["since"]), _subject(told["subject"]))


class Followers:
    """``db.followers``."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.followers``."""
        self._db = db

    def follow(self, subject: SubjectRef, user: str | None = None) -> bool:
        """Make somebody follow a lead or account: the acting user, when nobody is named. Says whether that is new.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.followers.follow(lead), db.followers.follow(lead)
        (True, False)
        >>> db.leads.count(where=leadcore.F.followed)
        1
        """
        return _leadcore.follow(self._db._session, subject, user, True)

    def unfollow(self, subject: SubjectRef, user: str | None = None) -> bool:
        """Make somebody follow it no more; says whether they did.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.followers.follow(lead, "bob")
        >>> db.followers.unfollow(lead, "bob"), db.followers.unfollow(lead, "bob")
        (True, False)
        """
        return _leadcore.follow(self._db._session, subject, user, False)

    def of(self, subject: SubjectRef) -> list[Follow]:
        """Who follows a lead or account, by user. After a conversion both show the followers of both.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.followers.follow(lead, "bob")
        >>> [follow.user for follow in db.followers.of(lead)]
        ['bob']
        """
        found = json.loads(_leadcore.followers_of(self._db._session, subject))
        return [follow_of(one) for one in found]

    def followed_by(self, user: str | None = None, *, limit: int = 50, after: str | None = None) -> Page[Lead]:
        """A page of the leads that a user follows (the acting one, when nobody is named), the latest followed first.

        Those in the trash and those that the acting user may not see are left out: a page can be shorter than
        ``limit`` and still have a ``next``.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.followers.follow(lead)
        >>> [lead.company for lead in db.followers.followed_by()]
        ['Nordlys AS']
        """
        leads, following = _leadcore.followed_by(self._db._session, user, after, limit)
        return Page(tuple(leads), following)


@dataclass(frozen=True, slots=True)
class Candidate(Record):
    """Somebody who can take part."""

    subject: Subject = field(repr=False)
    """A contact, an account, or (where asked for) a lead."""
    name: str
    """What people call it."""
    email: str | None
    """Its first e-mail address that works and was not opted out."""
    of: Subject | None = field(repr=False)
    """Of a person: the customer or lead that it belongs to."""
    company: str | None
    """What people call that."""


@dataclass(frozen=True, slots=True)
class Candidates(Record):
    """Who was found, by name. It is a sequence of its items."""

    items: tuple[Candidate, ...]
    """By name, without case and accents."""
    complete: bool
    """Whether everybody who matches was looked at, or as many were found as asked for. If not, more letters help."""

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.items)

    def __getitem__(self, index: int) -> Candidate:
        return self.items[index]


class Participants:
    """``db.participants``."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.participants``."""
        self._db = db

    def search(self, text: str = "", *, include_leads: bool = False, limit: int = 20) -> Candidates:
        """Customers and their persons whose names, e-mails or numbers have every word of a text; all, when it is blank.

        Args:
            text: What somebody typed.
            include_leads: Leads that are no customers yet, and their persons, too.
            limit: How many at most, 1 to 1,000.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS", email="post@nordlys.example")
            >>> len(db.participants.search("nord"))
            0
            >>> [(found.name, found.email) for found in db.participants.search("nord", include_leads=True)]
            [('Nordlys AS', 'post@nordlys.example')]

        """
        found = json.loads(_leadcore.participants_search(self._db._session, text, include_leads, limit))
        return Candidates(tuple(_candidate(one) for one in found["items"]), found["complete"])

    def named(self, participants: Iterable[Participant]) -> list[Candidate]:
        """What the records among participants are called and where they are reached, as the acting user may see it.

        Users and others, who are known by what they are written as, are left out, and so are records in the trash and
        those that the acting user may not see.

        >>> lead = db.leads.create(company="Nordlys AS", email="post@nordlys.example")
        >>> import datetime
        >>> start = datetime.datetime(2030, 1, 7, 9, tzinfo=datetime.timezone.utc)
        >>> demo = db.activities.meeting(lead, "Demo", start, participants=[lead, "Ola"])
        >>> [(one.name, one.email) for one in db.participants.named(demo.participants)]
        [('Nordlys AS', 'post@nordlys.example')]
        """
        given = several("participants", participants, "participants")
        records = [
            one for one in given if not isinstance(one, str) and not (isinstance(one, tuple) and one[0] == "user")
        ]
        return [_candidate(one) for one in json.loads(_leadcore.participants_named(self._db._session, records))]


def _candidate(one: dict[str, Any]) -> Candidate:
    of = None if one["of"] is None else _subject(one["of"])
    return Candidate(_subject(one["subject"]), one["name"], one["email"], of, one["company"])


def _subject(told: dict[str, str]) -> Subject:
    return told["kind"], UUID(told["id"])
