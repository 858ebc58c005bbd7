"""The patterns that `dates` puts together: a date, a clock, a zone, a weekday, and what joins them.

Named months and weekdays are matched as any word here and looked up in `names`.
"""

# ruff: noqa: E501, RUF001, RUF003 - one line of a pattern is one alternative; full-width marks and letters of other scripts are what dates are written with

import re

__all__ = [
    "ANNOUNCES",
    "AT",
    "CLOCK",
    "CLOCK_BEFORE",
    "COMPACT_CLOCK",
    "CORE",
    "DAY_AFTER",
    "DAY_BEFORE",
    "FAR_ANNOUNCES",
    "FOREIGN_CLOCK",
    "FOREIGN_DATE",
    "GLOG",
    "IT_IS",
    "MOMENT",
    "NUMERALS",
    "PATH_CLOCK",
    "SHORT_DAY",
    "TIME_AFTER",
    "TIME_ANNOUNCES",
    "TODAY",
    "VERSION_BEFORE",
    "YEARLESS",
    "YEAR_AFTER",
    "ZONE",
]

_S = r"[\ \u00a0\u202f]"
_YEAR = r"(?:19[7-9][0-9]|20[0-9]{2})"
# Thai dates count from 543 BC, so 2026 is 2569.
_ANY_YEAR = r"(?:(?:19[7-9]|20[0-9]|25[5-9])[0-9])"
_MONTH = r"(?:1[0-2]|0?[1-9])"
_MONTH2 = r"(?:1[0-2]|0[1-9])"
_DAY = r"(?:3[01]|[12][0-9]|0?[1-9])"
_DAY2 = r"(?:3[01]|[12][0-9]|0[1-9])"
# A word of any script: letters and their marks, so no spaces, digits or punctuation. Thai months are abbreviated "ม.ค.".
_WORD = r"(?:(?:كانون|تشرين)\ ال\w{3,5}|[ก-๛]{1,3}\.[ก-๛]{1,3}|[^\s0-9!-/:-@\[-`{-~،。、，：（）「」’“”„«»–—·]{2,24}+)"
_ORDINAL = r"(?:(?:st|nd|rd|th|er|re|a|án|én|го|-[eaoй]|-го|-án|-én|d\.)(?![^\W\d_])|\(a\)|\.|º|ª|°)?"
# "of" between day, month and year.
_OF = r"(?:(?:day\ of|de|of|di|del|den|do|i|í)[\ ]|d['’]|de\ l['’])"
# What Slavic, Baltic, Turkic, Basque and Armenian writers put behind a year: "2026 г.", "2026 m.", "2026. gada".
_YEAR_MARK = rf"(?:\.?{_S}?(?:г|р|ж|թ|m|y|d|r|gada|წლის|year|року|года|roku)\b\.?|(?:\(e\))?ko|\.)"
_HALF = (
    r"(?:[AaPp](?:[Mm]\b|\.\ ?[Mm]\b\.?)|Uhr\b|น\.|(?:مساءً|صباحًا|مساء|صباحا|[صم])(?!\w)|h\b|год\b|π\.?μ\.?|μ\.?μ\.?|PT?G\b|p\.d\.|m\.d\.|"
    r"SA\b|CH\b|fm\b|em\b|ip\.|ap\.|पूर्वाह्न|अपराह्न|बजे|ከሰዓት|ጥዋት|ч\.)"
)
_HALF_FIRST = r"(?:上午|下午|午前|午後|凌晨|晚上|早上|中午|오전|오후|[AaPp]\.?[Mm]\b\.?)"
# A word of another script or with an accent, such as "à", "の", "रोजी".
_FOREIGN = r"[^\W0-9A-Za-z_][^\s0-9!-/:-@\[-`{-~،。、，：（）]{0,11}+"
_HOUR = r"(?:2[0-4]|[01]?[0-9])"

