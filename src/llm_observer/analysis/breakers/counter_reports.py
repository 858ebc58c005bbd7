"""Counters told by a report: what was done to how many, what became of one of many, how many are in which state."""

# ruff: noqa: E501, SIM905 - one line of a pattern is one alternative; a list of words reads best as text

import re

from llm_observer.analysis.breakers.counter_words import CONDITIONS

__all__ = ["reports"]

# What programs say they did with how many: "Fetched 12 conversations". People who tell of their work add and fix.
_DID = frozenset(
    """
    processed collected fetched loaded received sent got read wrote written skipped dropped indexed scanned parsed matched
    imported exported queued enqueued dequeued retrieved inserted deleted evicted flushed published consumed synced
    downloaded uploaded saved discovered detected executed completed handled committed persisted acknowledged purged expired
    retried cached migrated replayed deselected discarded rejected accepted pulled pushed polled delivered crawled embedded
    ingested extracted emitted omitted recorded restored reclaimed compacted archived spawned
    """.split()
)
# A report begins its line or clause with what was done, or says before it how it went.
_BEGINS = re.compile(
    r"(?:\A|[\n\]>|:;,(\"']|[\n ][-\u2013*\u2022\u2713\u2714]|\b(?:successfully|already|total|finished))\s{0,2}[a-z]{3,12}\s(?:a total of\s)?\Z"
)
# "Finished fetching 765 conversations", "got 120 nodes and 33 records".
_DOING = frozenset(
    "processing fetching loading reading writing indexing importing exporting uploading downloading scanning parsing sending".split()
)
_AFTER_ALL = re.compile(r"\b(?:finished|done|completed) [a-z]{3,12}ing \Z")
_AS_WELL = re.compile(r"\b(?P<did>[a-z]{3,12}) [0-9][0-9,]{0,9} [^.;:\n]{0,28}\band \Z")
# In a line of a log it may be anything; "Collected 12 stamps as a boy" is told of a person.
_LOGGED = re.compile(r"[\]>|\"=]\s{0,2}[a-z]{3,12}\s(?:a total of\s)?\Z|: [a-z]{3,12}\s\Z")
_KEPT = frozenset(
    """
    records rows files documents docs items entries messages events samples batches chunks tokens pages results requests packets
    objects keys users nodes jobs tasks tests lines segments vectors embeddings conversations articles posts videos images issues
    commits tickets orders emails notifications products links urls tables columns features rules alerts metrics traces spans
    logs blocks transactions frames patches artifacts assets feeds sources duplicates buffers methods functions symbols hits
    examples comments threads accounts customers artists retrievals keys partitions migrations dependencies packages modules
    repositories branches changes updates notes memories facts fields findings reviews exchanges sessions connections questions answers replies matches errors warnings
    """.split()
)
_PIECES = re.compile(
    r"(?:\(s\))?\s(?:[a-z][a-z-]{1,16}\s){0,3}?(?!seconds|minutes|hours|days|weeks|months|years|times|points|pixels|percents|stars|awards|bytes|degrees)(?P<what>[a-z][a-z-]{1,16}s)(?:\(s\)|\b)"
)
# What runs, comes and goes under a number of its own.
_NUMBERED = frozenset(
    """
    build deploy deployment execution session connection worker thread job task request query txn transaction batch shard checkpoint
    container client attempt case snapshot packet lease slot xid retry call loop cycle conn tx cmd command process pid
    trial episode epoch iteration poll fiber goroutine subscription stream channel migration sprint
    """.split()
)
# "Build 4812 passed", "worker 12: shutting down"; a plan says what is required and an explanation what is called so.
_BECAME = re.compile(
    r"(?::?\s)(?:has\s|have\s|had\s|was\s|is\s|were\s|been\s|now\s|just\s|successfully\s){0,2}"
    r"(?!required|needed|used|called|based|related|described|named|listed|defined|supported|recommended|specified|expected|allowed|mentioned|"
    r"numbered|reserved|limited|titled|shared|designed|intended|queued|dedicated|introduced|assigned|provided|planned|detailed|including|using|being|having|"
    r"meaning|regarding|concerning|following|according|something|anything|nothing|during)"
    r"(?:[a-z]{2,12}(?<!e)ed|sent|lost|done|overwritten|began|died|went|(?:runn|start|stopp|exit|clos|wait|shutt|retry|fail|finish|open|connect|process|sleep|abort)ing)\b"
    r"(?!\s(?:the|an?|it|them|this|that|his|her|its|their|our|your|all|two|three|people|candidates|per)\b)"
)
# The states that things are listed by: "7 subtasks open, 20 done". What a test run came to, "1234 passed", it comes to
# again.
_STATE = re.compile(
    r"\s(?:[a-z]{3,12}s\s)?(?:deselected|succeeded|done|open|flagged|completed|complete|finished|cancell?ed|closed|merged|"
    r"dropped|stale|retried|rejected|blocked|archived|online|offline|connected|ready|unhealthy|healthy|selected|affected|returned|alive|evicted|overdue|firing|silenced|acknowledged|free|used|remaining|left)"
    r"(?=\s?[,;|)\]/]|\.?\s*\Z|\.?\n|\sin\s(?:[0-9]|$)|\s=)"
)
_LISTED = re.compile(r"(?:[,;(|\[]|(?<![0-9]) ?/ |[:=]|\band|\n|\A)\s{0,2}\Z")
# "aborted after 8 tries": a report of what came about, no rule for when it will.
_AFTER = re.compile(
    r"(?<!is )(?<!are )(?<!be )(?<!been )(?<!gets )(?<!if )\b(?:[a-z]{3,12}ed|gave up|converged|reported back|died)!? after \Z"
)
_AFTER_HOW_MANY = re.compile(
    r"\s(?:failed |consecutive |unsuccessful )?(?:tries|attempts|retries|epochs|iterations|steps|turns|rounds|cycles|polls|generations)\b"
)
# "Review: 2 of 12 done".
_OF_ALL = re.compile(
    r"(?:/| of )[0-9]{1,7} (?:done|completed?|finished|processed|exhausted|resolved|remaining|left)(?=\s?[,.;)|\n]|\s*\Z)|(?: of )[0-9]{1,7} (?:attempts|tries|steps|tasks|turns) (?:used|exhausted|done|completed?)\b"
)
# "processed 39318 records, skipped 6".
_AND = re.compile(
    r"[0-9][^.\n]{0,24}[,;/|] (?:skipped|failed|dropped|deleted|updated|inserted|rejected|queued|retried) \Z"
)
_ENDS = re.compile(r"[,;.)]?(?:\s|\Z)")
# What a person has at the moment, in whatever program: "You have 6 upcoming appointments".
_HAS = re.compile(r"\b(?:you|user|customer|player|client|we|i) (?:currently |now |still |also )?(?:have|has) \Z")
_OWNS = re.compile(
    r"\s(?:(?:unread|unprocessed|pending|active|upcoming|overdue|outstanding|unfinished|incomplete|unanswered|unresolved|queued|uncommitted|scheduled|ongoing)\s[a-z]{3,16}"
    r"|(?:reminders|notifications|appointments|emails|messages|todos|coins|gems|units|followers|subscribers|bookmarks|drafts|(?:reminder|notification|appointment|email|message|todo)\(s\))(?!\sof\b)"
    r"|[a-z]{3,14}s? (?:in (?:your|the) (?:inbox|cart|basket|queue|backlog|hand|list)|ahead of|online|waiting))"
)
# "The retry queue has 40 items".
_HOLDS = re.compile(
    r"\b(?:queue|inbox|cart|basket|backlog|conversation|history|buffer|mailbox|session|chat|thread) (?:now |currently |already )?(?:has|holds|contains|has had) \Z"
)
_HELD = re.compile(r"\s(?:[a-z]{3,12}\s)?[a-z]{3,14}s\b")
# "(78 found)", "(54 findings)".
_TOLD = re.compile(
    r"\s(?:[a-z]{3,12}\s)?(?:found|findings|matches|hits|unread|pending|remaining|left|new|in total|so far|[a-z]{3,12}s\s[a-z]{2,12}ed)\)"
)
# "Conversation history (54 exchanges)".
_TALKED = frozenset("history conversation transcript thread chat memory backlog messages exchanges".split())
_LONG = re.compile(r"\s?(?:[a-z]{3,12}\s)?(?:[a-z]{3,12}s|total)?\)")
# "restarted 2 times in the last hour".
_OFTEN = re.compile(r"\stimes (?:in the last|over the last|since|so far|today|during|within the last)\b")
_HAPPENED = re.compile(r"\b[a-z]{3,12}ed \Z")
# "(651 events)" behind what was done.
_DONE_WITH = re.compile(r"\b(?:[a-z]{2,12}(?:ed|ing)|sent)\b[^()\n]{0,24}\(\Z")
_COUNTED = re.compile(
    r"\s(?:[a-z]{3,12}\s)?(?:events|records|rows|items|messages|entries|documents|docs|chunks|files|hits|tokens|requests|errors|packets|samples|results|matches|tasks|jobs)\)"
)
# "Epoch 7 loss 0.33", "episode 12, reward 3".
_MEASURED = re.compile(
    r"[,:|]?\s{1,3}(?:[-|]\s)?(?:[a-z]{1,8}[ _])?(?:loss|acc|accuracy|reward|fitness|perplexity|lr|return|score)[ :=]{1,3}-?[0-9]"
)
_TRAINS = frozenset("epoch iter iteration step episode generation trial batch".split())
# "You have used 43% of your budget".
_USED = re.compile(r"\b(?:have|has|'ve) (?:already )?(?:used|consumed|spent) \Z")
_SHARE = re.compile(r"(?:\.[0-9]{1,2})?(?:%|\s?[KMGT]i?B|\s[a-z]{3,12}s) (?:of|out of|on this|so far|in)\b")
# "Your previous 4 attempts were rejected".
_PREVIOUS = re.compile(r"\b(?:previous|prior|earlier) \Z")
_TRIED = re.compile(
    r"\s(?:attempts|tries|retries|turns|messages|calls|runs|iterations|rounds)\s(?:were|have|had|failed|did|all)\b"
)
# "Started Session 122 of user root", "New session 45 of user deploy".
_LOGIN = re.compile(r"\b(?:started|starting|new|removed|closed|ended|opened|stopped) session \Z")

