"""What hangs on records, as the compiled half tells it to a page: each as the class that its own calls give."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from .estimate import estimate_of
from .files import file_of
from .followers import follow_of
from .lines import lead_lines_of
from .opportunity import opportunity_of, service_of
from .records import record_of

__all__: list[str] = []


def _followers(told: list[Any]) -> tuple[object, ...]:
    return tuple(follow_of(one) for one in told)


_READERS: Final[dict[str, Callable[[Any], object]]] = {
    "estimate": estimate_of,
    "file": file_of,
    "followers": _followers,
    "lines": lead_lines_of,
    "opportunity": opportunity_of,
    "record": record_of,
    "service": service_of,
}


def read(what: str, text: str) -> object:
    """What the compiled half wrote as JSON."""
    return _READERS[what](json.loads(text))