_CLOCK = rf"""(?:{_HALF_FIRST}\ ?)?
    (?: {_HOUR}:[0-5][0-9] (?: :[0-6][0-9] (?:[.,:][0-9]{{1,9}})? )? (?![0-9]|:[0-9]|[0-9A-Fa-f]:)
    |   {_HOUR}\ ?[时時點点시] (?:\ ?[0-5]?[0-9] (?:\ ?[分분] (?:\ ?[0-6]?[0-9]\ ?[秒초])?)? )?
    |   {_HOUR}\ ?[hH][0-5][0-9] (?:min|m?[0-5][0-9]s?|m)? (?![0-9A-Za-z])
    |   {_HOUR}\ h\ [0-5][0-9] (?:\ min(?:\ [0-5][0-9]\ s)?)? (?![0-9A-Za-z])
    )
    (?: {_S}? {_HALF} )?"""
# Behind a date the points of "7.52.42" cannot be a version.
_CLOCK_AFTER = rf"""(?: {_CLOCK}
    | {_HOUR}\.[0-5][0-9](?:\.[0-5][0-9](?:\.[0-9]{{3,9}})?)? (?:{_S}?{_HALF})? (?![0-9%]|\.[0-9]|{_S}?(?:USD|EUR|GBP|CHF|SEK|NOK|DKK|PLN|CZK|HUF|TRY|RUB|INR|CNY|JPY|BRL|kr|zł)\b)
    | {_HOUR}\ ?h(?![0-9A-Za-z])
    | (?<=[0-9]T)[0-2][0-9](?![0-9A-Za-z])
    | {_HOUR}{_S}?(?:[AaPp](?:[Mm]\b|\.\ ?[Mm]\b\.?)|Uhr\b|o'clock)
    )"""

CORE = re.compile(
    rf"""
    (?: (?<![0-9A-Za-z]) (?: (?<![0-9A-Za-z][-.:/+]) | (?<=[A-Za-z][-:/.]) | (?<=(?m:^)[0-9]:) | (?<=(?m:^)[0-9]{{2}}:) | (?<=(?m:^)[0-9]{{3}}:) ) | (?<=\\[nrt]) )
    (?:
      (?=[12][0-9]) {_YEAR} (?:
          (?P<ymd> (?P<s>[-/._:]) {_MONTH} (?P=s) {_DAY} (?![0-9]) | \.\ {_MONTH}\.\ {_DAY} (?![0-9]) )
        | (?P<compact> {_MONTH2}{_DAY2} (?= [Tt_-]?[0-2][0-9][0-5][0-9] | [ T_-][0-2][0-9]:[0-5][0-9] | T[0-2][0-9](?![0-9]) | (?![0-9A-Za-z_-]) ) )
        | (?P<week> -?W[0-5][0-9]-?[1-7] (?![0-9]) )
        | (?P<ordinal> -?[0-3][0-9]{{2}} (?=T[0-9]{{2}}:?[0-9]{{2}}) )
        | (?P<ydm> (?:-?{_YEAR_MARK},?|,)? {_S} {_DAY} \.? (?:{_S}|-) (?P<word4>{_WORD}) \.? )
        | (?P<ymd2> {_YEAR_MARK}? ,? [\ \u202f/-] (?P<word3>{_WORD}) \.? [\ /-] {_DAY} (?![0-9]) {_ORDINAL} (?:{_S}d\.)? )
        )
    | (?=[0-9]) (?:
          (?P<dmy> (?P<a>[0-3]?[0-9]) \u200f? (?P<t>[-/.]|\ (?=[0-9]{{1,2}}\ [12])) \ ?(?P<b>[0-3]?[0-9]) \u200f? (?P=t) \ ?(?P<y>[12][0-9]{{3}}|[0-9]{{2}})
            (?![0-9]) {_YEAR_MARK}? )
        | (?P<dwy> {_DAY} {_ORDINAL} ,? [\ \u00a0\u202f/-]{{0,2}} {_OF}? (?P<word1>{_WORD}) \.?[,،]?
            (?: [\ \u00a0\u202f/-]{{1,2}} | {_S}del?{_S} | \ d\.\ )? (?: (?:ค\.ศ\.|พ\.ศ\.)\ ? )?
            (?: {_ANY_YEAR} (?![0-9]) {_YEAR_MARK}? | (?<=-)[0-9]{{2}} (?![0-9]) ) )
        | (?P<cjk> [0-9]{{2,4}} \ ?[年년]\ ?{_MONTH}\ ?[月월]\ ?{_DAY} (?:\ ?[日일號号])? )
        | (?P<viet> {_DAY}\ [Tt]h(?:áng|ang|g)\ {_MONTH} (?: , | \ năm )?\ {_YEAR} )
        )
    | (?P<era> (?:令和|平成|民国|民國)\ ?[0-9元]{{1,3}}\ ?年\ ?{_MONTH}\ ?月\ ?{_DAY} (?:\ ?日)? )
    | (?P<wdy> (?P<word2>{_WORD}) \.?[\ \u00a0/-]{{1,2}} {_DAY} {_ORDINAL} (?: [,،]?\ {{1,2}} | [-/] ) {_YEAR} (?![0-9]) {_YEAR_MARK}? )
    )
    """,
    re.VERBOSE,
)

