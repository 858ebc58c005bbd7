"""The key that a value stands under: `session_id: X`, `"requestId": "X"`, `x-trace-id = X`, `account X`."""

# ruff: noqa: RUF001, SIM905 - full-width marks are what keys end in; a list of words reads best as text

import re
import unicodedata
from typing import NamedTuple

__all__ = ["ESCAPED", "Key", "key_before"]

# A line break or tab as JSON writes it.
ESCAPED = re.compile(r"\\[nrt]")

_REACH = 64
# Read backwards from the value: quotes and brackets, a separator ("is" is one, backwards), then up to four words.
_KEY = re.compile(
    r"[\"'`*(\[{<#\\]{0,4}((?:[ \t]{0,4}\n(?=:))?[ \t]{0,2}"
    r"(?:[\"'`*_:：=#>\]|\\–→-]|[ \t]|\b(?:won )?si\b|\.(?=(?:[or]n|fer)[^A-Za-z])){0,6})"
    r"([A-Za-z0-9À-ɏ]+(?:(?:[_. -]|(?<=s)['’])[A-Za-z0-9À-ɏ]+){0,3})"
)
# What a bare `id` belongs to, backwards: `"session": {"id": `, `<user><id>`, `user:` and `id:` on the next line.
_OWNER = re.compile(
    r"[\"'<]?\s{0,12}(?:\{\s{0,8})?[:=>]{1,2}\s{0,2}[\"'>]?([A-Za-z0-9]+(?:[_.-][A-Za-z0-9]+){0,3})(?![A-Za-z0-9])"
)
# A value is no key: `images["a1b2c3"]` reads one out, `/users/482913` is a place below `users`.
_SUBSCRIPT = frozenset(('"[', "'["))
_COLLECTION = re.compile(r"/(?:[a-z]{2,10}[_-])?([a-z]{3,14}(?:_[a-z]{2,8})?)s?/\Z")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")

_SESSION = frozenset(
    """
    session sess sid sessionid request req requestid reqid rid trace traceid traceparent
    tracestate tracing span spanid correlation correlationid ray amzn user usr userid uid username
    customer client clientid visitor member subscriber account caller guest patient employee student
    conversation tid conversationid convo thread threadid chat chatid invocation b3 tenant
    mrn sitzung benutzer kunde kunden kundennummer sesion sesiones usuario cliente utilisateur utente sessione
    gebruiker klant phpsessid jsessionid aspsessionid sitzungs anfrage requete solicitud peticion richiesta
    sessao sesja uzytkownik oturum
    """.split()
)
_ID = frozenset(
    """
    id ids guid uuid ulid oid key number no nr ref reference token cookie identifier cursor handle
    nummer numero kennung identifiant identificador identificativo
    """.split()
)
# Numbered by a machine or a person; these need no `id` behind them: `job=X`, `build #X`.
_NUMBERED = frozenset(
    """
    order ticket case incident job run task event message msg batch transaction txn booking reservation
    confirmation execution build invoice shipment tracking parcel claim pnr payment charge deployment
    workflow pipeline pod instance xid txid jid deal po sandbox device upload call lead guild channel tweet comment
    pedido bestellung bestell auftrag rechnung sendung commande facture colis factura encomenda ordine fattura
    zamowienie vorgang buchung reserva
    """.split()
)
_RECORD = _NUMBERED | frozenset(
    """
    process worker agent runner replica host hostname node step row record object block doc document memory
    entry item file asset resource history profile cart subscription contract policy application receipt refund
    contact quote dossier expediente
    """.split()
)
_THINGS = _RECORD | _SESSION
# What is told of one before its id: "Task not found: X".
_TOLD = frozenset("found started created submitted scheduled cancelled deleted expired".split())
_CASE = frozenset(
    """
    order ticket case incident booking reservation transaction txn invoice shipment claim payment job run
    build task batch execution deployment pipeline workflow deal guild channel tweet comment lead dossier expediente
    pedido bestellung auftrag commande
    vorgang buchung reserva
    """.split()
)
_BOOKINGS = frozenset("booking reservation confirmation".split())
_BOOKED = frozenset("booking reservation pnr confirmation".split())
_PASSCODES = frozenset("otp totp passcode".split())
_VERIFIES = frozenset("verification login security authentication auth time access sms activation reset".split())
_CODES = frozenset("reference code ref number locator no".split())
# Drawn anew.
_DRAWN = frozenset(
    """
    nonce salt canary cachebuster cb buster entropy seed hash fingerprint checksum digest etag snapshot
    signature sig challenge state csrf xsrf boundary random hex revision
    """.split()
)
_NONCE = frozenset("nonce salt entropy buster cachebuster challenge csrf xsrf".split())
# What has a number of its kind, which stays: "part no. 74HC595N".
_KINDS = frozenset("part model item product article catalog catalogue serial lot drawing page".split())
# What has an id that is chosen once.
_SET = frozenset(
    """
    token type category class model vendor language lang country app application schema template style voice plugin
    group role locale currency license port pad eos bos cls sep unk mask unit chain network version company font color
    icon rule cwe bug pr issue article page section figure table chapter max min default
    """.split()
)
# Places of a repository or an archive, whose ids pin a version.
_KEPT = frozenset("file block doc document asset resource object".split())
_NUMBER = frozenset("no nr number".split())
_NO = frozenset("no nr".split())
# Or computed, and written in hexadecimal.
_FRESH = _DRAWN | frozenset(
    """
    sha sha1 sha256 md5 crc crc32 commit rev head container checkpoint blob tree build image tag
    """.split()
)


