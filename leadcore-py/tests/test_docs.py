"""Every example runs: the blocks of the README and the examples in docstrings."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import leadcore
import pytest

HERE = Path(__file__).parents[1]
READMES = [HERE / "README.md", HERE.parent / "README.md"]


def blocks() -> list[str]:
    texts = [readme.read_text(encoding="utf-8") for readme in READMES]
    found = [re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE) for text in texts]
    assert all(found), "each README shows Python"
    return [block for of_one in found for block in of_one]


@pytest.mark.parametrize("number", range(len(blocks())))
def test_readme(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with leadcore.open(":memory:", tenant="acme", user="ada") as db:
        exec(compile(blocks()[number], f"README block {number}", "exec"), {"leadcore": leadcore, "db": db})  # noqa: S102


def test_the_package_readme_is_one_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = READMES[0].read_text(encoding="utf-8")
    space: dict[str, object] = {"__name__": "readme"}
    for match in re.finditer(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        # As many empty lines before it, so that an error names the line of the page.
        exec(compile("\n" * text.count("\n", 0, match.start(1)) + match[1], "README.md", "exec"), space)  # noqa: S102


def test_the_package_readme_begins_with_the_hazard_of_two_sqlites() -> None:
    first, second, *_ = re.split(r"^## ", READMES[0].read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert "one SQLite" in first
    assert "committed rows of the other process" in " ".join(first.split())
    assert second.startswith("Install")


def modules() -> list[str]:
    found = pkgutil.iter_modules(leadcore.__path__, "leadcore.")
    return ["leadcore", *sorted(module.name for module in found)]


def examples() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in modules():
        for test in finder.find(importlib.import_module(name), name):
            if test.examples:
                yield test


@pytest.mark.parametrize("test", list(examples()), ids=lambda test: test.name)
def test_docstring(test: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with leadcore.open(":memory:", tenant="acme", user="ada") as db:
        test.globs = {"leadcore": leadcore, "db": db}
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL)
        out: list[str] = []
        runner.run(test, out=out.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(out)


def public(kind: type) -> Iterator[tuple[str, object]]:
    for name, member in vars(kind).items():
        if not name.startswith("_") and (callable(member) or isinstance(member, (property, classmethod, staticmethod))):
            yield f"{kind.__name__}.{name}", member


@pytest.mark.parametrize("name", [name for name in leadcore.__all__ if inspect.isclass(getattr(leadcore, name))])
def test_everything_public_is_documented(name: str) -> None:
    kind = getattr(leadcore, name)
    assert kind.__doc__
    assert not [name for name, member in public(kind) if not inspect.getdoc(member)]


#: What is called: each of these shows how, by an example that runs.
MANAGERS = (
    "Leads",
    "Contacts",
    "Accounts",
    "Pipelines",
    "Terms",
    "Catalogue",
    "Database",
    "LeadMoves",
    "LeadMass",
    "Operations",
    "Settings",
    "LeadReading",
    "Importing",
    "Views",
    "Files",
    "Estimates",
    "Lines",
    "LeadMarks",
    "Followers",
    "Participants",
    "Records",
    "LeadExport",
    "Mappings",
    "Hygiene",
    "Opportunities",
    "Services",
    "LeadConversion",
    "ConversionMappings",
    "Outbox",
)
WITHOUT_EXAMPLE = {"Database.close", "Database.backup_to"}


@pytest.mark.parametrize("name", MANAGERS)
def test_every_call_has_an_example(name: str) -> None:
    kind = getattr(leadcore, name)
    calls = [(name, member) for name, member in public(kind) if not isinstance(member, property)]
    assert {name for name, member in calls if ">>>" not in (inspect.getdoc(member) or "")} <= WITHOUT_EXAMPLE
