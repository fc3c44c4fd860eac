"""Every page of the manual runs: its blocks in order, as one program, which opens a database in memory."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

MANUAL = Path(__file__).parents[2] / "docs" / "manual"
INDEX = "README.md"
PAGES = sorted(page.name for page in MANUAL.glob("*.md") if page.name != INDEX)


def blocks(page: str) -> list[tuple[int, str]]:
    """The line on which each block begins, and the block."""
    text = (MANUAL / page).read_text(encoding="utf-8")
    found = re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [(text.count("\n", 0, match.start(1)), match[1]) for match in found]


@pytest.mark.parametrize("page", PAGES)
def test_page(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = blocks(page)
    assert found, f"{page} shows no Python"
    space: dict[str, Any] = {"__name__": page}
    for line, block in found:
        # As many empty lines before it, so that an error names the line of the page.
        exec(compile("\n" * line + block, page, "exec"), space)  # noqa: S102


def test_the_index_names_every_page() -> None:
    assert PAGES, "there is no manual"
    index = (MANUAL / INDEX).read_text(encoding="utf-8")
    assert sorted(set(re.findall(r"\]\(([a-z_-]+\.md)\)", index))) == PAGES
