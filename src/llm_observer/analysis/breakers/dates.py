"""Dates and clock times, in the formats that people, loggers and protocols write.

A date is looked for only near a year or a clock time: `_ANCHOR` finds those in one pass, the patterns that cost more run
in a window around each. Every quantifier is bounded or possessive, so the time is linear in the text.
"""

# ruff: noqa: RUF001, RUF003 - full-width and look-alike punctuation is what people write dates with
import re
from collections.abc import Iterator

from llm_observer.analysis.breakers.names import is_month, is_weekday

__all__ = ["find_dates"]

# How far a date may reach to either side of its year or clock, in characters.
_REACH = 72

_ANCHOR = re.compile(
    r"(?:19[7-9]|2[05][0-9])[0-9]|[0-9]:[0-5][0-9]|[0-9][hH時时點点시]|[0-9] ?[时時시] ?[0-9]|(?:令和|平成|民[国國])[0-9元]"
)

_YEAR = r"(?:19[7-9][0-9]|20[0-9]{2})"
_MONTH = r"(?:1[0-2]|0?[1-9])"
_MONTH2 = r"(?:1[0-2]|0[1-9])"
_DAY = r"(?:3[01]|[12][0-9]|0?[1-9])"
_DAY2 = r"(?:3[01]|[12][0-9]|0[1-9])"
# A word of any script: letters and their marks, so no spaces, digits or ASCII punctuation. Thai months are abbreviated "ม.ค.".
_WORD = r"(?:[ก-๛]{1,3}\.[ก-๛]{1,3}|[^\s0-9!-/:-@\[-`{-~،。、，（）「」]{2,24}+)"
_ORDINAL = r"(?:st|nd|rd|th|er|re|º|ª|°|\.|-?[eaoй]|-?го|-án|-én|- én)?"

_CORE = re.compile(
    rf"""
    (?<![0-9A-Za-z_]) (?: (?<![0-9A-Za-z][-.:/+]) | (?<=[A-Za-z][-:/.]) )
    (?:
      (?P<ymd> {_YEAR} (?P<s>[-/._:]) {_MONTH} (?P=s) {_DAY} (?![0-9]) )
    | (?P<compact> {_YEAR}{_MONTH2}{_DAY2} (?= [Tt_-]?[0-2][0-9][0-5][0-9] | (?![0-9]) ) )
    | (?P<week> {_YEAR}-?W[0-5][0-9]-?[1-7] (?![0-9]) )
    | (?P<ordinal> {_YEAR}-[0-3][0-9]{{2}} (?=T[0-9]{{2}}:?[0-9]{{2}}) )
    | (?P<cjk> (?: [0-9]{{2,4}} | (?:令和|平成|民[国國])\ ?[0-9元]{{1,3}}) \ ?[年년]\ ?{_MONTH}\ ?[月월]\ ?{_DAY} (?:\ ?[日일號号])? )
    | (?P<viet> {_DAY}\ th[áa]ng\ {_MONTH}(?:,|\ năm)?\ {_YEAR} )
    | (?P<dmy> (?P<a>[0-3]?[0-9]) (?P<t>[-/.]) \ ?(?P<b>[0-3]?[0-9]) (?P=t) \ ?(?P<y>[12][0-9]{{3}} | [0-9]{{2}}) (?![0-9]) )
    | (?P<dwy> {_DAY}{_ORDINAL}[\ \u00a0/-]{{0,2}} (?:(?:de|of|di|del|den|i|d')[\ ])? (?P<w1>{_WORD}) \.?,?
        (?: [\ \u00a0/-]{{1,2}} | \ del?\ | \ d\.\ )? (?:(?:19[7-9]|2[05][0-9])[0-9] | (?<=-)[0-9]{{2}}) (?![0-9]) )
    | (?P<ywd> {_YEAR}\.?,?[\ /-] (?:m\.\ |m\ |y\.\ )? (?P<w3>{_WORD})\.?[\ /-]{_DAY}{_ORDINAL} (?![0-9]) )
    | (?P<wdy> (?P<w2>{_WORD})\.?[\ \u00a0/-]{{1,2}}{_DAY}{_ORDINAL} (?: ,?\ {{1,2}} | [-/،] | ،\ ) {_YEAR} (?![0-9]) )
    )
    """,
    re.VERBOSE,
)

