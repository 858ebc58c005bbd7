"""Where in a prompt a token count falls, without a tokenizer.

The bytes of each character class weigh so many tokens; the weights are fitted to the counts that the provider itself
reports, with an intercept for tokens that it adds and does not show. A prompt's weights are then stretched between the
positions whose count is known (anchors), so only what lies between two anchors is estimated, and the bound says so.
"""

from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from operator import mul

__all__ = ["Fit", "Fits", "Positions", "count_classes", "weigh"]

# Tokens per UTF-8 byte of each class, before any fit: non-negative least squares on 49 published prompts, 30 tool
# schemas and 165 user tasks against the o200k_base vocabulary, 2026-11-22.
_CLASSES: tuple[tuple[bytes, float], ...] = (
    (bytes(range(ord("a"), ord("z") + 1)), 0.1483),
    (bytes(range(ord("A"), ord("Z") + 1)), 0.1735),
    (bytes(range(ord("0"), ord("9") + 1)), 0.8559),
    (b" ", 0.4356),
    (b"\n\r\t", 0.3149),
    (bytes(c for c in range(33, 127) if not chr(c).isalnum()), 0.4099),
    (bytes(range(128, 256)), 0.1438),
)
_PRIOR = tuple(weight for _, weight in _CLASSES)

UNFITTED_ERROR = 0.15
"""Relative bound on a stretch that is estimated before the weights are fitted: the 95th percentile of that is 0.11."""
UNSEEN_TOKENS = 2000
"""Tokens that a provider may add to a prompt without showing them, where nothing is known of it yet."""

_WARM = 12
"""Counts from which on a fit is used."""
_PRIOR_STRENGTH = 0.0005
_INTERCEPT_STRENGTH = 1e-9
_SWEEPS = 60
_RECENT = 48
_LEAST_ERROR = 0.01
_SAFETY = 8.0
_GRAIN = 2.0
"""A stretch of n tokens errs by some multiple of √n besides: single words are not the average word."""
_MOST_WEIGHED = 10_000


def count_classes(text: str) -> "array[int]":
    """The UTF-8 bytes of each character class."""
    data = text.encode("utf-8", "replace")
    length = len(data)
    return array("I", (length - len(data.translate(None, members)) for members, _ in _CLASSES))


def weigh(text: str) -> float:
    """The estimated tokens of a text by the weights before any fit."""
    return sum(map(mul, _PRIOR, count_classes(text)))


