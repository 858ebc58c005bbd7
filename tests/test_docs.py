"""What the documentation says in Python runs.

Every `python` block of the README and of `docs/` is executed, the blocks of one page in order and with what earlier
ones defined. `<!-- skip: next "reason" -->` in front of a block leaves it out.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from unittest import SkipTest

import pytest
from loopback import loopback_provider
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

import llm_observer

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a page calls answers, and what it patches is restored."""
    with loopback_provider(monkeypatch):
        yield
        llm_observer.unpatch()


def run(page: Path) -> int:
    """Execute the page's blocks; how many."""
    parser = Sybil(parsers=[PythonCodeBlockParser(), SkipParser()])
    count = 0
    for example in parser.parse(page).examples():
        try:
            example.evaluate()
        except SkipTest:
            continue
        count += isinstance(example.region.parsed, str)
    return count


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_python_of_a_page_runs(page: Path) -> None:
    run(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_is_left_out_says_why(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    comments = re.findall(r"^\s*(<!--+\s*;?\s*skip:.*)", text, re.MULTILINE)
    assert all(re.fullmatch(r'<!-- skip: next "[^"]+" -->', comment) for comment in comments)
    assert not re.search(r"^\s*```(py|python3|pycon)\s*$", text, re.MULTILINE), "only `python` blocks are run"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_to_a_file_of_the_repository_leads_to_one(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), f"{page.name} links to {target}"


def test_a_block_that_fails_fails_with_its_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        '```python\nx = 1\n```\n\n<!-- skip: next "shown only" -->\n\n```python\nx = 2\n```\n\n'
        "```python\nassert x == 1\n```\n",
        encoding="utf-8",
    )
    assert run(page) == 2
    page.write_text("text\n\n```python\nraise ValueError\n```\n", encoding="utf-8")
    with pytest.raises(ValueError) as caught:
        run(page)
    assert caught.traceback[-1].path == page
    assert caught.traceback[-1].lineno + 1 == 4
