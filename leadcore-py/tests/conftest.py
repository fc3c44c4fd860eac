"""What the tests share."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import leadcore
import pytest
from leadcore import _leadcore


@pytest.fixture
def db() -> Iterator[leadcore.Database]:
    with leadcore.open(":memory:", tenant="acme", user="ada") as database:
        yield database


def panic(db: leadcore.Database) -> None:
    """Panics in the middle of a write. The function is in the wheel that is built for the tests alone."""
    vars(_leadcore)["_panic"](db._session)


def became(outcome: leadcore.ConversionOutcome) -> UUID:
    """The account that a lead became."""
    assert outcome.account_id is not None
    return outcome.account_id