_CLOCK_BODY = r"""(?:
      (?:上午|下午|午前|午後|凌晨|晚上|早上|中午|오전|오후|[AaPp]\.?[Mm]\.?)\ ?
    )?
    (?: (?:2[0-4]|[01]?[0-9]):[0-5][0-9] (?: :[0-6][0-9] (?:[.,:][0-9]{1,9})? )? (?![0-9:])
    |   (?:2[0-4]|[01]?[0-9])\ ?[时時點点시] (?:\ ?[0-5]?[0-9] (?:\ ?[分분] (?:\ ?[0-6]?[0-9]\ ?[秒초])?)? )?
    |   (?:2[0-4]|[01]?[0-9])\ ?[hH](?:[0-5][0-9])?(?![0-9A-Za-z])
    )
    (?: [\ \u00a0\u202f]? (?: [AaPp]\.?\ ?[Mm]\b\.? | Uhr\b | น\. | مساءً|صباحًا|مساء|صباحا|[صم]\b | h\b | год\b | π\.?μ\.? | μ\.?μ\.? ) )?
"""

# From the end of a date to a clock behind it: white space, marks, and the small words of many languages.
_TIME_AFTER = re.compile(
    rf"""
    (?: (?P<rfc> [\ ,] )? ) (?:
      [Tt_:]
    | (?: \.|[-\ \u00a0,،|@·/–] ){{0,3}} (?: (?: \ ?(?:г|р|р\.|г\.|року|года|roku|m\.|т)[\ ,] )? \ ? (?:
        at|um|à|às|as|a\ las|a\ la|om|kl\.?|klo|v|o|о|у|ў|в|alle(?:\ ore)?|ore|saat|klo|ve|le|ob|în|la|στις|pukul|jam|ng|lúc|vào\ lúc|
        الساعة|بשעה|בשעה|ב|वाजे|को|เวลา|kell|plkst\.?|óra|ura|um\ klukkan|ora|time:?|協定世界時|协调世界时|UTC|협정\ 세계시
      ) [\ :]? )? \ ?
    )
    (?P<clock> {_CLOCK_BODY} )
    """,
    re.VERBOSE,
)

# A compact time behind a compact date: 20260419T181107Z, 20260925_130856, 20260925130856.
_COMPACT_TIME = re.compile(r"[Tt_-]?(?:2[0-4]|[01][0-9])[0-5][0-9](?:[0-6][0-9](?:[.,_-]?[0-9]{3,6})?)?(?![0-9])")
# T10, T10:11:12 written for URLs (10%3A11%3A12) or file names (10-11-12).
_ISO_TIME = re.compile(
    r"[T_ -](?:2[0-4]|[01][0-9])(?:(?P<q>-|%3A|\.|_)[0-5][0-9](?:(?P=q)[0-6][0-9])?(?:[.,-][0-9]{1,9})?)(?![0-9])"
)

_ZONE = re.compile(
    r"""
    (?: [\ \u00a0\u202f]? (?: Z(?![A-Za-z0-9])
        | \(? (?:UTC|GMT) (?: \ ?[+\-−][0-9]{1,2}(?::?[0-9]{2})? )? (?![A-Za-z0-9]) \)?
        | [+\-−][0-9]{2}(?::?[0-9]{2})? (?![0-9-])
        | (?-i:CES?T|EES?T|WES?T|[ECMP][SD]?T|BST|IST|JST|KST|CST|HK[ST]T?|SGT|A[EWC][SD]T|NZ[SD]T|MSK|PKT|WIB|HST|AK[SD]T|BRT|ART|SAST)\b
        | %2B[0-9]{2}(?:%3A)?[0-9]{2} | (?:협정\ )?세계시|協定世界時|协调世界时|世界标准时间|temps\ universel(?:\ coordonné)?
      )
    )
    (?: \ ?[+\-−][0-9]{2}:?[0-9]{2} (?![0-9]) )?
    (?: \ \( (?: [A-Z]{2,5} | [A-Z][^()\n]{2,40}\ Time ) \) )?
    """,
    re.VERBOSE,
)

