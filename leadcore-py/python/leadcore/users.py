"""Who asks: where a user lives, and with whom it works."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from typing import TypeAlias

from .arguments import check, several
from .arguments import compiled as _leadcore

__all__ = ["Clock", "TaxRule", "UtcOffset"]

UtcOffset: TypeAlias = datetime.timedelta | datetime.tzinfo
"""Where a user lives: an offset from UTC, or a time zone, which may have another offset in summer."""


Clock: TypeAlias = Callable[[], datetime.datetime]
"""What gives the time: an aware ``datetime``."""

TaxRule: TypeAlias = Callable[[str, str | None], str | None]
"""What checks tax numbers: of the number and the country's code, ``None`` or why the number is not right."""


def users_of(team: Iterable[str] | None) -> list[str] | None:
    """The users of a team as a list; a text alone is a mistake for one."""
    return None if team is None else several("team", team, "a list of users")


def zone_of(offset: UtcOffset | None) -> str | None:
    """The IANA name of a zone, when it has one and leadcore knows it."""
    name = getattr(offset, "key", None)
    return name if isinstance(name, str) and _leadcore.zone_known(name) else None


def seconds_east(offset: UtcOffset, clock: Clock | None = None) -> int:
    """How many seconds a user is east of UTC now, as the clock says."""
    check("utc_offset", offset, (datetime.timedelta, datetime.tzinfo), "a timedelta or a time zone")
    if isinstance(offset, datetime.tzinfo):
        at = datetime.datetime.now(datetime.UTC) if clock is None else clock()
        check("clock", at, datetime.datetime, "something that gives a datetime with a time zone")
        now = at.astimezone(offset).utcoffset()
        offset = datetime.timedelta(0) if now is None else now
    return offset // datetime.timedelta(seconds=1)