# From the end of a date to a clock behind it: white space, marks, and the small words of many languages.
TIME_AFTER = re.compile(
    rf"""
    (?:
      [Tt_:]
    | (?: \.|[-\ \u00a0\u202f\u200f,،|@·/–—(:] ){{0,3}} (?:
        at|um(?:\ klukkan)?|as|en|u|na|o\ godz\.|klokka|klockan|kello|a\ las?|a\ les|la|om|kl[.o]?|v|o|alle(?:\ ore)?|ore|saat|ve|le|ob|pukul|jam|pada|nang|ng|ag|am|ke|
        kell|plkst\.?|ora|time:?|UTC | {_FOREIGN}(?:\ {_FOREIGN})?
      )? [\ :]? \ ?
    )
    (?: {_CLOCK_AFTER} )
    """,
    re.VERBOSE,
)
# 20260419T181107Z, 20260925_130856, 20260925130856.
COMPACT_CLOCK = re.compile(
    r"(?:[Tt_-]?(?:2[0-4]|[01][0-9])[0-5][0-9](?:[0-6][0-9](?:[.,][0-9]{1,9}|[_-]?[0-9]{3,6})?)?|T(?:2[0-4]|[01][0-9]))(?![0-9:])"
)
# A clock written for a file name or a URL: 10-11-12, 10_11_12, 10%3A11%3A12.
PATH_CLOCK = re.compile(
    r"[T_. /-](?:2[0-4]|[01][0-9])(?P<q>-|%3A|\.|_)[0-5][0-9](?P=q)[0-6][0-9](?:[.,-][0-9]{1,9})?(?:Z|%2B[0-9]{2}(?:%3A)?[0-9]{2})?(?![0-9])"
)
ZONE = re.compile(
    rf"""
    (?: {_S}? (?: Z(?![A-Za-z0-9])
        | [(\[]? (?:UTC|GMT) (?: \ ?[+−-][0-9]{{1,2}}(?::?[0-9]{{2}})? )? (?![A-Za-z0-9]) [)\]]?
        | \(? [+−-][0-9]{{2}}(?::?[0-9]{{2}})? (?![0-9-]) \)? (?: \ [A-Z]{{3,5}}\b )?
        | \(? (?:CES?T|EES?T|WES?T|[ECMP][SD]?T|BST|IST|JST|KST|HK[ST]T?|SGT|A[EWC][SD]T|NZ[SD]T|MSK|PKT|WIB|HST|AK[SD]T|BRT|ART|SAST|MESZ|MEZ|HE[EC]|TU)\b \)?
        | (?:협정\ )?세계시|協定世界時|协调世界时|世界标准时间|temps\ universel(?:\ coordonné)?
        | \(? (?:[A-Z][a-z]+\ ){{1,3}}Time\b \)?
        | \(? (?:Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific|Etc)/[A-Za-z_]{{2,24}}(?:/[A-Za-z_]{{2,24}})? \)?
      )
    )
    (?: \ ?[+−-][0-9]{{2}}:?[0-9]{{2}} (?![0-9]) )?
    (?: \ \( (?: [A-Z]{{2,5}} | [A-Z][^()\n]{{2,40}}\ Time ) \) | \[[A-Z][A-Za-z]{{2,12}}(?:/[A-Za-z_]{{2,24}}){{0,2}}\] | \ m=[+-][0-9]{{1,9}}\.[0-9]{{9}} )?
    """,
    re.VERBOSE,
)