_CJK_DAY = r"星期[一二三四五六日天]|[周週礼][一二三四五六日天]|[月火水木金土日]曜日?|[월화수목금토일]요일"
_DAY_AFTER = re.compile(
    rf"\ ?(?:[(（](?:[日月火水木金土一二三四五六일월화수목금토]|{_CJK_DAY})[)）]|{_CJK_DAY}|,?\ ?\(?(?P<w>{_WORD})\)?(?=[\s,،]))"
)
_DAY_BEFORE = re.compile(
    rf"(?:(?P<cjk>{_CJK_DAY})\ ?|(?<![^\s\"'(\[<*_:>=,«“「])(?P<w>{_WORD})\.?[,،]?\ (?:(?:den|the|d\.|le|el|de|dne|kl|dia|día)\ )?)\Z"
)
_TIME_BEFORE = re.compile(
    rf"(?<![0-9A-Za-z:.])(?:{_CLOCK_BODY})(?:\ ?(?:UTC|GMT|Z|[A-Z]{{2,4}}T))?(?:,|\ on|\ of|\ am|\ le|\ -|,\ on)?\ \Z",
    re.VERBOSE,
)

# Month and day without a year count with a clock behind: syslog, ctime, "22 Feb 10:11".
_YEARLESS = re.compile(
    rf"""(?<![0-9A-Za-z_])(?:
      (?P<w2>{_WORD})\.?\ {{1,2}}{_DAY}{_ORDINAL}(?P<year1>,?\ {_YEAR})?
    | {_DAY}{_ORDINAL}[\ -](?P<w1>{_WORD})\.?(?:[\ -][0-9]{{2}})?
    | {_MONTH}月{_DAY}日
    | {_MONTH}[-/.]{_DAY}
    )
    (?: ,?[\ T:] (?:at\ |um\ )? (?P<clock>{_CLOCK_BODY}) )""",
    re.VERBOSE,
)
_YEAR_AFTER = re.compile(rf"\ {_YEAR}(?![0-9])")
_CLOCK = re.compile(rf"(?<![0-9A-Za-z_:.,/+%-])(?<!::)(?:{_CLOCK_BODY})", re.VERBOSE)
# Google's log prefix: I0324 10:11:12.123456
_GLOG = re.compile(rf"(?<![0-9A-Za-z_])[IWEF]{_MONTH2}{_DAY2}\ [0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{{6}}")

_NOW = re.compile(
    r"(?:\b(?:time|now|clock|date|as\ of|at|updated|since|until|started|ended|Uhrzeit|heure|hora|ora|tijd|сейчас|время)|時間|时间|時刻|现在|現在|시간|시각)"
    r"[\"'*_`)\]]{0,3}\s?(?:\([^()\n]{0,30}\))?(?:is|was|:|=|ist|est|es|è|は|是|为|為|-)?[\s:=\"'`(\[*]{0,4}\Z",
    re.IGNORECASE,
)


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """The stretches of the text in which a date can lie."""
    begin = end = -1
    match = _ANCHOR.search(text)
    while match:
        at = match.start()
        if begin < 0 or at - _REACH > end:
            if begin >= 0:
                yield begin, end
            begin = max(0, at - _REACH)
        end = min(len(text), at + _REACH)
        match = _ANCHOR.search(text, max(match.end(), end - 8))
    if begin >= 0:
        yield begin, end


def _plausible(match: re.Match[str]) -> bool:
    """Whether a match of `_CORE` is a date and no version, fraction or identifier, apart from what surrounds it."""
    kind = match.lastgroup
    if kind in {"dwy", "w1"} or match["w1"]:
        return is_month(match["w1"])
    if match["w2"]:
        return is_month(match["w2"])
    if match["w3"]:
        return is_month(match["w3"])
    if match["dmy"]:
        a, b = int(match["a"]), int(match["b"])
        return 1 <= min(a, b) <= 12 and 1 <= max(a, b) <= 31
    return True


def find_dates(text: str) -> list[tuple[int, int, str]]:
    """Dates and times in `text` as `(start, end, kind)`, sorted; the kind is `datetime`, `date` or `clock`."""
    found: list[tuple[int, int, str]] = []
    for begin, end in _windows(text):
        last = found[-1][1] if found else 0
        found.extend(_in_window(text, max(begin, last), end))
    return found


