"""Views: the lists and boards that people choose from, save, share and open."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterable, Mapping
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast
from uuid import UUID

from .arguments import check, expected, several
from .arguments import compiled as _leadcore
from .exceptions import Violation, refused
from .filters import Filter, Where, encode
from .lists import ListPage, Row, View, ViewBoard, ViewEntry, facet
from .models import Pipeline

if TYPE_CHECKING:
    from .database import Database
    from .leads import LeadAction

__all__ = ["SystemView", "ViewRef", "Views"]

SystemView: TypeAlias = Literal[
    "mine",
    "all",
    "unread",
    "recently_created",
    "recently_modified",
    "converted",
    "unassigned",
    "rotting",
    "follow_ups",
    "trash",
]
"""The views that every tenant has."""

ViewRef: TypeAlias = View | ViewEntry | UUID | SystemView | str
"""A view: a record of it, the code of a system view, or the id of a saved one. A write with a :class:`View` is refused
when it changed since."""


class Views:
    """``db.views``."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.views``."""
        self._db = db

    def list(self) -> builtins.list[ViewEntry]:
        """The menu: pinned views in their order, then system views, then shared and own ones by name.

        >>> [entry.view for entry in db.views.list()][:4]
        ['mine', 'all', 'unread', 'recently_created']
        """
        found = _leadcore.view_list(self._db._session)
        return [ViewEntry(view, name, *shape, *flags) for view, name, shape, *flags in found]

    def _default(self) -> str:
        """What lists open with for this user; ``mine`` where that cannot be listed, as for the host itself."""
        return next((entry.view for entry in self.list() if entry.is_default), "mine")

    def open(
        self,
        view: ViewRef | None = None,
        *,
        search: str | None = None,
        filter: Where = None,  # noqa: A002 - it is what people call it
        sort: str | None = None,
        limit: int | None = None,
        after: str | None = None,
        columns: Iterable[str] | None = None,
        users: Mapping[str, str] | None = None,
    ) -> ListPage:
        """A page of rows, ready to be shown.

        Args:
            view: Which view; the user's default one when not said.
            search: Only leads that have every word of this.
            filter: Only leads that match this too.
            sort: Another order than the view's, as in ``db.leads.list``.
            limit: How many rows at most, 1 to 1,000; 50 when not said.
            after: The ``next`` of the page before.
            columns: Other columns than the view's, by their keys.
            users: What your program calls its users; others are shown by their id.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS", amount=1250, currency="NOK")
            >>> page = db.views.open("mine", columns=["company", "stage", "amount", "owner"], users={"ada": "Ada B."})
            >>> dict(page[0].values)
            {'company': 'Nordlys AS', 'stage': 'New', 'amount': 'kr 1250.00', 'owner': 'Ada B.'}
            >>> page[0].unread, page[0].actions, page.total
            (True, ('view', 'edit', 'delete', 'convert'), 1)
            >>> len(db.views.open("all", filter="amount > 5000"))
            0

        """
        view = self._default() if view is None else _ref(view)
        given = None if columns is None else several("columns", columns, "several keys of fields")
        check("users", users, (Mapping, type(None)), "a mapping of users to names")
        names = None if users is None else builtins.list(users.items())
        name, shown, rows, order, following, total, groups, left_out = _leadcore.view_open(
            self._db._session, view, search, encode(filter, "filter"), sort, limit, after, given, names
        )
        keys = [column.key for column in shown]
        return ListPage(
            view,
            name,
            tuple(shown),
            tuple(
                Row(
                    lead.id,
                    lead.number,
                    lead,
                    dict(zip(keys, cells, strict=True)),
                    unread,
                    rotting,
                    cast("tuple[LeadAction, ...]", tuple(actions)),
                )
                for lead, cells, unread, rotting, actions in rows
            ),
            order,
            following,
            total,
            None if groups is None else facet(groups),
            _left_out(left_out),
        )

    def board(
        self,
        view: ViewRef = "mine",
        *,
        search: str | None = None,
        filter: Where = None,  # noqa: A002 - it is what people call it
        sort: str | None = None,
        cards: int = 25,
    ) -> ViewBoard:
        """A view as a board: that of its pipeline, or of the default one.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> shown = db.views.board("mine")
        >>> shown.name, shown.board["New"].count
        ('My Leads', 1)
        """
        view = _ref(view)
        name, board, left_out = _leadcore.view_board(
            self._db._session, view, search, encode(filter, "filter"), sort, cards
        )
        return ViewBoard(view, name, board, _left_out(left_out))

    def get(self, view: View | ViewEntry | UUID | str) -> View:
        """A saved view, to be shown in a form or changed.

        >>> saved = db.views.save("Large", "amount >= 1000")
        >>> str(db.views.get(saved.id).filter)
        'amount >= 1000'
        """
        return _view(*_leadcore.view_get(self._db._session, _ref(view)))

    def save(
        self,
        name: str,
        where: Where = None,
        *,
        columns: Iterable[str] | None = None,
        sort: str | None = None,
        group_by: str | None = None,
        shape: Literal["list", "board"] = "list",
        pipeline: Pipeline | UUID | str | None = None,
    ) -> View:
        """Save a view: the acting user's own, or a shared one where the program itself acts.

        Args:
            name: What people read.
            where: Which leads. Names of sources, stages and the like are kept as ids: a rename changes nothing.
            columns: The keys of its columns; the tenant's when not said.
            sort: Its order.
            group_by: The field that rows are grouped by.
            shape: ``list`` or ``board``.
            pipeline: Of a board: which pipeline.

        Raises:
            InvalidError: With everything that is wrong at once.
            AlreadyExistsError: When the owner has a view of this name.

        Example:
            >>> source = db.sources.add("Fair")
            >>> saved = db.views.save("From fairs", "source = Fair", columns=["company", "amount"], sort="-amount")
            >>> lead = db.leads.create(company="Nordlys AS", source="Fair", amount=100)
            >>> [row["company"] for row in db.views.open(saved)]
            ['Nordlys AS']

        """
        given = _given(name=name, where=where, columns=columns, sort=sort, group_by=group_by)
        given |= _shape(shape, pipeline)
        return _view(*_leadcore.view_save(self._db._session, given))

    def update(
        self,
        view: View | ViewEntry | UUID | str,
        *,
        name: str | EllipsisType = ...,
        where: Where | EllipsisType = ...,
        columns: Iterable[str] | EllipsisType | None = ...,
        sort: str | EllipsisType | None = ...,
        group_by: str | EllipsisType | None = ...,
        shape: Literal["list", "board"] | EllipsisType = ...,
        pipeline: Pipeline | UUID | str | EllipsisType | None = ...,
    ) -> View:
        """Change what a saved view shows; what is not given stays. ``None`` goes back to what is usual.

        >>> saved = db.views.save("Large", "amount >= 1000", columns=["company"])
        >>> saved = db.views.update(saved, where=leadcore.F.amount >= 5000, columns=None, sort="-amount")
        >>> str(saved.filter), saved.columns, saved.sort
        ('amount >= 5000', None, '-amount')
        """
        given = _given(name=name, where=where, columns=columns, sort=sort, group_by=group_by)
        if shape is not ... or pipeline is not ...:
            wanted: Any = None if pipeline is ... else pipeline
            given |= _shape("board" if shape is ... else shape, wanted)
        return _view(*_leadcore.view_update(self._db._session, _ref(view), _revision(view), given))

    def rename(self, view: View | ViewEntry | UUID | str, name: str) -> View:
        """Rename a saved view.

        >>> db.views.rename(db.views.save("Large", "amount >= 1000"), "Big ones").name
        'Big ones'
        """
        return _view(*_leadcore.view_rename(self._db._session, _ref(view), _revision(view), name))

    def share(self, view: View | ViewEntry | UUID | str, shared: bool = True) -> View:
        """Show a saved view to everyone, or with ``False`` to its owner only.

        >>> saved = db.views.share(db.views.save("Large", "amount >= 1000"))
        >>> db.as_user("bob").views.open(saved).name
        'Large'
        """
        return _view(*_leadcore.view_share(self._db._session, _ref(view), _revision(view), shared))

    def delete(self, view: View | ViewEntry | UUID | str) -> None:
        """Delete a saved view for good.

        >>> db.views.delete(db.views.save("Large", "amount >= 1000"))
        >>> [entry.name for entry in db.views.list() if entry.is_editable]
        []
        """
        _leadcore.view_delete(self._db._session, _ref(view), _revision(view))

    def pin(self, view: ViewRef) -> None:
        """Put a view at the top of the acting user's menu, behind those that are there.

        >>> db.views.pin("rotting")
        >>> db.views.list()[0].view
        'rotting'
        """
        _leadcore.view_pin(self._db._session, _ref(view), True)

    def unpin(self, view: ViewRef) -> None:
        """Take a view from the top of the acting user's menu.

        >>> db.views.pin("rotting")
        >>> db.views.unpin("rotting")
        >>> db.views.list()[0].view
        'mine'
        """
        _leadcore.view_pin(self._db._session, _ref(view), False)

    def arrange(self, views: Iterable[ViewRef]) -> None:
        """Say which views are at the top of the acting user's menu, in this order.

        >>> db.views.arrange(["unread", "rotting"])
        >>> [entry.view for entry in db.views.list() if entry.is_pinned]
        ['unread', 'rotting']
        """
        _leadcore.view_arrange(
            self._db._session, [_ref(view, "views") for view in several("views", views, "several views")]
        )

    def set_default(self, view: ViewRef) -> None:
        """Say with which view the acting user's lists open.

        >>> db.views.set_default("unread")
        >>> [entry.view for entry in db.views.list() if entry.is_default]
        ['unread']
        """
        _leadcore.view_default(self._db._session, _ref(view))