# The same words where a language does not write them in Latin letters.
_FOREIGN_SESSION = re.compile(
    r"(?:会话|會話|セッション|세션|сеанс|сесси|用户|用戶|ユーザー|사용자|пользоват|请求|請求|リクエスト|요청|запрос|トレース|客户|顧客|고객|клиент)"
    r"[^\n:：=]{0,10}[:：=#№][ \"'`*]{0,3}\Z",
    re.IGNORECASE,
)


_FOREIGN_RECORD = re.compile(
    r"(?:订单|訂單|注文|주문|工单|工單|任务|任務|伝票|予約|예약|заказ|заявк|замовленн|παραγγελ|הזמנה|طلب)"
    r"[^\n:：=]{0,10}[:：=#№][ \"'`*]{0,3}\Z",
    re.IGNORECASE,
)
# "Commande n° 170236".
_NUMERO = re.compile(r"(?<![A-Za-z])[nN][°º]:?|№")


class Key(NamedTuple):
    """The words of a key, lower case, the nearest to the value last, and the marks between key and value."""

    words: tuple[str, ...]
    mark: str

    @property
    def names_session(self) -> bool:
        """Whether it names a session, request, trace or user."""
        return not _SESSION.isdisjoint(self.words[-3:])

    @property
    def is_session(self) -> bool:
        """Whether the word next to the value is a session, request, trace or user itself: `account 233085`."""
        return bool(self.words) and self.words[-1] in _SESSION

    @property
    def is_id(self) -> bool:
        """Whether it announces an id."""
        if not self.words or self.words[-1] not in _ID:
            return False
        if self.words[-1] in _NO and not self.mark.strip():
            return False
        return self.words[-1] not in _NUMBER or _KINDS.isdisjoint(self.words[-2:-1])

    @property
    def names_record(self) -> bool:
        """Whether it announces the id of a record: `order_id: X`, `ticket=X`, `build #X`."""
        words = self.words
        if not words:
            return False
        if words[-2:] == ("resource", "version"):
            return True
        if self.is_id:
            return len(words) > 1 and words[-2] in _RECORD
        if words[-1] in _TOLD and ":" in self.mark:
            return not _THINGS.isdisjoint(words[:-1])
        return words[-1] in _NUMBERED and any(char in self.mark for char in "=#:") and ">" not in self.mark

    @property
    def names_other(self) -> bool:
        """Whether it announces the id of something, `store_id: X`, that is no setting: `eos_token_id: X`."""
        words = self.words
        return (
            words[-1:] == ("id",)
            and len(words) > 1
            and any(char in self.mark for char in "=:")
            and _SET.isdisjoint(words[:-1])
        )

    @property
    def names_place(self) -> bool:
        """Whether it is a part of a path that holds records: `/runs/`."""
        return self.mark == "/" and self.words[0] in _THINGS and self.words[0] not in _KEPT

    @property
    def names_thing(self) -> bool:
        """Whether the word next to the value is what has the id: `worker 8c1f0e5a`."""
        return bool(self.words) and self.words[-1] in _THINGS

    @property
    def is_booking(self) -> bool:
        """Whether it announces the code of a booking: `booking reference X7K9Q2`."""
        words = self.words
        return words[-1:] != () and (
            words[-1] in _BOOKED or (words[-1] in _CODES and not _BOOKINGS.isdisjoint(words[-3:-1]))
        )

    @property
    def names_code(self) -> bool:
        """Whether it announces a code that is good once: `verification code: 301005`, `OTP 368752`."""
        words = self.words
        return words[-1:] != () and (
            words[-1] in _PASSCODES or (words[-1] == "code" and not _VERIFIES.isdisjoint(words[-2:-1]))
        )

    @property
    def is_case(self) -> bool:
        """Whether the word next to the value is a case that a person numbers: `order 482133`, `ticket INC0012345`."""
        return bool(self.words) and self.words[-1] in _CASE

    @property
    def is_drawn(self) -> bool:
        """Whether it announces something drawn anew, such as a nonce."""
        return self._announces(_DRAWN)

    @property
    def is_fresh(self) -> bool:
        """Whether it announces something drawn or computed anew, such as a nonce or a commit."""
        return self._announces(_FRESH)

    def _announces(self, names: frozenset[str]) -> bool:
        words = self.words
        if len(words) < 2:
            return bool(words) and words[0] in names
        last = words[-1]
        return last in names or ((last in _ID or last.isdigit()) and (words[-2] in names or words[-2] + last in names))

    @property
    def is_nonce(self) -> bool:
        """Whether it announces a value that is there to be another each time, whatever its shape."""
        return bool(self.words) and self.words[-1] in _NONCE


