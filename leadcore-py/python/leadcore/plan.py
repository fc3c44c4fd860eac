"""What plans are: pure data, made by reading only, to be shown, stored and carried out later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

from .arguments import check
from .exceptions import refused

__all__: list[str] = []


def read_plan(text: str, *, name: str = "plan", what: str = "a plan") -> dict[str, Any]:
    """The data of a plan that was written as JSON; the argument is called ``name``."""
    check("text", text, str, "text")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise refused(name, "malformed", f"this is not {what}")
    return data


class Plan:
    """A plan that is not changed: each step makes another one."""

    __slots__ = ("_data", "_json")

    def __init__(self, data: Mapping[str, Any]) -> None:
        """Take the data that :meth:`to_dict` gave."""
        check("data", data, Mapping, "the data of a plan")
        try:
            self._json = json.dumps(data, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            raise refused("plan", "malformed", "a plan holds only what JSON can hold") from None
        self._refuse()
        self._data: dict[str, Any] = json.loads(self._json)

    def _refuse(self) -> None:
        """Refuse what is no plan of this kind."""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote."""
        return cls(read_plan(text))

    def to_json(self) -> str:
        """The plan as JSON, to be stored and carried out later."""
        return self._json

    def to_dict(self) -> dict[str, Any]:
        """The plan as a dictionary of its own, to be shown or edited."""
        data: dict[str, Any] = json.loads(self._json)
        return data

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._json == other._json

    def __hash__(self) -> int:
        return hash(self._json)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_json, (self._json,)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"
