"""Where in a prompt a token count falls, without a tokenizer.

`measure` says what a text weighs by the look of its characters. How far that is off for the tokenizer at hand is
learned from the counts that the provider itself reports: a factor for each column, and the tokens that the provider
adds and does not show. Between two positions whose count is known (anchors) the estimate is tied to both. What is
learned is kept as means with their covariance, so that each estimate comes with the spread that it has.
"""

from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from itertools import repeat
from operator import add, mul, sub
from typing import NamedTuple

from llm_observer.analysis.measure import COLUMNS, FACTORS

__all__ = ["Fit", "Fits", "Positions"]

_WIDTH = len(COLUMNS)
_SIZE = FACTORS + 1
_Row = Sequence[float]

_MEANS = (1.0,) * FACTORS + (0.0,)
"""Before any count: the factor of each column, and the hidden tokens."""
_COMMON = 0.15
"""Standard deviation of what all factors have in common: vocabularies are larger or smaller."""
_APART = (0.05, 0.12, 0.4, 1.5, 0.35, 0.35, 0.4, 0.2, 0.5, 0.4, 0.25, 0.6, 0.5)
"""Standard deviation of each factor beside that, from what tokenizers differ by."""
_HIDDEN = 900.0
"""Standard deviation of the hidden tokens."""
_DRIFT = 4e-7
"""What each count adds to the variance of a factor, since no text is quite like the others."""
_WARM = 12
"""Counts from which on the fit is called one."""
_LEAST_NEW = 24.0
"""Tokens that must be new in a call for its count to say anything."""
_OUTLIER = 3.0
_MEMORY = 0.03
"""Weight of the latest count in how much wider than foreseen counts have been."""
_BOUND = 3.0
"""Standard deviations that are stated as the bound."""
_HEAD = 2.5
"""How much wider than the variance of other text that of a head is, at least."""
_EITHER = 0.5
"""How likely it is that tokens are hidden where the count is so small that none seem to be."""
_MOST_BASES = 256
_KNOWN = 0.1
"""Variance of an estimate, relative to that of the text, up to which one count more says next to nothing."""
_TOGETHER = 8
"""How many such counts are learned from at once."""


class _Base(NamedTuple):
    """A call to which a later one is compared: its columns, its count, and its weight."""

    columns: _Row
    tokens: int
    weight: float


class _Waiting(NamedTuple):
    """Counts that are still to be learned from, as a sum: columns, tokens, the noise in them, and how many they are."""

    row: _Row = (0.0,) * _SIZE
    tokens: float = 0.0
    noise: float = 0.0
    counts: int = 0


