"""What notebooks show: tables of records. Everything is escaped, and nothing is longer than somebody reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice

__all__: list[str] = []

#: The most rows of a table, and the most characters of a cell.
MOST_ROWS = 100
MOST_LETTERS = 200

#: The columns of a table of persons.
PERSON_COLUMNS = ("name", "role", "job_title", "email", "phone", "is_primary")

_SHOWN = ("number", "company", "name", "email", "phone", "city", "stage", "owner", "status", "at", "text")


def cell(value: object) -> str:
    """What a cell shows of a value, escaped."""
    if value is None:
        return ""
    text = str(value)
    return escape(text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…")


def table(items: Sequence[object], columns: Sequence[str] = ()) -> str:
    """A table of records; a record may say its own columns. Columns without a value are left out."""
    wanted = columns or (getattr(items[0], "_columns", _SHOWN) if items else ())
    columns = [name for name in wanted if any(getattr(item, name, None) is not None for item in items)]
    rows = [[getattr(item, name, None) for name in columns] for item in items[:MOST_ROWS]]
    return grid(columns, rows, len(items) - len(rows))


def grid(head: Iterable[object], rows: Iterable[Iterable[object]], more: int = 0) -> str:
    """A table of values, below which stands how many rows are left out."""
    head = list(head)
    names = "".join(f"<th>{cell(name)}</th>" for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell(value)}</td>' for value in row)}</tr>" for row in rows)
    if more > 0:
        body += f"<tr><td colspan='{max(len(head), 1)}'>… and {more} more</td></tr>"
    return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


def facts(said: Iterable[tuple[str, object]]) -> str:
    """A table of names and what each is; what is empty is left out."""
    shown = islice(((name, value) for name, value in said if value not in (None, "", (), False)), MOST_ROWS)
    rows = "".join(f"<tr><th>{cell(name)}</th><td>{cell(value)}</td></tr>" for name, value in shown)
    return f"<table><tbody>{rows}</tbody></table>"


def part(title: str, shown: str) -> str:
    """A part of a page below its title."""
    return f"<h4>{cell(title)}</h4>{shown}"
