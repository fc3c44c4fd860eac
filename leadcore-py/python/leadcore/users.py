"""Who asks: where a user lives, and with whom it works."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import TypeAlias

from .arguments import check, several

__all__ = ["UtcOffset"]

UtcOffset: TypeAlias = datetime.timedelta | datetime.tzinfo
"""Where a user lives: an offset from UTC, or a time zone, which may have another offset in summer."""


def users_of(team: Iterable[str] | None) -> list[str] | None:
    """The users of a team as a list; a text alone is a mistake for one."""
    return None if team is None else several("team", team, "a list of users")


def seconds_east(offset: UtcOffset) -> int:
    """How many seconds a user is east of UTC now."""
    check("utc_offset", offset, (datetime.timedelta, datetime.tzinfo), "a timedelta or a time zone")
    if isinstance(offset, datetime.tzinfo):
        now = datetime.datetime.now(offset).utcoffset()
        offset = datetime.timedelta(0) if now is None else now
    return offset // datetime.timedelta(seconds=1)
