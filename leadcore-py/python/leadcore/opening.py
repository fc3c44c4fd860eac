"""Opening a database."""

from __future__ import annotations

import os
from collections.abc import Iterable

from .arguments import check, expected, named
from .arguments import compiled as _leadcore
from .database import Database
from .filters import encode
from .policy import RoleTable
from .users import Clock, TaxRule, UtcOffset, users_of

__all__ = ["open"]


def open(  # noqa: A001 - `leadcore.open` reads as it should
    path: str | os.PathLike[str],
    *,
    tenant: str = "default",
    user: str | None = None,
    policy: RoleTable | None = None,
    team: Iterable[str] | None = None,
    utc_offset: UtcOffset | None = None,
    clock: Clock | None = None,
    tax_rule: TaxRule | None = None,
    files_in: str | os.PathLike[str] | None = None,
) -> Database:
    """Open a file, made when it is not there, or ``":memory:"``.

    **One process, one SQLite**: while it is open, do not open the same file with Python's own ``sqlite3`` or another
    package that brings SQLite. It would drop this one's locks, and another process's committed rows can vanish. Use
    the queries here, or :meth:`Database.backup_to` a copy that is safe to open with anything. The same goes for your
    own ``open()``: leadcore never opens the file itself, but what you open drops the locks when you close it.

    Args:
        path: The file, or ``":memory:"``.
        tenant: Whose leads. One file holds any number of tenants that never see each other.
        user: Who asks, by your own name for the user; ``None`` is the program itself, which may do everything.
        policy: Who may do what. Without one, everybody may do everything.
        team: The users of the acting user's team, for ``my_team`` in filters.
        utc_offset: Where the acting user's days begin, for filters and for times in lists: an offset, or a zone that is
            asked at each call (``zoneinfo.ZoneInfo("Europe/Oslo")``). UTC when not said.
        clock: What gives the time of a call, an aware ``datetime``, instead of the machine's: for tests and replays.
        tax_rule: What checks tax numbers: called with the number and the country's code (``None`` when not known), it
            returns ``None`` for a number that is right, else the reason why it is not, for people to read. Asked
            when a lead or account gets another number or country, also by imports. It runs in the middle of a write, so
            it must be quick and cannot use a database.
        files_in: A directory that holds the content of files, instead of the database itself; made when it is not
            there. It belongs to this one database, and every program that opens that uses it. Copy it first, then
            the database (:meth:`Database.backup_to`).

    What ``clock`` or ``tax_rule`` raises is raised by the call; of an import, the chunks before are kept.

    Example:
        >>> db = leadcore.open(":memory:", tenant="acme", user="ada")
        >>> db.leads.create(company="Nordlys AS").owner
        'ada'
        >>> db.close()

        A tax number has nine digits in Norway:

        >>> def nine_digits(number, country):
        ...     if country == "NO" and sum(letter.isdigit() for letter in number) != 9:
        ...         return "an organisation number has nine digits"
        >>> db = leadcore.open(":memory:", tax_rule=nine_digits)
        >>> db.leads.create(company="Nordlys AS", country="NO", tax_id="12")
        Traceback (most recent call last):
        ...
        leadcore.exceptions.InvalidError: `tax_id`: an organisation number has nine digits

    """
    for name, call in (("clock", clock), ("tax_rule", tax_rule)):
        if call is not None and not callable(call):
            raise expected(name, "something to call", call)
    # A missing name must not become a database that is gone with the program.
    if not isinstance(path, (str, os.PathLike)):
        raise expected("path", "a path or `:memory:`", path)
    place = None if path == ":memory:" else os.fspath(path)
    check("files_in", files_in, (str, os.PathLike, type(None)), "a path or None")
    check("policy", policy, (RoleTable, type(None)), "a RoleTable")
    roles = None if policy is None else encode(policy.to_dict())
    session = named(_leadcore.Session.open)(place, tenant, None, roles, clock, tax_rule, files_in)
    try:
        return Database(named(session.as_user)(user, users_of(team)), utc_offset, clock)
    except BaseException:
        session.close()
        raise
