"""The opened database: leads, board, customers, settings.

>>> with leadcore.open(":memory:", tenant="acme", user="ada") as db:
...     lead = db.leads.create(company="Nordlys AS", email="post@nordlys.example")
...     lead.number
1
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self, overload

from .accounts import Accounts
from .activities import Activities
from .activity import topics_of
from .arguments import check, named, page_number
from .arguments import compiled as _leadcore
from .calendar import Calendar, Reminders
from .catalogue import Catalogue
from .contacts import Contacts
from .conversion import ConversionPlan
from .conversion_mapping import ConversionMappings
from .conversion_outcome import ConversionOutcome, outcome_of
from .costs import Costs
from .estimates import Estimates
from .files import Files
from .filters import Where, encode
from .followers import Followers, Participants
from .hygiene import Hygiene
from .importing import Importing
from .leads import Leads
from .lines import Lines
from .mapping import Mappings
from .models import Board, Entry, Page, Pipeline, Topic
from .operations import Operations
from .opportunities import Opportunities
from .outbox import Outbox
from .pipelines import Pipelines
from .records import Records
from .reports import Reports
from .series import Series
from .services import Services
from .settings import Settings
from .subjects import SubjectRef
from .targets import ConversionTarget, Target, asked
from .terms import Terms
from .transactions import Stats, Transaction, open_units
from .unconversion import UnconvertOutcome, UnconvertPlan, taken_back
from .upkeep import Upkeep
from .users import Clock, UtcOffset, seconds_east, users_of, zone_of
from .views import Views

__all__ = ["Database", "Stats"]


class Database(Operations, Importing, Upkeep):
    """An opened database as one user of one tenant sees it. Safe to use from any number of threads.

    It closes at the end of a ``with`` block, or by :meth:`close`.
    """

    __slots__ = (
        "_clock",
        "_offset",
        "_root",
        "_zone",
        "accounts",
        "activities",
        "calendar",
        "catalogue",
        "categories",
        "contacts",
        "conversion_mapping",
        "costs",
        "disqualify_reasons",
        "estimates",
        "files",
        "followers",
        "hygiene",
        "labels",
        "leads",
        "lines",
        "locations",
        "lost_reasons",
        "mappings",
        "opportunities",
        "outbox",
        "participants",
        "partners",
        "pipelines",
        "records",
        "reminders",
        "reports",
        "series",
        "services",
        "settings",
        "sources",
        "views",
    )

    leads: Leads
    """Leads: create, edit, find, move, delete, convert."""
    views: Views
    """Lists and boards that people choose from, save, share and open."""
    contacts: Contacts
    """The persons of leads and accounts."""
    accounts: Accounts
    """The customers that leads became."""
    activities: Activities
    """Notes, comments, calls, tasks, meetings, messages, tickets, and requests for estimates."""
    calendar: Calendar
    """Calls, tasks and meetings by the day."""
    reminders: Reminders
    """What somebody is to be reminded of."""
    files: Files
    """Files about leads, contacts and accounts."""
    estimates: Estimates
    """Priced offers."""
    lines: Lines
    """The products of leads."""
    opportunities: Opportunities
    """What accounts may buy, until it is won or lost."""
    services: Services
    """What accounts buy."""
    conversion_mapping: ConversionMappings
    """Which field of a lead becomes which field of a customer."""
    outbox: Outbox
    """Conversions that another system must hear of."""
    followers: Followers
    """Who follows leads and accounts."""
    participants: Participants
    """Who can take part in something."""
    records: Records
    """Records of your own program, shown with leads and accounts."""
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
    lost_reasons: Terms
    """Why leads are lost."""
    disqualify_reasons: Terms
    """Why leads are none at all."""
    catalogue: Catalogue
    """The fields of a lead: which are required, disabled, relabelled, and those that the tenant added."""

    mappings: Mappings
    """Which column of a file is which field, kept by name."""
    hygiene: Hygiene
    """Addresses that reach nobody: found, and mended by a plan."""

    costs: Costs
    """What sources and campaigns cost."""
    reports: Reports
    """What leads cost, what became of them and what they brought."""
    series: Series
    """Number series."""
    settings: Settings
    """How lead numbers are written, and which functions are open for which leads."""

    def __init__(
        self, session: _leadcore.Session, utc_offset: UtcOffset | None = None, clock: Clock | None = None
    ) -> None:
        """Use :func:`leadcore.open`."""
        self._offset = utc_offset
        self._clock = clock
        # The name of the zone, where it has one: the days of a year begin at more than one offset.
        self._zone = zone_of(utc_offset)
        # An offset that there is not is refused here, not at the first call.
        self._root = session if utc_offset is None else session.at_offset(seconds_east(utc_offset, clock))
        self.leads = Leads(self)
        self.views = Views(self)
        self.contacts = Contacts(self)
        self.accounts = Accounts(self)
        self.activities = Activities(self)
        self.calendar = Calendar(self)
        self.reminders = Reminders(self)
        self.files = Files(self)
        self.estimates = Estimates(self)
        self.lines = Lines(self)
        self.opportunities = Opportunities(self)
        self.services = Services(self)
        self.conversion_mapping = ConversionMappings(self)
        self.outbox = Outbox(self)
        self.followers = Followers(self)
        self.participants = Participants(self)
        self.records = Records(self)
        self.pipelines = Pipelines(self)
        self.sources = Terms(self, "source")
        self.categories = Terms(self, "category")
        self.labels = Terms(self, "label")
        self.locations = Terms(self, "location")
        self.partners = Terms(self, "partner")
        self.lost_reasons = Terms(self, "lost_reason")
        self.disqualify_reasons = Terms(self, "disqualify_reason")
        self.catalogue = Catalogue(self)
        self.costs = Costs(self)
        self.reports = Reports(self)
        self.series = Series(self)
        self.settings = Settings(self)
        self.mappings = Mappings(self)
        self.hygiene = Hygiene(self)

    @property
    def _session(self) -> _leadcore.Session:
        """The session, inside the transaction that this thread or task has open."""
        root = self._root
        if isinstance(self._offset, datetime.tzinfo):
            root = root.at_offset(seconds_east(self._offset, self._clock))
        unit = open_units.get().get(root.key)
        return root if unit is None else root.within(unit)

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

    def as_user(
        self, user: str | None, *, team: Iterable[str] | None = None, utc_offset: UtcOffset | None = None
    ) -> Database:
        """The same database for another user; closing one closes both.

        Args:
            user: Who asks.
            team: The users of their team, for ``my_team`` in filters; the user need not be named.
            utc_offset: Where they live, as in :func:`leadcore.open`; as here when not said.

        Example:
            >>> db.as_user("bob").leads.create(company="Fjord AS").owner
            'bob'
            >>> ada = db.as_user("ada", team=["bob", "cleo"])
            >>> ada.leads.count(where=leadcore.F.owner == leadcore.F.my_team)
            1

        """
        root = named(self._root.as_user)(user, users_of(team))
        return Database(root, self._offset if utc_offset is None else utc_offset, self._clock)

    def transaction(self) -> Transaction:
        """Several calls as one: kept together at the end of the block, taken back together when it raises.

        It holds for this thread or asyncio task, whichever object of this database is used; other threads and tasks
        go on outside it, and their writes wait until it ends (in memory, their reads too). Inside another transaction
        it is a part that can be taken back alone.

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
        """One pipeline as columns: leads by stage, with counts, sums and the first ``cards`` of each.

        The cards lie in the order that people gave them, or in that of ``sort``.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> board = db.board(cards=10)
        >>> [(column.stage.name, column.count) for column in board.columns][:2]
        [('New', 1), ('Mailed', 0)]
        >>> _ = db.leads.create(company="Fjord AS", amount=1000, currency="NOK", probability=40)
        >>> [(str(money.expected), str(money.weighted)) for money in db.board()["New"].sums]
        [('1000', '400')]
        """
        return _leadcore.board(self._session, pipeline, encode(where), sort, cards)

    @overload
    def apply(
        self, plan: ConversionPlan, *, targets: Iterable[ConversionTarget | Target] = ()
    ) -> ConversionOutcome: ...
    @overload
    def apply(self, plan: UnconvertPlan, *, targets: Iterable[ConversionTarget | Target] = ()) -> UnconvertOutcome: ...
    def apply(
        self, plan: ConversionPlan | UnconvertPlan, *, targets: Iterable[ConversionTarget | Target] = ()
    ) -> ConversionOutcome | UnconvertOutcome:
        """Carry out a plan of a conversion, or of the way back, once; a second time gives the first outcome.

        Args:
            plan: What ``db.leads.plan_conversion`` or ``db.leads.plan_unconvert`` made.
            targets: What your program keeps of customers, written in the same transaction.

        Raises:
            ConflictError: When something changed since the plan was made (``plan_outdated``), when nothing stands
                against it but that one number series is used up (``series_exhausted``) or that conversion is closed
                for the lead in its state (``closed``), or when something stands against the way back (``blocked``).
            InvalidError: With everything that stands against it, when that is more: rules that an edited plan breaks,
                what the lead lacks, number series that are used up (``series``, ``opportunity.series``).

        Example:
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> db.apply(db.leads.plan_conversion(lead)).account_number
            1

        """
        check("plan", plan, (ConversionPlan, UnconvertPlan), "a plan of a conversion or of the way back")
        hosts = asked(targets)
        if hosts is None:
            return self._apply(plan, None)
        with self.transaction():
            return self._apply(plan, hosts)

    def _apply(self, plan: ConversionPlan | UnconvertPlan, hosts: Any) -> ConversionOutcome | UnconvertOutcome:
        if isinstance(plan, ConversionPlan):
            return outcome_of(_leadcore.conversion_apply(self._session, plan.to_json(), hosts))
        return taken_back(_leadcore.unconversion_apply(self._session, plan.to_json(), hosts))

    def timeline(self, subject: SubjectRef, *, topics: Topic | Iterable[Topic] | None = None) -> Iterator[Entry]:
        """Everything that happened to a lead, account or contact, newest first, read in pages as you go.

        With ``topics`` only what is about one of them: ``["note", "stage"]``. What happened to the notes, tasks and
        files of a record is told with it, and an account shows the history of the leads that became it.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> lead = db.leads.move(lead, "Discussion")
        >>> [entry.text for entry in db.timeline(lead)]
        ['Status: New → Discussion', 'Lead created']
        >>> [entry.text for entry in db.timeline(lead, topics=["stage", "note"])]
        ['Status: New → Discussion']
        """
        chosen = topics_of(topics)
        before: int | None = None
        while True:
            entries, before = _leadcore.timeline(self._session, subject, chosen, before, 200)
            yield from entries
            if before is None:
                return

    def timeline_page(
        self,
        subject: SubjectRef,
        *,
        topics: Topic | Iterable[Topic] | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Entry]:
        """One page of :meth:`timeline`, from behind ``after``, the ``next`` of the page before.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.timeline_page(lead, limit=10).items[0].action
        'created'
        """
        chosen = topics_of(topics)
        entries, following = _leadcore.timeline(self._session, subject, chosen, page_number(after), limit)
        return Page(tuple(entries), None if following is None else str(following))

    def set_required(self, field: str, required: bool = True) -> None:
        """Say that every new or edited lead must have a value in this field, or no longer must.

        >>> db.set_required("email")
        >>> db.leads.create(company="Nordlys AS")
        Traceback (most recent call last):
        ...
        leadcore.exceptions.InvalidError: `email`: must have a value
        """
        check("required", required, bool, "True or False")
        self.catalogue.set(field, required=required)

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
