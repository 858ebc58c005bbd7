"""The words that make a number a counter, and those that do not."""

# ruff: noqa: E501, SIM905 - a list of words reads best as text

__all__ = [
    "ACTIVE",
    "ALONE",
    "BADGED",
    "BEFORE",
    "BEHIND",
    "BRACKETED",
    "CONDITIONS",
    "COUNTED_OFF",
    "DOING",
    "DONE",
    "EVENTS",
    "FIXED",
    "GATE",
    "HASHED",
    "HAVING_DONE",
    "ITEMS",
    "LIMITS",
    "LINKS",
    "NOW",
    "NUMBERING",
    "OWNERS",
    "PAIRS",
    "PIECES",
    "PLACES",
    "PLURALS",
    "PREPOSITIONS",
    "REMAINING",
    "REPORTED",
    "SET_DOWN",
    "SHARES",
    "SPACED",
    "STANDING",
    "STATIC",
    "TAKEN",
    "TALLIES",
    "THINGS",
    "TOKENS",
    "UNITS",
    "WAITED",
    "WAITING",
    "WHO",
    "YOURS",
]

# What is done again and again: its number is a counter.
UNITS = frozenset(
    """
    attempt retry try turn iteration round poll step invocation cycle tick loop pass trial episode epoch
    heartbeat ping run visit hop iter
    """.split()
)
# What is counted by the piece: its name alone says nothing, "message count" and "messages left" do.
ITEMS = frozenset(
    """
    message msg request call query question event error failure task item batch chunk page frame test job
    file row record notification token credit search interaction response game sample
    """.split()
)
THINGS = UNITS | ITEMS
PLURALS = frozenset(
    (
        *(f"{word}s" for word in THINGS),
        *THINGS,
        *"retries tries queries passes searches batches credits budget quota balance points time context".split(),
    )
)
# What happens, is counted and is never left: "restart count", "visitor number".
EVENTS = frozenset(
    """
    restart reconnect reconnection crash compression compaction execution hit view login logon failure warning alert update change reply save conflict
    timeout email visitor caller play download upload redirect match prompt lap wave
    """.split()
)
# Bare, these count what went wrong, unless a setting stands beside them: "retries: 7", "failures=2".
TALLIES = frozenset(
    """
    hits misses retries failures restarts reconnects crashes attempts tries success successes errors warnings exceptions
    mismatches duplicates conflicts timeouts
    """.split()
)
# What was done to how many: "Phases executed: 15", "skipped: 27". What ends alike and says what is set or fixed does not.
TAKEN = frozenset("taken sent seen found written done made spent lost won given".split())
SET_DOWN = frozenset(
    """
    required allowed expected needed supported recommended requested limited fixed reserved weighted rated estimated based speed seed
    feed need bed red embed shed breed indeed enabled signed unsigned verified deprecated guaranteed included founded established
    published released updated born planned targeted permitted desired preferred specified defined padded rounded led med
    exceed proceed succeed ned ted wed fed hundred nested quoted advanced indexed threaded batched shared linked
    """.split()
)
# Of somebody and for the moment: "Your balance is 284", "your position: 4".
YOURS = frozenset("balance score position number rank points credits streak turn place level count".split())
# How things stand at the moment: "Backlog: 120 tickets", "rpm: 38". A round number is a setting here as well.
STANDING = frozenset(
    """
    backlog lag inflight streak throughput rpm qps tps rps goroutines inbox cart basket queued waiting viewers visitors participants
    spectators followers upvotes retweets votes likes evictions drops loops cycles polls visits heartbeats ticks invocations
    executions pings revision
    """.split()
)
# What has its number behind it in brackets, as on a badge: "Notifications (12)", "Open tabs (15)".
BADGED = frozenset("notifications unread inbox alerts".split())
WAITING = frozenset("open unread pending active unresolved overdue queued unanswered".split())
WAITED = frozenset(
    "tabs windows tickets issues tasks incidents alerts orders requests files connections positions jobs messages emails reviews".split()
)
# What stays, or is measured, and words that end alike: "columns: 17", "status: 17".
STATIC = frozenset(
    """
    seconds minutes hours days weeks months years times points percents pixels degrees bytes bits dimensions dims
    columns cols rows lines characters chars words cores cpus gpus workers replicas layers heads ports pages epochs
    steps this is was has its status class address access always alias args kwargs bias radius axis basis analysis
    previous plus minus less cls pos ms fps dots os us canvas series species focus bonus campus virus corpus census
    versus units params aliases millis secs mins msecs vcpus fixes closes resolves sizes limits versions quotas
    defaults ranges settings options
    """.split()
)
# Whose turns they are: "user turns: 17".
WHO = frozenset("user assistant agent model human ai bot tool customer".split())
# "Input tokens: 345" is what was used, unless the number is round.
# "Active sessions: 39", "open connections: 7".
ACTIVE = frozenset("active open running connected online idle busy live concurrent".split())
# What has a number that stays: "core_count=12", "page count: 3".
FIXED = frozenset(
    """
    page core cpu gpu column col row word line char character thread worker param parameter replica layer head bit byte channel
    node shard partition field letter digit seat room port vocab step epoch max min
    """.split()
)
# What grows without end, and far: "offset=584213".
# Done with its verb in front: "Processing batch 34", "Executed steps: 12".
DOING = frozenset(
    "processing running executing evaluating downloading uploading fetching retrying loading sending reading".split()
)
HAVING_DONE = frozenset("executed completed processed finished failed skipped successful handled sent received".split())
# What a report says of one of them, "Step 4 succeeded", unless these words make a condition or a rule of it.
REPORTED = frozenset("step turn round loop todo task batch iteration attempt job run".split())
CONDITIONS = frozenset("once when after if until unless before whenever have you then".split())
PIECES = frozenset("batch chunk".split())
PLACES = frozenset("offset lsn".split())
TOKENS = frozenset("input output prompt completion cached context reasoning total read write".split())
NUMBERING = frozenset("number no nr num count counter index idx id position".split())
# One after the other, with the number of all told: "Pick 26 of 60", "day 8 of 10".
COUNTED_OFF = frozenset("day pick lap hand move wave shard candidate fold".split())
# How far it has come: behind a noun, before one, or by itself.
BEHIND = frozenset("left used consumed spent processed completed queued remaining elapsed unread pending".split())
BEFORE = BEHIND | {"far"}
# "Tokens restantes: 40", "Verbleibende Versuche: 2".
REMAINING = frozenset(
    "restantes restants restant restante verbleibend verbleibende verbleibenden rimanenti rimanente resterende kalan jaljella".split()
)
# "Versuch 2 von 5", "Tentative 2 sur 5", "Intento 2 de 5".
FOREIGN_UNITS = frozenset(
    """
    versuch schritt runde nachricht durchlauf tentative essai étape itération tour message intento paso turno ronda mensaje tentativa passo
    rodada mensagem попытка шаг итерация раунд сообщение спроба крок tentativo messaggio iterazione iteration iteracion poging stap beurt bericht próba krok deneme pokus
    """.split()
)
ALONE = frozenset("retried remaining elapsed unread pending uptime usage counter sequence seq".split())
DONE = frozenset(
    """
    used read completed processed finished solved passed consumed spent sent received answered handled visited
    made done progress taken evaluated fetched downloaded uploaded loaded indexed imported exported migrated checked
    """.split()
)
PAIRS = frozenset((
    *(("current", word) for word in ("count", "total", "number", "index", "position")),
    *(("queue", word) for word in ("position", "length", "depth")),
    *((word, "queue") for word in ("waiting", "pending", "running")),
    *(("running", word) for word in ("batch", "batches")),
    *((word, "lag") for word in ("consumer", "replication", "replica")),
    *((word, "length") for word in ("conversation", "session", "chat", "thread", "history", "transcript")),
    *(("num", word) for word in "turns messages calls requests errors failures".split()),
    *(("consecutive", word) for word in "errors failures retries attempts misses timeouts crashes".split()),
    *((word, "balance") for word in ("credit", "credits", "token", "account")),
    *((word, name) for word in ("seq", "sequence") for name in NUMBERING),
    *((word, "calls") for word in "api tool function llm model".split()),
    *(("total", word) for word in "attempts retries failures errors calls requests".split()),
    ("expires", "in"),
    ("resource", "version"),
    ("generation", "id"),
    ("observed", "generation"),
    ("loop", "number"),
    ("total", "tokens"),
    ("uptime", "seconds"),
    ("uptime", "s"),
    ("uptime", "ms"),
    ("so", "far"),
    ("tick", "count"),
    ("in", "queue"),
))  # fmt: skip
# Numbered behind a "#" alone: "Request #12"; "STEP #2" is a heading.
HASHED = (UNITS - {"step"}) | frozenset(
    """
    message msg request req call query question event visit search job build session ticket order case task
    conversation chat failure error reconnect reconnection restart
    """.split()
)
# Numbered by the word alone: "attempt 3 failed".
SPACED = frozenset("loop elapsed attempt retry poll tick heartbeat iteration goroutine".split())
# Numbered in brackets alone: "(turn 4)", "[iteration 5]", "<attempt>3</attempt>".
BRACKETED = frozenset(
    """
    turn attempt retry iteration round poll tick loop try trial message msg request req call visit cycle revision generation
    execution epoch heartbeat
    """.split()
)
# What is given in per cent: "Context left: 45%", "Context left until compaction: 12%".
SHARES = frozenset("left used remaining progress usage".split())
NOW = frozenset("currently now presently current".split())
LINKS = frozenset("the on at in".split())
OWNERS = frozenset("conversation agent retry".split())
# "In iteration 1 only" is the first.
PREPOSITIONS = frozenset("on at for every per if with until from in".split())
LIMITS = frozenset(
    """
    max maximum maximal limit limits min minimum most least default defaults between every within exactly
    after than first last up pull merge
    """.split()
)
# One of these words must stand shortly before a number for it to be looked at more closely.
GATE = (
    PLURALS
    | NUMBERING
    | BEFORE
    | ALONE
    | DONE
    | REMAINING
    | HASHED
    | TALLIES
    | ACTIVE
    | BADGED
    | COUNTED_OFF
    | TAKEN
    | (YOURS - {"level", "turn", "place", "rank", "score"})
    | {"your"}
    | STANDING
    | PLACES
    | HAVING_DONE
    | frozenset("goroutine going running up current length depth total today expires resource already conversation session chat thread history sent asked had n ticks generation".split())
)  # fmt: skip
