"""What the tests share."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from typing import Any
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


def package(name: str) -> Any:
    """The package, or a skip that is seen."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ImportError:
        print(f"\n*** {name} is not installed: this test tests NOTHING ***")
        pytest.skip(f"{name} is not installed")