# What a number of a list stands behind.
_MARKS = frozenset((",", ";", "(", "|", "[", "/", ":", "=", "\n", ""))
_COLONS = frozenset(":=(|")
_SPACES = frozenset(" \n/")
_HELPERS = frozenset("used consumed spent previous prior earlier have has had holds contains and".split())
_WORDS = _DID | _DOING | _NUMBERED | _TRAINS | _HELPERS


def reports(text: str, end: int, low: str, words: list[str]) -> bool:
    """Whether the number that ends at `end` is part of a report; `low` stands before it, `words` are its last."""
    last = words[-1] if words else ""
    if last in _WORDS and low[-1:] in {" ", "#"} and low[:-1].rstrip(" #").endswith(last):
        if _is_of_word(text, end, low, words, last):
            return True
        if last != "and":
            return False
    if last == "after":
        return _AFTER_HOW_MANY.match(text, end) is not None and _AFTER.search(low) is not None
    if last.endswith("ed") and _OFTEN.match(text, end):
        return _HAPPENED.search(low) is not None
    mark = low.rstrip(" *")[-1:]
    if mark not in _MARKS and last != "and":
        return False
    if mark == "(":
        talked = (
            last in _TALKED
            and text[end - 2 : end + 1] != f"({text[end - 1 : end]})"
            and low.rstrip(" (").endswith(last)
            and _LONG.match(text, end) is not None
        )
        if talked or _TOLD.match(text, end) or (_COUNTED.match(text, end) and _DONE_WITH.search(low)):
            return True
    if text[end : end + 1] not in _SPACES:
        return False
    if mark in _COLONS and _OF_ALL.match(text, end):
        return True
    return _STATE.match(text, end) is not None and _LISTED.search(low) is not None