class Fit:
    """The weights of one tokenizer, as its provider's counts show them.

    Relative least squares over the counts seen, non-negative, drawn weakly to the prior weights. Solved anew each time
    the number of counts has grown by a quarter.
    """

    def __init__(self) -> None:
        size = len(_PRIOR) + 1
        self._gram = [[0.0] * size for _ in range(size)]
        self._target = [0.0] * size
        self._seen = 0
        self._next = _WARM
        self._residuals: list[float] = []
        self.weights: tuple[float, ...] = _PRIOR
        self.hidden = 0.0
        """Tokens that the provider adds in front of the prompt."""
        self._unseen = float(UNSEEN_TOKENS)
        self.warm = False
        """Whether the weights are fitted."""
        self._weighed: dict[bytes, float] = {}
        self._error: float | None = None

    @property
    def error(self) -> float:
        """Relative bound on a stretch that is estimated by the weights."""
        if not self.warm or not self._residuals:
            return UNFITTED_ERROR
        if self._error is None:
            self._error = self._high_residual()
        return self._error

    def _high_residual(self) -> float:
        recent = sorted(self._residuals)
        high = recent[min(len(recent) - 1, int(0.95 * len(recent)))]
        return min(UNFITTED_ERROR, max(_LEAST_ERROR, high))

    @property
    def unseen(self) -> float:
        """Bound on the error of `hidden`."""
        return min(self._unseen, float(UNSEEN_TOKENS))

    def estimate(self, counts: Sequence[float]) -> float:
        """The tokens of text with these class counts, without the hidden ones."""
        return sum(map(mul, self.weights, counts))

    def weight(self, name: bytes, counts: Sequence[int]) -> float:
        """The estimate of a segment, remembered by `name` until the weights change."""
        known = self._weighed.get(name)
        if known is None:
            if len(self._weighed) >= _MOST_WEIGHED:
                self._weighed.clear()
            known = self._weighed[name] = self.estimate(counts)
        return known

    def observe(self, counts: Sequence[float], tokens: int) -> None:
        """Learn that a whole prompt with these class counts has so many tokens."""
        if tokens <= 0 or not any(counts):
            return
        if self.warm:
            self._residuals.append(abs(self.estimate(counts) + self.hidden - tokens) / tokens)
            del self._residuals[:-_RECENT]
            self._error = None
        row = (*(count / tokens for count in counts), 1.0 / tokens)
        for i, a in enumerate(row):
            if a:
                self._gram[i] = [product + a * b for product, b in zip(self._gram[i], row, strict=True)]
                self._target[i] += a
        self._seen += 1
        if self._seen >= self._next:
            self._next = self._seen + max(1, self._seen // 4)
            self._solve()

    def _solve(self) -> None:
        """Coordinate descent on the normal equations, each coordinate kept from being negative."""
        size = len(_PRIOR)
        solution = [*self.weights, self.hidden]
        strength = [_PRIOR_STRENGTH / (w * w) for w in _PRIOR]
        for _ in range(_SWEEPS):
            for j in range(size + 1):
                pull = strength[j] if j < size else _INTERCEPT_STRENGTH
                wanted = strength[j] * _PRIOR[j] if j < size else 0.0
                rest = sum(map(mul, self._gram[j], solution)) - self._gram[j][j] * solution[j]
                solution[j] = max(0.0, (self._target[j] + wanted - rest) / (self._gram[j][j] + pull))
        self.weights, self.hidden = tuple(solution[:size]), solution[size]
        self.warm = True
        self._weighed.clear()
        self._unseen = self._intercept_bound(strength)

    def _intercept_bound(self, strength: Sequence[float]) -> float:
        """A bound on the error of the intercept, from the least-squares solution and the spread of its residuals.

        Wide, since the prompts of one application share their heads: they are fewer samples than their number says.
        """
        size = len(self._target)
        rows = [[*line, float(i == size - 1)] for i, line in enumerate(self._gram)]
        for i in range(size - 1):
            rows[i][i] += strength[i]
        rows[-1][size - 1] += _INTERCEPT_STRENGTH
        for i in range(size):
            pivot = rows[i][i]
            if pivot <= 0:
                return float(UNSEEN_TOKENS)
            for other in rows[i + 1 :]:
                factor = other[i] / pivot
                if factor:
                    for j in range(i, size + 1):
                        other[j] -= factor * rows[i][j]
        variance = rows[-1][size] / rows[-1][size - 1]
        spread = self.error if self._residuals else UNFITTED_ERROR
        return _SAFETY * spread * variance**0.5 if variance > 0 else float(UNSEEN_TOKENS)


class Fits:
    """The fits of the models in use; the least recently used goes first."""

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._fits: OrderedDict[bytes, Fit] = OrderedDict()

    def of(self, key: bytes) -> Fit:
        """The fit of `key`, which may be a new one."""
        fit = self._fits.get(key)
        if fit is None:
            fit = self._fits[key] = Fit()
            if len(self._fits) > self._most:
                self._fits.popitem(last=False)
        self._fits.move_to_end(key)
        return fit


class Positions:
    """Token counts at the positions of one prompt: exact where anchored, estimated between.

    Args:
        cumulative: The weight of the prompt up to each position; the first is 0, the last the whole prompt.
        anchors: Known token counts by position.
        fit: The fit that the weights come from.
    """

    __slots__ = ("_anchors", "_cumulative", "_error", "_known", "_unseen")

    def __init__(self, cumulative: Sequence[float], anchors: Mapping[int, int], fit: Fit) -> None:
        self._cumulative = cumulative
        self._error = fit.error
        # Before the fit nothing is known of hidden tokens: they may be part of the first count.
        self._unseen = fit.unseen
        self._anchors: dict[int, float] = {0: fit.hidden, **anchors}
        # Counts grow with the position; one that does not is of another prompt's making and is not used.
        rising = sorted(self._anchors)
        self._known = [p for i, p in enumerate(rising) if i == 0 or self._anchors[p] >= self._anchors[rising[i - 1]]]

    def at(self, position: int, extra: float = 0.0) -> tuple[int, float]:
        """Tokens of the prefix that ends `extra` weight behind `position`, and the relative bound on their error."""
        if not extra and position and position in self._anchors:
            return round(self._anchors[position]), 0.0
        weight = self._cumulative[position] + extra
        i = bisect_left(self._known, position + (1 if extra else 0))
        before = self._known[max(0, i - 1)]
        after = self._known[i] if i < len(self._known) else None
        base, base_weight = self._anchors[before], self._cumulative[before]
        if after is None:
            tokens = base + (weight - base_weight) * self._scale(before)
            guessed = tokens - base
        else:
            span = self._cumulative[after] - base_weight
            share = (weight - base_weight) / span if span else 0.0
            tokens = base + (self._anchors[after] - base) * share
            # What is left of the stretch errs as much in the other direction.
            guessed = min(tokens - base, self._anchors[after] - tokens)
        guessed = max(0.0, guessed)
        unsure = self._error * guessed + _GRAIN * guessed**0.5
        if before == 0 and self._unseen:
            left = (self._anchors[after] - tokens) / self._anchors[after] if after and self._anchors[after] else 1.0
            unsure += min(self._unseen * max(0.0, left), max(0.0, (self._anchors[after] if after else tokens) - tokens))
        return round(tokens), (min(1.0, unsure / tokens) if tokens > 0 else 0.0)

    def _scale(self, position: int) -> float:
        """Tokens per weight up to an anchor, 1 where nothing is known."""
        weight = self._cumulative[position]
        known = self._anchors[position] - self._anchors[0]
        return known / weight if position and weight and known > 0 else 1.0
