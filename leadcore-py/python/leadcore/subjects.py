"""Which record something is about, and pages of what hangs on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from types import EllipsisType
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from ._leadcore import Account, Contact, Lead
from .arguments import check, expected
from .exceptions import refused
from .models import Page, Subject
from .values import Record

__all__ = ["SubjectRef"]

SubjectRef: TypeAlias = Lead | Account | Contact | Record | tuple[str, UUID | str] | UUID | str
"""A record: the object, its kind and id (``("account", id)``), or the id of a lead. An activity, a file or an estimate
is one too, for what can be about it."""

_T = TypeVar("_T")


def identity(given: object, kind: type, name: str) -> tuple[Any, int | None]:
    """Id of a record that is a dataclass, and the revision of the object when that is what was given."""
    if isinstance(given, kind):
        record: Any = given
        return record.id, record.revision
    if not isinstance(given, (UUID, str)):
        raise expected(name, "the record or its id", given)
    return given, None


def fields_json(given: Mapping[str, Any]) -> str:
    """The fields that were said, as the compiled module reads them."""
    said = {key: value for key, value in given.items() if value is not ...}
    for key, value in said.items():
        check_unicode(key, value)
    return json.dumps(said)


def check_unicode(name: str, given: object) -> None:
    """Refuse text with lone surrogates, by the name of the field."""
    if isinstance(given, str) and not given.isascii():
        try:
            given.encode()
        except UnicodeEncodeError:
            message = "text must be valid Unicode, without lone surrogates"
            raise refused(name, "malformed", message) from None


def text_or_none(name: str, given: str | EllipsisType | None) -> None:
    """Refuse what is neither text nor nothing."""
    check(name, given, (str, type(None), EllipsisType), "text or None")


def page_of(told: tuple[str, str | None], read: Callable[[dict[str, Any]], _T]) -> Page[_T]:
    """A page that the compiled module wrote."""
    return Page(tuple(read(item) for item in json.loads(told[0])), told[1])


def about_of(told: Mapping[str, Any]) -> tuple[Subject, ...]:
    """The records that something is about."""
    return tuple((one["kind"], UUID(one["id"])) for one in told["about"])


def user_of(actor: Any) -> str | None:
    """The user who did something; ``None`` for the program itself."""
    return actor.get("user") if isinstance(actor, dict) else None


def time_of(text: str) -> datetime:
    """A time that the compiled module wrote."""
    return datetime.fromisoformat(text)


def time_or_none(text: str | None) -> datetime | None:
    """The same, or none."""
    return None if text is None else time_of(text)
