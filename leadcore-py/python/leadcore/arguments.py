"""What is said when an argument is of a wrong type: its name, and what was expected.

The compiled half notes at an error which argument it could not read; here that comes into the message.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar
from uuid import UUID

from . import _leadcore
from .exceptions import InvalidError, NotFoundError, Violation, refused

__all__: list[str] = []

_P = ParamSpec("_P")
_R = TypeVar("_R")
_T = TypeVar("_T")

_NOTE: Final = "while processing '"

#: What the conversions of the compiled half call the value, as they do not know which argument it is.
_NAMELESS: Final = frozenset({"id", "number", "text"})


def named(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The same function of the compiled half; its errors about an argument say which one."""

    @functools.wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        told: Exception | None
        try:
            return function(*args, **kwargs)
        except (TypeError, InvalidError) as error:
            told = _told(error)
            if told is None:
                raise
        except NotFoundError as error:
            told = _of_another_kind(error, inspect.signature(function).bind(*args, **kwargs).arguments)
            if told is None:
                raise
        raise told

    return call


def _told(error: TypeError | InvalidError) -> TypeError | InvalidError | None:
    noted = [note for note in getattr(error, "__notes__", ()) if note.startswith(_NOTE)]
    if not noted:
        return None
    # The first note is of the innermost one: `stage` of what travels as `to`.
    name = noted[0].removeprefix(_NOTE).rstrip("'")
    if isinstance(error, TypeError):
        return TypeError(f"`{name}`: {error}")
    if {broken.field for broken in error.violations} <= _NAMELESS:
        violations = [Violation(name, broken.code, broken.message) for broken in error.violations]
        return InvalidError("; ".join(str(broken) for broken in violations), violations=violations)
    return None


#: What there can be instead of a lead or an account with an id.
_OTHERS: Final = ("lead", "account", "contact", "activity", "file", "estimate", "record")


def _of_another_kind(error: NotFoundError, given: Mapping[str, Any]) -> NotFoundError | None:
    """What to say when the id of something else was given: an account's for that of a lead."""
    wanted = str(error).removesuffix(" not found")
    if wanted not in ("lead", "account"):
        return None
    session = given.get("session")
    for name, value in given.items():
        if name in _OTHERS and name != wanted:
            continue  # the id of what this argument takes: another one is missing
        for one in value if isinstance(value, list) else [value]:
            pair = isinstance(one, tuple) and len(one) == 2 and one[0] == wanted
            identifier = one[1] if pair else one
            if not isinstance(identifier, (UUID, str)):
                continue
            for kind in _OTHERS:
                if kind != wanted and _is_there(session, kind, identifier):
                    article = "an" if kind[0] in "ae" else "a"
                    named = f', which is written ("{kind}", id)' if name in _SUBJECTS else ""
                    return NotFoundError(f"`{name}`: {wanted} not found; this is the id of {article} {kind}{named}")
    return None


#: The arguments that take a record of any kind.
_SUBJECTS: Final = frozenset({"subject", "about", "owner"})


def _is_there(session: Any, kind: str, identifier: UUID | str) -> bool:
    """Whether the actor sees a record of this kind and id."""
    try:
        _leadcore.timeline(session, (kind, identifier), [], None, 1)
    except Exception:  # noqa: BLE001 - the error that is told is another one
        return False
    return True


def page_size_of(given: int) -> int:
    """How many records to read at once, as the caller calls it."""
    check("page_size", given, int, "a whole number")
    if not 1 <= given <= 1000:
        raise refused("page_size", "out_of_range", "a page has 1 to 1,000 records")
    return given


class _Named(ModuleType):
    """The compiled half, each of its functions as :func:`named` makes it."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(_leadcore, name)
        if callable(found) and not isinstance(found, type):
            found = named(found)
        setattr(self, name, found)
        return found


if TYPE_CHECKING:
    compiled = _leadcore
else:
    compiled = _Named("leadcore._leadcore")


def expected(name: str, what: str, given: object) -> TypeError:
    """The error for an argument of a wrong type."""
    return TypeError(f"`{name}`: expected {what}, not '{type(given).__name__}'")


def check(name: str, given: object, kinds: type | tuple[type, ...], what: str) -> None:
    """Refuse an argument that is of none of these types."""
    if not isinstance(given, kinds):
        raise expected(name, what, given)


def several(name: str, given: Iterable[_T], what: str) -> list[_T]:
    """The items of an argument. Text is one thing, not its letters."""
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise expected(name, what, given)
    return list(given)


def page_number(after: Any) -> int | None:
    """Read the number behind a page that is counted by numbers."""
    if after is None:
        return None
    check("after", after, str, "the `next` of a page")
    if after.isascii() and after.isdigit() and len(after) < 20:
        return int(after)
    message = "this is not a page cursor"
    raise refused("after", "malformed", message)