class Fit:
    """How one tokenizer's counts differ from what `measure` expects. A Kalman filter over the counts seen.

    To learn from a count costs more than the rest of it. One that was foreseen, of texts that are known well, waits
    until there are some, which are then learned from as one.
    """

    def __init__(self) -> None:
        self.means: list[float] = [*_MEANS]
        """The factor of each column, and the tokens that the provider adds in front of the prompt."""
        self.weights: tuple[float, ...] = _MEANS[:FACTORS]
        """The factors, renewed each time the number of counts has grown by a quarter."""
        self._spread = [
            [_COMMON**2 if i < FACTORS and j < FACTORS else 0.0 for j in range(_SIZE)] for i in range(_SIZE)
        ]
        for i, deviation in enumerate((*_APART, _HIDDEN)):
            self._spread[i][i] += deviation**2
        self._wider = 1.0
        self._seen = 0
        self._next = _WARM
        self._bases: OrderedDict[Hashable, _Base] = OrderedDict()
        self._waiting = _Waiting()

    @property
    def warm(self) -> bool:
        """Whether so many counts were seen that the estimate rests on them."""
        return self._seen >= _WARM

    @property
    def hidden(self) -> float:
        """Tokens that the provider adds in front of the prompt."""
        return max(0.0, self.means[FACTORS])

    @property
    def variance_hidden(self) -> float:
        """Variance of these."""
        return self._spread[FACTORS][FACTORS]

    def estimate(self, columns: _Row) -> float:
        """The tokens of text with these columns, without the hidden ones."""
        return sum(map(mul, self.weights, columns))

    def noise(self, variance: float, *, first: bool = False) -> float:
        """Variance of a stretch of text around its estimate, of which `measure` expects this one.

        A head (`first`) is of few texts, and nothing that is learned behind it says how unusual these are.
        """
        return (max(_HEAD, self._wider) if first else self._wider) * variance + 1.0

    def times_spread(self, row: _Row) -> list[float]:
        """The covariance of what is learned, times a row."""
        product = [0.0] * _SIZE
        for value, line in zip(row, self._spread, strict=True):
            # Most texts are of few kinds of characters. The covariance is symmetric, so its lines are its columns.
            if value:
                product = [*map(add, product, map(mul, repeat(value), line))]
        return product

    def observe(self, columns: _Row, tokens: int, *, weight: float, shared: float, names: Sequence[Hashable]) -> None:
        """Learn that a whole prompt has so many tokens.

        The first count of a head is taken as it is. Of a later one only the difference to the one before says
        something new: whatever is unusual about the head is in both.

        Args:
            columns: Of the whole prompt.
            tokens: What the provider counted.
            weight: The estimate of the whole prompt.
            shared: The estimate of what it has in common with the earlier prompt of the first name that is known.
            names: What earlier prompts that it goes on from, or shares its head with, were named, the closest first.
        """
        if tokens <= 0 or not any(columns):
            return
        bases, base = self._bases, _Base(columns, tokens, weight)
        before: _Base | None = None
        for name in names:
            before = before or bases.get(name)
            bases[name] = base
            bases.move_to_end(name)
        while len(bases) > _MOST_BASES:
            bases.popitem(last=False)
        if before is None:
            self._learn([*columns[:FACTORS], 1.0], float(tokens), weight, columns[FACTORS])
        else:
            row = [*map(sub, columns[:FACTORS], before.columns), 0.0]
            new = max(0.0, weight + before.weight - 2 * shared)
            self._learn(row, float(tokens - before.tokens), new, columns[FACTORS] * new / weight if weight else 0.0)

    def _learn(self, row: _Row, tokens: float, new: float, expected: float) -> None:
        if new < _LEAST_NEW:
            return
        first = row[FACTORS] > 0
        gain = self.times_spread(row)
        unknown, noise = sum(map(mul, gain, row)), self.noise(expected, first=first)
        off = tokens - sum(map(mul, self.means, row))
        variance = unknown + noise
        surprise = off * off / variance
        if first and off > 0 and surprise > 1.0 and not self.warm:
            # No text explains so many: that much more is hidden, until other heads tell.
            self._spread[FACTORS][FACTORS] += off * off - variance
            gain[FACTORS] += off * off - variance
            variance, surprise = off * off, 1.0
        if surprise > _OUTLIER**2:
            # Something else is in this count: it moves the estimate as far as a usual one could.
            variance *= surprise / _OUTLIER**2
        self._wider += _MEMORY * (min(surprise, _OUTLIER**2) - self._wider)
        self._wider = min(8.0, max(0.5, self._wider))
        self._seen += 1
        if self.warm and not first and surprise <= 1.0 and unknown <= _KNOWN * noise:
            self._wait(row, tokens, noise)
        else:
            self._update(gain, variance, off, 1)

    def _wait(self, row: _Row, tokens: float, noise: float) -> None:
        """Keep a count until some can be learned from as one."""
        before = self._waiting
        # Of what one prompt has more and the next one less, a sum would say nothing.
        merge = sub if sum(map(mul, before.row, row)) < 0 else add
        row, tokens, noise = [*map(merge, before.row, row)], merge(before.tokens, tokens), before.noise + noise
        if before.counts + 1 < _TOGETHER:
            self._waiting = _Waiting(row, tokens, noise, before.counts + 1)
            return
        self._waiting = _Waiting()
        gain = self.times_spread(row)
        off = tokens - sum(map(mul, self.means, row))
        self._update(gain, sum(map(mul, gain, row)) + noise, off, _TOGETHER)

    def _update(self, gain: _Row, variance: float, off: float, counts: int) -> None:
        """Learn that so many `counts` are off by this, of which the variance was foreseen."""
        shares = [g / variance for g in gain]
        self.means = [*map(add, self.means, map(mul, repeat(off), shares))]
        self._spread = [
            [*map(sub, line, map(mul, repeat(share), gain))] if share else line
            for line, share in zip(self._spread, shares, strict=True)
        ]
        for i in range(FACTORS):
            self._spread[i][i] += counts * _DRIFT
        if self._seen >= self._next:
            self._next = self._seen + max(1, self._seen // 4)
            self.weights = tuple(max(0.1, mean) for mean in self.means[:FACTORS])


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


class _Stretch(NamedTuple):
    """What is expected between two anchors: its columns times the covariance, its variance, and what is left.

    `hides` is the variance of tokens that may be hidden in front of it, though none were expected.
    """

    spread: list[float]
    variance: float
    off: float
    hides: float = 0.0


class Positions:
    """Token counts at the positions of one prompt: exact where anchored, estimated between.

    Between two anchors the estimate is the mean of a Gaussian that is tied to both: what the stretch is longer than
    expected is given to its parts by how uncertain each is.

    Args:
        columns: The columns of the prompt up to each position, one after another; the first are 0.
        anchors: Known token counts by position.
        fit: What is known of the tokenizer.
    """

    __slots__ = ("_anchors", "_columns", "_fit", "_hides", "_known", "_stretches")

    def __init__(self, columns: "array[float]", anchors: Mapping[int, int], fit: Fit) -> None:
        self._columns = columns
        self._fit = fit
        self._anchors = anchors
        # Counts grow with the position; one that does not is of another prompt's making and is not used.
        rising = sorted(anchors)
        self._known = [p for i, p in enumerate(rising) if i == 0 or anchors[p] >= anchors[rising[i - 1]]]
        self._stretches: dict[int, _Stretch] = {}
        self._hides = True

    def at(self, position: int, into: _Row | None = None, unsure: float = 0.0) -> tuple[int, float]:
        """Tokens of a prefix, and the bound on their error, relative to them; 1 where nothing is claimed.

        Args:
            position: Where it ends.
            into: The columns of what it has besides of the segment behind `position`.
            unsure: Tokens within which it ends somewhere, about half of them in `into`.
        """
        if into is None and position in self._anchors:
            return self._anchors[position], 0.0
        if into is None and not position:
            return 0, 0.0
        i = bisect_right(self._known, position)
        before = self._known[i - 1] if i else 0
        base = float(self._anchors.get(before, 0))
        after = self._known[i] if i < len(self._known) else None
        stretch = self._stretch(before, after, base) if after is not None else None
        row, text = self._row(before, position)
        if into is not None:
            segment, variance = self._row(position, position + 1)
            row = [*map(add, row, into[:FACTORS]), row[FACTORS]]
            # A text is of one style, so that what it is off by is spread evenly over it.
            text += variance * min(1.0, sum(into[:FACTORS]) / max(1.0, sum(segment[:FACTORS])))
        uneven = unsure * unsure / 12
        fit = self._fit
        mean = max(0.0, sum(map(mul, fit.means, row)))
        variance = sum(map(mul, fit.times_spread(row), row)) + fit.noise(text, first=not before)
        if stretch is not None and after is not None:
            shared = sum(map(mul, stretch.spread, row)) + fit.noise(text, first=not before)
            mean += stretch.off * shared / stretch.variance
            mean = min(max(0.0, mean), self._anchors[after] - base)
            variance -= shared * shared / stretch.variance
            variance += stretch.hides * (1.0 - shared / stretch.variance) ** 2
        tokens = base + mean
        unsure = _BOUND * max(0.0, variance + uneven) ** 0.5 + 0.5
        return round(tokens), (min(1.0, unsure / tokens) if tokens > 0 else 0.0)

    def _row(self, before: int, position: int) -> tuple[list[float], float]:
        """What lies between two positions, and its variance; the hidden tokens stand in front of the first."""
        columns, start, end = self._columns, before * _WIDTH, position * _WIDTH
        row = [*map(sub, columns[end : end + _WIDTH], columns[start : start + _WIDTH])]
        variance = row[FACTORS]
        row[FACTORS] = 1.0 if self._hides and before not in self._anchors else 0.0
        return row, variance

    def _stretch(self, before: int, after: int, base: float) -> _Stretch:
        known = self._stretches.get(before)
        if known is None:
            row, variance = self._row(before, after)
            known = self._expected(row, variance, self._anchors[after] - base, first=not before)
            share = known.spread[FACTORS] / known.variance
            hidden = self._fit.means[FACTORS] + share * known.off
            if row[FACTORS] and hidden < 0:
                # No tokens are hidden: what the text is shorter than expected is the text's own.
                self._hides = False
                hides = _EITHER * _above_zero(hidden, self._fit.variance_hidden - share * known.spread[FACTORS])
                known = self._expected([*row[:FACTORS], 0.0], variance, self._anchors[after] - base, first=not before)
                known = known._replace(hides=hides)
            self._stretches[before] = known
        return known

    def _expected(self, row: _Row, variance: float, tokens: float, *, first: bool) -> _Stretch:
        fit = self._fit
        mean = sum(map(mul, fit.means, row))
        spread = fit.times_spread(row)
        return _Stretch(spread, sum(map(mul, spread, row)) + fit.noise(variance, first=first), tokens - mean)


def _above_zero(mean: float, variance: float) -> float:
    """The mean square of a Gaussian with a mean below 0, where it is above: within a tenth for three deviations."""
    return variance / (1.0 - mean / (2.0 * variance**0.5)) ** 2 if variance > 0 else 0.0
