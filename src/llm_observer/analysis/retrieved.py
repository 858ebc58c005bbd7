"""Whether what changed in a text reads like documents, search results or memory, rather than like an edit."""

import re

from llm_observer.analysis.compare import common
from llm_observer.analysis.fingerprint import Fingerprint, pieces
from llm_observer.analysis.segments import Segment

__all__ = ["looks_retrieved"]

_WHAT = (
    r"(?:documents?|docs?|contexts?|sources?|(?:search[ _-]?)?results?|passages?|snippets?|excerpts?|chunks?"
    r"|memor(?:y|ies)|knowledge(?:[ _-]?base)?|articles?|references?|retriev(?:ed|al)|recall(?:ed)?|facts?|evidence"
    r"|citations?|faqs?|background|findings|web[ _-]?pages?)"
)
_RETRIEVED = re.compile(
    # A tag named so: <document>, <search_results>, <relevant-context index="1">.
    rf"<\s*/?\s*(?:[a-z]+[_-])*{_WHAT}(?:[_-][a-z]+)*\b[^>\n]{{0,80}}>"
    # A heading, or a label at the head of a line.
    rf"|^[ \t]*(?:#{{1,6}}|\*\*|==+|--+)[^\n]{{0,60}}\b{_WHAT}\b"
    rf"|^[^\n.]{{0,60}}\b{_WHAT}\b[^\n.]{{0,40}}[:\]#>*]"
    # What a template says of them: "Use the following pieces of context to answer ...".
    rf"|\b(?:following|retrieved|relevant|below|provided|given|these|remembered)\b[^\n]{{0,40}}\b{_WHAT}\b"
    # Numbered passages, and rows of an index.
    r"|^\s*\[(?:doc(?:ument)?\s*)?\d+\]"
    r"|\"(?:page_content|snippet|chunk|passage|score|excerpt)\\?\"\s*:"
    r"|\"type\\?\":\s*\\?\"(?:document|search_result)\\?\"",
    re.IGNORECASE | re.MULTILINE,
)

_LOOKED_AT = 20_000
"""Characters of what changed that are looked at."""
_BEFORE = 3
"""Lines ahead of what changed that may announce it."""
_ANNOUNCED = 150
"""Characters from which on what changed may be what the lines ahead of it announce; less is an edit."""
_EXCHANGED_LINES = 4
_EXCHANGED = 800
"""Lines and characters from which on a stretch that was exchanged as a whole is content and no edit."""


def looks_retrieved(segment: Segment, now: Fingerprint, then: Fingerprint) -> bool:
    """Whether the part of `segment` that the earlier one does not have reads like something retrieved for this call."""
    parts = pieces(segment.text)
    start = common(now.sketch, then.sketch)
    known = set(then.sketch)
    changed = [i for i, piece in enumerate(now.sketch) if i >= start and piece not in known]
    if not changed or not parts:
        return False
    first, last = changed[0], min(len(parts) - 1, changed[-1])
    begin, end = parts[first][0], parts[last][0] + len(parts[last][1])
    text = segment.text[begin : min(end, begin + _LOOKED_AT)]
    if _RETRIEVED.search(text):
        return True
    if end - begin >= _ANNOUNCED and _RETRIEVED.search(segment.text[parts[max(0, first - _BEFORE)][0] : begin]):
        return True
    theirs = set(now.sketch)
    gone = sum(piece not in theirs for piece in then.sketch)
    # Where nothing stays there is no template that something was put into: the text was rewritten.
    stays = start > 0 or len(changed) < len(now.sketch)
    return stays and len(changed) >= _EXCHANGED_LINES and gone >= _EXCHANGED_LINES and end - begin >= _EXCHANGED
