"""The exception classes: one per kind of error in the core, under one base, safe to pickle."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import re
from pathlib import Path

import pytest
from leadcore import LeadcoreError, Violation, exceptions
from leadcore.exceptions import BY_CODE

CORE_ERRORS = Path(__file__).parents[2] / "leadcore" / "src" / "error.rs"


def test_every_kind_of_the_core_has_a_class() -> None:
    body = CORE_ERRORS.read_text(encoding="utf-8").split("impl ErrorKind {")[1].split("\n}\n")[0]
    codes = re.findall(r'Self::\w+ => "(\w+)"', body)
    assert codes
    assert list(BY_CODE) == codes


def test_every_class_is_found_by_its_code_and_exported() -> None:
    subclasses = LeadcoreError.__subclasses__()
    assert {kind.code: kind for kind in subclasses} == BY_CODE
    assert {kind.__name__ for kind in subclasses} <= set(exceptions.__all__)


def test_no_class_shadows_a_builtin() -> None:
    import builtins

    assert not [kind.__name__ for kind in BY_CODE.values() if hasattr(builtins, kind.__name__)]


@pytest.mark.parametrize("kind", [LeadcoreError, *BY_CODE.values()], ids=lambda kind: kind.__name__)
def test_pickle_and_copy_keep_everything(kind: type[LeadcoreError]) -> None:
    error = kind(
        "lead changed since it was read",
        violations=[Violation("email", "malformed", "an e-mail address needs one `@`")],
        conflict={"reason": "stale_revision", "expected": 1, "found": 2},
    )
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is kind
        assert str(twin) == "lead changed since it was read"
        assert twin.code == error.code
        assert twin.violations == error.violations
        assert twin.conflict == error.conflict


def test_details_are_empty_unless_given() -> None:
    error = exceptions.NotFoundError("lead not found")
    assert (error.violations, error.conflict, error.is_retryable) == ([], None, False)
    assert exceptions.UnavailableError().is_retryable


def test_a_violation_is_a_value() -> None:
    violation = Violation("company", "required", "a company lead needs a company name")
    assert str(violation) == "`company`: a company lead needs a company name"
    assert violation == pickle.loads(pickle.dumps(violation))
    with pytest.raises(dataclasses.FrozenInstanceError):
        violation.field = "email"  # type: ignore[misc]
