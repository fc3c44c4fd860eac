"""The file behind a database: where it is, how writing went, copies."""

from __future__ import annotations

import os
from pathlib import Path

from ._leadcore import Session
from .arguments import named
from .files import SweptFiles
from .transactions import Stats

__all__ = ["Upkeep"]


class Upkeep:
    """The part of the database that looks after its file."""

    __slots__ = ()

    _root: Session

    @property
    def path(self) -> Path | None:
        """Where the file is; ``None`` in memory."""
        path = self._root.path()
        return None if path is None else Path(path)

    def sweep_files(self) -> SweptFiles:
        """Remove contents that no file has: what a program that was killed left over. Run it now and then.

        >>> db.sweep_files().contents
        0
        """
        return SweptFiles(*self._root.sweep_files())

    def stats(self) -> Stats:
        """How writing went since the database was opened.

        >>> db.stats().commits >= 0
        True
        """
        return Stats(*self._root.stats())

    def backup_to(self, path: str | os.PathLike[str]) -> None:
        """Write a copy to a new file, while work goes on. The copy is safe to open with any SQLite."""
        named(self._root.backup_to)(path)
