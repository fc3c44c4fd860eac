"""Every page of the manual runs: its blocks in order, as one program, which opens a database in memory."""

from __future__ import annotations

import ast
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


class Refusals(ast.NodeTransformer):
    """A page that shows what is refused says so by `try` and `except`: what is not refused is an error then."""

    def visit_Try(self, node: ast.Try) -> ast.Try:
        """What comes behind the statements that should have been refused."""
        self.generic_visit(node)
        if not node.orelse:
            node.orelse = ast.parse("raise AssertionError('nothing was refused')").body
        return node


@pytest.mark.parametrize("page", PAGES)
def test_page(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = blocks(page)
    assert found, f"{page} shows no Python"
    space: dict[str, Any] = {"__name__": page}
    for line, block in found:
        # As many empty lines before it, so that an error names the line of the page.
        program = Refusals().visit(ast.parse("\n" * line + block, page))
        exec(compile(ast.fix_missing_locations(program), page, "exec"), space)  # noqa: S102


def test_a_refusal_that_does_not_come_is_noticed() -> None:
    program = Refusals().visit(ast.parse("try:\n    pass\nexcept ValueError:\n    pass\n"))
    with pytest.raises(AssertionError, match="nothing was refused"):
        exec(compile(ast.fix_missing_locations(program), "page", "exec"))  # noqa: S102


def test_the_index_names_every_page() -> None:
    assert PAGES, "there is no manual"
    index = (MANUAL / INDEX).read_text(encoding="utf-8")
    assert sorted(set(re.findall(r"\]\(([a-z_-]+\.md)\)", index))) == PAGES