def _ref(view: ViewRef, name: str = "view") -> str:
    if isinstance(view, ViewEntry):
        return view.view
    if isinstance(view, View):
        return str(view.id)
    if isinstance(view, (UUID, str)):
        return str(view)
    raise expected(name, "a view, the code of a system view, or an id", view)


def _revision(view: object) -> int | None:
    return view.revision if isinstance(view, View) else None


def _given(**given: Any) -> dict[str, Any]:
    """What was given, in the form that the compiled half reads."""
    said = {key: value for key, value in given.items() if value is not ...}
    if "where" in said:
        said["where"] = encode(said["where"])
    if said.get("columns") is not None:
        said["columns"] = several("columns", said["columns"], "several keys of fields")
    return said


def _shape(shape: str, pipeline: Any) -> dict[str, Any]:
    if shape not in ("list", "board"):
        message = "a view is drawn as a `list` or as a `board`"
        raise refused("shape", "unknown", message)
    check("pipeline", pipeline, (Pipeline, UUID, str, type(None)), "a pipeline, its id or its name")
    return {"pipeline": pipeline} if shape == "board" else {"list": None}


def _view(
    identity: UUID, whose: tuple[int, str | None, bool], shows: tuple[str, Any, str, Any, str | None, str | None]
) -> View:
    (revision, owner, shared), (name, (shape, pipeline), where, columns, sort, group_by) = whose, shows
    columns = None if columns is None else tuple(columns)
    tree = Filter(json.loads(where))
    return View(identity, revision, name, owner, shared, tree, shape, pipeline, columns, sort, group_by)


def _left_out(found: builtins.list[tuple[str, str, str]]) -> tuple[Violation, ...]:
    return tuple(Violation(*violation) for violation in found)