_NONE = Key((), "")
_JOINED = ("id", "nummer")
# A key that says nothing without what it belongs to.
_BARE = frozenset((word,) for word in ("id", "uuid", "key", "value", "number"))


def _plain(name: str) -> str:
    """A name without its accents."""
    return name if name.isascii() else unicodedata.normalize("NFD", name).encode("ascii", "ignore").decode()


def _split(word: str) -> tuple[str, ...]:
    """`jobid` and `Bestellnummer` in two, where the first part is known."""
    for end in _JOINED:
        stem = word.removesuffix(end)
        if stem != word and (stem in _THINGS or stem.removesuffix("s") in _THINGS):
            return stem.removesuffix("s"), end
    return (word,)


def key_before(text: str, start: int) -> Key:
    """The key before `start`; a key without words when there is none."""
    head = text[max(0, start - _REACH) : start]
    if "\\" in head:
        head = ESCAPED.sub("\n\n", head)
    if head[-1:] == "/":
        place = _COLLECTION.search(head)
        return Key((place[1].removesuffix("s"), ""), "/") if place else _NONE
    if not head.isascii():
        if _FOREIGN_SESSION.search(head):
            return Key(("session", "id"), ":")
        if _FOREIGN_RECORD.search(head):
            return Key(("order", "id"), ":")
        head = _NUMERO.sub("number:", head)
    backwards = head[::-1]
    match = _KEY.match(backwards)
    if not match or backwards[: match.start(2)] in _SUBSCRIPT:
        return _NONE
    words = tuple(map(str.lower, _WORD.findall(_plain(match[2][::-1]))[-4:]))
    if words[-2:] == ("set", "to"):
        words = words[:-2]
    if len(words[-1:]) and len(words[-1]) > 4 and words[-1].endswith(_JOINED):
        words = (*words[:-1], *_split(words[-1]))
    if words in _BARE and (owner := _OWNER.match(backwards, match.end())):
        words = (*(word.lower() for word in _WORD.findall(owner[1][::-1])), *words)
    return Key(words, backwards[: match.start(2)])
