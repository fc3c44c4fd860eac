"""Transactions that span several calls."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from .arguments import compiled as _leadcore
from .exceptions import InvalidError, LeadcoreError, refused

if TYPE_CHECKING:
    from .database import Database

__all__ = ["Stats", "Transaction"]

#: The open transactions of this thread or task, by store. Context variables follow the flow of the program: another
#: thread, or asyncio task that was there before, is outside the transaction, and `asyncio.to_thread` inside it.
open_units: ContextVar[Mapping[int, _leadcore.Session]] = ContextVar("leadcore_transactions", default={})  # noqa: B039 - never changed


class Transaction:
    """What :meth:`Database.transaction` returns; use it in a ``with`` statement, once."""

    __slots__ = ("_before", "_database", "_unit")

    def __init__(self, database: Database) -> None:
        """Use :meth:`Database.transaction`."""
        self._database = database
        self._unit: _leadcore.Session | None = None
        self._before: Mapping[int, _leadcore.Session] = {}

    def __enter__(self) -> Self:
        if self._unit is not None:
            raise _misuse("a transaction is used once: ask for a new one")
        self._unit = self._database._session.begin()
        self._before = open_units.get()
        open_units.set({**self._before, self._unit.key: self._unit})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._unit is None:
            raise _misuse("the transaction was not entered")
        open_units.set(self._before)
        if kind is None:
            self._unit.end(True)
            return
        # What went wrong in the block is what the caller must see; a transaction that cannot be told to end is
        # rolled back when it is forgotten.
        with contextlib.suppress(LeadcoreError):
            self._unit.end(False)


def _misuse(message: str) -> InvalidError:
    return refused("transaction", "not_allowed", message)


class Stats(NamedTuple):
    """How writing went."""

    commits: int
    """Write transactions committed."""
    retries: int
    """How often a write was run again because another connection was in the way."""
    worst_wait: float
    """The longest time a write waited for its turn, in seconds."""