def _is_of_word(text: str, end: int, low: str, words: list[str], last: str) -> bool:
    """Whether `last`, which stands next to the number, and what is behind it make a report."""
    if last in _DID and (pieces := _PIECES.match(text, end)) and _BEGINS.search(low):
        return pieces["what"] in _KEPT or _LOGGED.search(low) is not None
    if last in _DOING or last == "and":
        pieces = _PIECES.match(text, end)
        if not pieces or pieces["what"] not in _KEPT:
            return False
        if last in _DOING:
            return _AFTER_ALL.search(low) is not None or _BEGINS.search(low) is not None
        return (begins := _AS_WELL.search(low)) is not None and begins["did"] in _DID
    if last in _DID:
        return _ENDS.match(text, end) is not None and _AND.search(low) is not None
    if last in _NUMBERED and (
        (_BECAME.match(text, end) and CONDITIONS.isdisjoint(words)) or (last == "session" and _LOGIN.search(low))
    ):
        return True
    if last in _TRAINS:
        return _MEASURED.match(text, end) is not None
    if last in {"used", "consumed", "spent"}:
        return _SHARE.match(text, end) is not None and _USED.search(low) is not None
    if last in {"have", "has", "had", "holds", "contains"}:
        return (_OWNS.match(text, end) is not None and _HAS.search(low) is not None) or (
            _HELD.match(text, end) is not None and _HOLDS.search(low) is not None
        )
    return _TRIED.match(text, end) is not None and _PREVIOUS.search(low) is not None
