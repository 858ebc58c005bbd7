"""The phrases around a number that make a counter of it, and those that do not."""

# ruff: noqa: E501, RUF001, SIM905 - one line of a pattern is one alternative, in any script; a list of words reads best as text

import re

from llm_observer.analysis.breakers.counter_words import PLURALS

__all__ = [
    "AFTER",
    "ALREADY",
    "ARGUMENT",
    "BUILDING",
    "CAMEL",
    "CLAUSE",
    "CODE",
    "COMPARED",
    "CONDITION",
    "ELAPSED",
    "ELEMENT",
    "ENDED",
    "FLAG",
    "FOREIGN_CURRENT",
    "FOREIGN_HAVE",
    "FOREIGN_LEFT",
    "FOREIGN_OF",
    "FOREIGN_STATE",
    "FOREIGN_STEP",
    "FOREIGN_STILL",
    "FOREIGN_TURN",
    "FOREIGN_UNREAD",
    "HEADING",
    "HELD",
    "HOLDS",
    "IN_TALK",
    "IS",
    "IS_NOW_THE",
    "LASTING",
    "LAST_WORD",
    "MADE",
    "MARK",
    "MARKS",
    "MAY_FOLLOW",
    "MESSAGE",
    "MORE",
    "NUMBER",
    "OF",
    "OF_CALLS",
    "OF_DONE",
    "ORDINAL",
    "OVER_AND_OVER",
    "PROGRESS",
    "PROGRESSING",
    "QUOTES",
    "REACHED",
    "RETRIED",
    "RETRYING",
    "SETTING",
    "SETTINGS",
    "SPAN",
    "STATES",
    "STILL",
    "STILL_HAVE",
    "TALKS",
    "TALLY",
    "TALLY_MARKS",
    "TIMES",
    "TODAY",
    "TOTAL",
    "UNIT",
    "USED_OF",
    "WORDS",
    "YOU_MADE",
    "last_words",
    "words_of",
]

