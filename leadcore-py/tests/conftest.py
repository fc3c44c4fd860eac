"""What the tests share."""

from __future__ import annotations

from collections.abc import Iterator

import leadcore
import pytest


@pytest.fixture
def db() -> Iterator[leadcore.Database]:
    with leadcore.open(":memory:", tenant="acme", user="ada") as database:
        yield database