_CJK_DAY = r"星期[一二三四五六日天]|[周週礼][一二三四五六日天]|[月火水木金土日]曜日?|[월화수목금토일]요일"
_LONG_DAY = r"(?:bazar|çərşənbə|cümə)\ (?:ertəsi|axşamı)|(?:segunda|terça|quarta|quinta|sexta)-feira|יום\ \w{3,6}|[Tt]hứ\ \w{2,3}|Chủ\ [Nn]hật"
DAY_AFTER = re.compile(
    rf"{_S}?(?:[(（](?:[日月火水木金土一二三四五六일월화수목금토]|{_CJK_DAY})[)）]|{_CJK_DAY}|,?{_S}?\(?(?:{_LONG_DAY}|(?P<word>{_WORD}))(?:\)|(?=[\s,،.]|\Z)))"
)
DAY_BEFORE = re.compile(
    rf"(?:(?:{_CJK_DAY})\ ?|(?<![^\s\"'(\[<*_:>=,«“「])(?:(?:e|Dé|Dydd)\ )?(?:{_LONG_DAY}|(?P<word>{_WORD}))\.?[,،]?\ "
    r"(?:(?:den|the|d\.|le|el|de|dne|kl|dia|día|ngày)\ )?)\Z"
)
CLOCK_BEFORE = re.compile(
    rf"(?<![0-9A-Za-z:.])(?:{_CLOCK})(?:\ ?(?:UTC|GMT|Z|[A-Z]{{2,4}}T))?(?:,\ on|,|\ on|\ of|\ am|\ le|\ -|\ ngày)?\ \Z",
    re.VERBOSE,
)