WORDS = re.compile(r"[a-z]+")
# Small letters as they are, capitals made small, all else a blank.
_LETTERS = bytes(code + 32 if 65 <= code < 91 else code if 97 <= code < 123 else 32 for code in range(256))
CLAUSE = re.compile(r"[,;.(\n{}0-9]")
# "retriesLeft" is read as "retries_left".
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# MAX_PASS=1 sets something, STEP #2 is a heading.
SETTING = re.compile(r"[A-Z]_(?!(?:(?<!RETRY_)COUNT|USED|LEFT|REMAINING|POSITION)=)[A-Z]+=\Z|[A-Z]{3} ?#\Z")
# "step = 0": what a program starts from.
CODE = re.compile(r" = \Z|\b(?:n|no|num|index|idx|count|number|position|generation)=\Z")
# "range(step=2)", "--step=2", "<input step=1".
ARGUMENT = re.compile(r"(?:[(,]\s?|\s--?[a-z-]{0,12}|<[^>\n]{0,24})(?:step|run|pass|loop|epoch|turn)=\Z")
MARKS = " \t\"'*`_:=#|\\>~\u2013-"
QUOTES = frozenset("\"'`")
MARK = re.compile("[:=#|\u2013]|->")
# "Attempt 2: look it up" is a step of a plan.
HEADING = re.compile(r": [A-Za-z]")
COMPARED = re.compile("[<>=!+*-]=|=>")
IS = re.compile(r" is(?: now)?\Z")
MESSAGE = re.compile(r"(?:^|\n)message \Z")
OF = re.compile(r"\s?(?:/|\(?of|out of)\s?(?:about\s|max\.?\s|the\s|your\s)?[0-9]")
PROGRESS = re.compile(r"/[0-9]{1,7}\]")
# "of 40", "/40": the total, which stays.
TOTAL = re.compile(r"[0-9]\s?(?:/|of\s|out of\s)\s?(?:the\s|your\s)?\Z")
TALKS = ("conversation", "dialogue", "dialog", "session", "chat", "thread", "history", "transcript")
_TALK = f"(?:{'|'.join(TALKS)})"
# One of these is behind a number that `AFTER`, `OF_DONE` or `TALLY` match.
STATES = frozenset(
    """
    remaining far pending processed left used since consumed spent available unread new ago queue line complete completed done
    finished full read fetched queued running waiting outstanding flight conversation dialogue dialog session chat thread
    active idle busy executing failed passed succeeded progress ready logged loaded saved indexed uploaded downloaded checked migrated history transcript already times elapsed ahead go remain more
    """.split()
)
_NOUNS = rf"(?:{'|'.join(sorted(PLURALS, key=len, reverse=True))})"
AFTER = re.compile(
    rf"""[\s-]? (?: (?:/|of(?:\ your|\ the)?|out\ of)\s?[0-9.,]{{1,16}}[KkM]?\s )?
    (?:
      (?!degrees|pixels|inches)[a-z]{{3,14}}(?:\(s\))?(?:\s[a-z]{{3,14}}){{0,2}}\s(?:remaining|so\ far|pending|processed|left(?!\s(?:the|an?|over|to|by|for|hand|side|out|behind|of|turn)\b))\b
    | (?:more\s|free\s)? {_NOUNS}(?:\(s\))? \s (?:are\s|have\ been\s|already\s|were\s)? (?:used|since|consumed|spent|available\ today)\b
    | (?:new\s)? unread\b
    | new\s(?:messages?|notifications?|emails?|events?|alerts?|comments?)\b
    | (?:m?s|secs?|seconds?|mins?|minutes?|h|hours?)\s(?:elapsed|remaining|left)\b
    | (?:queued|pending)\s[a-z]{{2,13}}s\b
    | [a-z]{{3,14}}(?:\s[a-z]{{3,14}})?\sin\ progress\b
    | times\s(?:already|now)\b
    | [a-z]{{3,14}}\s(?:are\s)?ahead\ of\ you\b
    | (?:more\s)?[a-z]{{3,14}}\s(?:to\ go|remain)\b
    | (?:invocations?|iterations?|messages?|turns?)\s(?:ago|in\ (?:this|the)\ {_TALK})\b
    | (?:remaining|in\ (?:the\ )?(?:queue|line))\b
    | \sused\sof\s[0-9]
    | of\ (?:the|this)\ (?:conversation|dialogue|dialog|session|chat)\b
    | %\s?(?:progress|complete|completed|done|finished|(?:of\ (?:the\ |your\ )?(?:context|budget|quota|limit|tokens)(?:\ window)?\ )?(?:used|left|remaining|consumed|full))\b
    )""",
    re.VERBOSE,
)
# "12/40 tasks done", "3 of 40 steps completed".
OF_DONE = re.compile(
    r"\s?(?:/\s?[0-9]{1,7}\s(?:[a-z]{3,14}\s)?|(?:of|out of)\s[0-9]{1,7}\s[a-z]{3,14}\s)(?:are\s|were\s|have been\s)?"
    r"(?:completed?|done|finished|processed|used|read|fetched|ready|logged|loaded|saved|indexed|uploaded|downloaded|checked|migrated|failed|passed|succeeded)\b"
)
# "You have made 12 requests today", "You have already asked 3 questions", "This conversation has 12 messages".
MADE = re.compile(r"(?:made|used|sent|asked|called|had)\s\Z")
YOU_MADE = re.compile(
    r"\byou(?:\S{1,2}ve| have)(?: already| now)? (?:made|used|sent|asked|spent|taken|completed)\s\Z|\buser has(?: already| now)? (?:made|used|sent|asked)\s\Z"
)
TODAY = re.compile(r"\s[a-z]{3,14}(?:\s[a-z]{3,14})?\s(?:today|already|in this (?:turn|session|conversation|chat))\b")
ALREADY = re.compile(r"already\s(?:made|sent|had|taken|seen|[a-z]{3,9}ed)\s\Z")
HOLDS = re.compile(
    rf"(?:this|the|your|our)\s{_TALK}\s(?:(?:now\s|already\s)?(?:has|contains|holds)|is|of)\s\Z|\b(?:input|context|prompt|history|request)\s(?:had|has|uses|used)\s\Z"
)
HELD = re.compile(r"\s(?:messages|turns|exchanges|tokens)\b")
USED_OF = re.compile(r"\s(?:used|spent|consumed)\s(?:of|out of)\s[0-9]")
# "Up 4 minutes", "has been running for 12 turns".
LASTING = re.compile(r"\bup (?:about |for )?\Z|been (?:going on|running|active|up|waiting|open)(?: \w{2,10})? for \Z")
SPAN = re.compile(r"\s(?:sec|min|hour|day|week|month|turn|message|step|iteration)[a-z]{0,6}\b")
# Elements: <tokens_remaining>40</tokens_remaining>.
ELEMENT = re.compile(r"<[a-z_:-]{2,40}>\Z")
LAST_WORD = re.compile(r"([^\W0-9_]{3,16}) #?\Z")
# "Te quedan 2 intentos", "Noch 6 Versuche übrig".
FOREIGN_LEFT = frozenset("queda quedan reste restent restano rimangono faltam restam".split())
FOREIGN_STILL = re.compile(
    r"\s\w{3,16} (?:übrig|verbleibend)\b|\s(?:versuche?|schritte?|nachrichten?|runden?|aufgaben?|anfragen?|züge?|tokens?)\b",
    re.IGNORECASE,
)
# "Sie haben 3 ungelesene Nachrichten", "Vous avez 12 messages non lus".
FOREIGN_HAVE = frozenset(
    "haben hast hat avez as a tienes tiene tengo hai ha avete ho tem tens masz ma mam hebt heeft heb var".split()
)
FOREIGN_UNREAD = re.compile(
    r"\s(?:ungelesene[nr]?|neue nachrichten|\w{4,14} (?:non lus?|non lues|sin leer|no leídos|non letti|não lidas|nieprzeczytanych|ongelezen|okunmamış)|"
    r"ongelezen|okunmamış|nieprzeczytanych|непрочитанн\w{2,3})\b",
    re.IGNORECASE,
)
# "Étape actuelle : 6", "Aktueller Schritt: 4".
FOREIGN_CURRENT = frozenset("actuel actuelle aktuell aktuelle aktueller aktuelles actual attuale atual huidige".split())
# "Epoch 10:  39%|".
PROGRESSING = re.compile(r":\s{1,3}[0-9]{1,7}(?:%|/[0-9])")
FOREIGN_OF = re.compile(r"(?:\s(?:von|sur|de|di|van|z|ze|av|af|из|із|з)|\s?/)\s?[0-9]")
# "步骤 3/10": a step by itself is a heading.
FOREIGN_STEP = re.compile(r"(?:步骤|步驟|ステップ|단계|шаг|крок|раунд)[\s:：]{0,3}\Z")
# The same said in scripts that have no Latin letters.
FOREIGN_STATE = re.compile(
    r"(?:剩余|剩餘|还剩|還剩|残り|남은|已使用|已用|使用済み|осталось|использовано|попытка|итерация|залишилось|尝试|重试|轮次|試行|未読|未读|未讀|읽지 않은|непрочитанн)"
    r"[^0-9\n]{0,14}\Z"
)
FOREIGN_TURN = re.compile(r"\s?(?:轮|輪|回合|ターン|次尝试|次嘗試|次重试|回目|번째 (?:턴|시도))")
NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+(?!,[0-9])")
ELAPSED = ("s elapsed", "s remaining", "s left")
MAY_FOLLOW = frozenset(" -/%")
# "--retry 5" sets something.
FLAG = re.compile(r"(?:\A|[\s`\"'\[])--?[a-z][a-z0-9-]*[ =]\Z")
# What stands beside a number that is set and not counted.
SETTINGS = re.compile(
    r"max|limit|time_?out|back_?-?off|delay|interval|default|policy|concurren|worker|batch|config|integer|temperature|top_p|\bup to\b|replicas"
)
# A list of tallies: "52 pending, 9 running", "(3 left)".
TALLY = re.compile(
    r"\s(?:pending|queued|running|waiting|outstanding|unread|in flight|left|active|idle|busy|executing)(?=\s?[,;|)\]/.]|\s*\Z)"
)
TALLY_MARKS = frozenset(":,;(|[")
# "This is your 3rd attempt".
ORDINAL = re.compile(
    r"(?:st|nd|rd|th)(?= (?:attempt|try|retry|message|turn|iteration|request|question|call|visit|round|poll|login|reply|query|run)\b)"
)
IS_NOW_THE = re.compile(
    r"(?:this is|it is|it's|you are on|you're on|now on|currently on)(?: now| already)? (?:your|the|my|our|their)\s\Z"
)
# "message 14 in the conversation", "turn 7 of the game".
IN_TALK = re.compile(rf"\s(?:in|of) (?:the|this|our|your) (?:{_TALK}|game|match|simulation|loop|experiment)\b")
# "[builder 2/7]", "retrying (2/5)".
BUILDING = re.compile(r"\[[a-z][a-z0-9_-]{0,20}(?: stage-[0-9])?\s{1,2}\Z")
RETRYING = re.compile(r"\b(?:retry(?:ing)?|reconnect(?:ing)?|attempt|trying|try)\W{1,6}\Z")
RETRIED = re.compile(r"/[0-9]{1,4}[)\]\s:]")
# "With 5 turns left, sum up."
CONDITION = re.compile(
    r"(?:\b(?:with|if|when|once|until|unless|below|under)(?: (?:there are|you have|you've|we have|about|only|just|exactly))?\s|[<>\u2264\u2265]\s?)\Z"
)
# In a log of things done over and over, three digits leave no doubt; "try 100 times" is an order.
OVER_AND_OVER = frozenset("iter attempt cycle step tick iteration epoch generation heartbeat poll episode turn".split())
TIMES = re.compile(r"\s?(?:times?|%|units?|or|and|per|x)\b")
# "You have 3 more tries", "You still have 9 tool calls".
STILL_HAVE = re.compile(r"\b(?:you|we|i) (?:still )?have (?:only |just )?\Z")
MORE = re.compile(rf"\smore (?:[a-z]{{3,14}} )?{_NOUNS}\b")
STILL = re.compile(rf"\s(?:[a-z]{{3,14}} )?{_NOUNS}\b")
# "Uptime (seconds): ".
UNIT = re.compile(r" ?\([a-z]{1,8}\)(?=[\s:=]{1,3}\Z)")
# "limit exceeded (8/10 calls)".
OF_CALLS = re.compile(rf"/[0-9]{{1,7}} {_NOUNS}\)")
# "Step 4 succeeded".
ENDED = re.compile(r"\s(?:has )?(?:completed?|done|succeeded|failed|passed|finished|started|timed out|skipped)\b")
# "completed successfully (5/10)".
REACHED = re.compile(r"(?<!rat)(?<!scor)(?:ed|done|successfully|progress)\W{0,3}\(\Z")


def words_of(text: str) -> list[str]:
    """The words of ASCII letters in `text`, in small ones; several times as fast as a pattern."""
    return text.encode("ascii", "replace").translate(_LETTERS).decode("ascii").split()


def last_words(text: str, size: int) -> list[str]:
    """The words that lie whole in the last `size` characters of `text`."""
    tail = text[-size - 1 :]
    words = words_of(tail)
    if len(tail) > size and tail[0].isascii() and tail[0].isalpha():
        del words[0]
    return words
