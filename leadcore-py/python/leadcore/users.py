"""Who asks: where a user lives, and with whom it works."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import TypeAlias

__all__ = ["UtcOffset"]

UtcOffset: TypeAlias = datetime.timedelta | datetime.tzinfo
"""Where a user lives: an offset from UTC, or a time zone, which may have another offset in summer."""


def users_of(team: Iterable[str] | None) -> list[str] | None:
    """The users of a team as a list; a text alone is a mistake for one."""
    if isinstance(team, str):
        raise TypeError("a team is a list of users")
    return None if team is None else list(team)


def seconds_east(offset: UtcOffset) -> int:
    """How many seconds a user is east of UTC now."""
    if isinstance(offset, datetime.tzinfo):
        now = datetime.datetime.now(offset).utcoffset()
        offset = datetime.timedelta(0) if now is None else now
    return offset // datetime.timedelta(seconds=1)