# Month and day without a year count with a clock behind: syslog, ctime, "22 Feb 10:11".
YEARLESS = re.compile(
    rf"""(?:(?<![0-9A-Za-z_])|(?<=\\[nrt]))(?:
      (?P<word2>{_WORD})\.?\ {{1,2}}{_DAY}{_ORDINAL}
    | {_DAY}{_ORDINAL}[\ -](?P<word1>{_WORD})\.?(?:[\ -][0-9]{{2}})?
    | {_MONTH}月{_DAY}日
    | {_MONTH}[-/.]{_DAY}
    )
    (?: [,/]?[\ T:|] (?:(?:at|um|à|a\ las|às|alle|om|kl\.?|klo|v|o|о|у|в|saat|pukul|в)\ )? (?:{_CLOCK}) )""",
    re.VERBOSE,
)
# Python's repr of a moment.
MOMENT = re.compile(
    r"datetime\.datetime\([12][0-9]{3}(?:, [0-9]{1,2}){4,5}(?:, [0-9]{1,6})?(?:, tzinfo=[\w.]{1,40}(?:\(\w{0,40}\))?)?\)"
)
# Written in Chinese numerals; sought only where there is a 年.
NUMERALS = re.compile(
    r"[〇零○一二三四五六七八九]{4}年[一二三四五六七八九十]{1,3}月[一二三四五六七八九十廿卅]{1,4}[日號号]"
)
# "Today is Tuesday", "Today's date: Tuesday, March 24"; found by its literal.
_TODAY = (
    rf"(?:\ is:?|:|=)\ ?(?:the\ )?(?P<first>{_WORD}|{_DAY}{_ORDINAL})[,.]?"
    rf"(?:\ (?:the\ )?(?P<second>{_DAY}{_ORDINAL}|{_WORD})(?:\ (?:of\ )?(?P<third>{_DAY}{_ORDINAL}|{_WORD}))?)?"
)
TODAY = (
    re.compile(rf"oday(?:['’]s\ date)?{_TODAY}", re.VERBOSE),
    re.compile(rf"urrent\ (?:local\ )?date(?:\ and\ time)?{_TODAY}", re.VERBOSE),
)
# "Mar 24 14:33:02 2026", "Mar 24 14:33:02 2026 +0100".
YEAR_AFTER = re.compile(rf" {_YEAR}(?![0-9])")
# api-version=2024-10-21, "version 2024.1.2".
VERSION_BEFORE = re.compile(r"(?:(?:version|ver)[\"'\])]{0,2}[ :=]{1,3}[\"']?v?|[?&](?:sv|v)=)\Z", re.IGNORECASE)
CLOCK = re.compile(rf"(?:(?<![0-9A-Za-z_.,/+%-])(?<![\x00-\x7f]:)|(?<=\\[nrt]))(?:{_CLOCK})", re.VERBOSE)
# The prefix of Google's logging libraries: I0324 10:11:12.123456
GLOG = re.compile(rf"(?<![0-9A-Za-z_])[IWEF]{_MONTH2}{_DAY2} [0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{{6}}")

# "250106 03:12:28": the day before a clock in the logs of MySQL and Hadoop.
SHORT_DAY = re.compile(rf"(?:(?<!.)|(?<=\n)|[\s\[\"'])[0-9]{{2}}{_MONTH2}{_DAY2}\ \Z")

# Between what announces a value and the value.
_IS = r"[\"'*_`)\]>]{0,3}\s?(?:\([^()\n]{0,30}\))?(?:is|was|:|：|=|ist|est|es|è|는|은|は|是|为|為|-)?[\s:：=\"'`(\[*]{0,4}\Z"
# Behind a word that announces a value; behind "time" also "Hora actual: " and "Local time at the hotel: ".
ANNOUNCES = re.compile(_IS, re.IGNORECASE)
TIME_ANNOUNCES = re.compile(rf"(?: \w{{3,10}})?{_IS}", re.IGNORECASE)
FAR_ANNOUNCES = re.compile(r" [^\n.;:=]{1,28}[:=：] ?\Z")
IT_IS = re.compile(
    r"(?:it is|it's|il est|son las|es la|es ist|sono le|são|het is|klokk(?:a|en) er|det är|an saat)"
    r"(?: now| currently| right now| jetzt| gerade| actuellement| maintenant| nu| ahora| adesso| ora| agora)? \Z",
    re.IGNORECASE,
)
AT = re.compile(r"(?:[a-z]{2,10}ed|seen|now|sent|yesterday) at[ :]{1,2}\Z", re.IGNORECASE)
# The words that announce, where a language does not write them in plain Latin letters.
FOREIGN_CLOCK = re.compile(
    rf"(?:čas|idő|giờ|время|сейчас|час|ώρα|الوقت|הזמן|השעה|เวลา|時間|时间|時刻|现在|現在|시간|시각)(?: \w{{3,10}})?{_IS}",
    re.IGNORECASE,
)
FOREIGN_DATE = re.compile(rf"(?:вторник|дата|сегодня|日期|日付|今天|今日|本日|날짜|오늘){_IS}", re.IGNORECASE)