def _in_window(text: str, begin: int, end: int) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    at = floor = begin
    limit = min(len(text), end + _REACH)
    while match := _CORE.search(text, at, limit):
        at = match.start() + 1
        if not _plausible(match):
            continue
        span = _grow(text, match, floor)
        if span is None:
            continue
        found.append(span)
        at = floor = span[1]
    found.extend(_clocks(text, begin, limit, found))
    found.sort()
    return found


def _grow(text: str, match: re.Match[str], floor: int) -> tuple[int, int, str] | None:
    """The date of `match` with its weekday, clock and zone; `None` where it turns out to be part of an identifier."""
    start, end = match.span()
    day = _DAY_AFTER.match(text, end)
    after = day.end() if day and (not day["w"] or is_weekday(day["w"])) else end
    kind = "date"
    clock = (
        (match["compact"] and _COMPACT_TIME.match(text, end))
        or _TIME_AFTER.match(text, after)
        or _ISO_TIME.match(text, end)
    )
    if clock:
        kind = "datetime"
        end = clock.end()
        if zone := _ZONE.match(text, end):
            end = zone.end()
    else:
        end = after
        if match["compact"] or _in_identifier(text, start, end):
            return None
        if match["dmy"] and len(match["y"]) == 2:
            return None
    head = text[max(floor, start - 40) : start]
    if before := _DAY_BEFORE.search(head):
        if before["cjk"] or is_weekday(before["w"]):
            start -= len(head) - before.start()
            head = head[: before.start()]
    if kind == "date" and (before := _TIME_BEFORE.search(head)):
        kind = "datetime"
        start -= len(head) - before.start()
    return start, end, kind


def _in_identifier(text: str, start: int, end: int) -> bool:
    """Whether letters are joined to the date: `gpt-4o-2024-08-06`, `2026-03-24.csv`, `/specification/2025-06-18/`."""
    before = text[start - 1] if start else " "
    if before in "-_./" and start > 1 and (text[start - 2].isalnum() or before == "/"):
        return True
    after = text[end] if end < len(text) else " "
    if after.isascii() and after.isalnum():
        return True
    following = text[end + 1] if end + 1 < len(text) else " "
    return after in "-_./" and following.isascii() and following.isalnum()


def _clocks(text: str, begin: int, limit: int, taken: list[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """Times with a day and month but no year, log prefixes, and clocks that stand alone."""
    edges = [(start, end) for start, end, _ in taken]
    edges.append((limit, limit))
    at = begin
    for start, end in edges:
        yield from _clocks_between(text, at, start)
        at = end


def _clocks_between(text: str, at: int, limit: int) -> Iterator[tuple[int, int, str]]:
    begin = at
    while match := _YEARLESS.search(text, at, limit):
        word = match["w1"] or match["w2"]
        if word and not is_month(word):
            at = match.start() + 1
            continue
        start, end = match.span()
        if not word and text[start:end].find("月") < 0 and text.count(":", start, end) < 2:
            at = match.start() + 1
            continue
        yield from _alone(text, begin, start)
        if zone := _ZONE.match(text, end):
            end = zone.end()
        if year := _YEAR_AFTER.match(text, end):
            end = year.end()
        head = text[max(begin, start - 40) : start]
        if (before := _DAY_BEFORE.search(head)) and (before["cjk"] or is_weekday(before["w"])):
            start -= len(head) - before.start()
        yield start, end, "datetime"
        begin = at = end
    yield from _alone(text, begin, limit)


def _alone(text: str, at: int, limit: int) -> Iterator[tuple[int, int, str]]:
    """Clocks without a date: with seconds, or where the words before say that it is the time now."""
    while match := _CLOCK.search(text, at, limit):
        at = match.end()
        start, end = match.span()
        seconds = text.count(":", start, end) == 2
        if not seconds and not _NOW.search(text[max(0, start - 48) : start]):
            continue
        if zone := _ZONE.match(text, end):
            end = at = zone.end()
        yield start, end, "clock"
