"""Where and when a call costs a multiple of the list price: rules with their source, in `conditions.toml`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, Final, Self

__all__ = ["Conditions", "Peak", "Place"]

ANYWHERE: Final = frozenset({None, "", "global", "not_available"})
"""How providers say that a call ran wherever there was room, at the list price."""

_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A factor on the token prices of calls that run in some places only."""

    provider: str
    places: tuple[str, ...]
    models: tuple[str, ...]
    multiplier: Decimal

    def matches(self, provider: str, model: str, place: str) -> bool:
        """Whether it is for a call of this model in that place."""
        return (
            provider == self.provider
            and any(fnmatchcase(place, pattern) for pattern in self.places)
            and any(fnmatchcase(model, pattern) for pattern in self.models)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """A factor on the off-peak price in some hours (UTC) of working days."""

    provider: str
    models: tuple[str, ...]
    multiplier: Decimal
    windows: tuple[tuple[int, int], ...]
    off_peak_hour: int
    starts: date
    weekends_off_from: date
    days_off: frozenset[date]
    days_known_until: date

    def matches(self, provider: str, model: str) -> bool:
        """Whether it is for this model."""
        return provider == self.provider and any(fnmatchcase(model, pattern) for pattern in self.models)

    def off_peak(self, at: datetime) -> datetime:
        """An instant of the same day that the list prices off-peak."""
        return at.replace(hour=self.off_peak_hour, minute=0, second=0, microsecond=0)

    def factor(self, at: datetime) -> Decimal | str:
        """The factor on the off-peak price at `at`, or `unknown_date` where the working days are not known yet."""
        day = at.date()
        if day < self.starts or not any(first <= at.hour < last for first, last in self.windows):
            return Decimal(1)
        if day >= self.weekends_off_from and at.weekday() >= _SATURDAY:
            return Decimal(1)
        if day in self.days_off:
            return Decimal(1)
        return self.multiplier if day < self.days_known_until else "unknown_date"


@dataclass(frozen=True, slots=True)
class Conditions:
    """The rules of places and of peak hours."""

    places: tuple[Place, ...] = ()
    peaks: tuple[Peak, ...] = ()

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        """The rules of a parsed `conditions.toml`."""
        return cls(
            tuple(
                Place(
                    provider=rule["provider"],
                    places=tuple(rule["places"]),
                    models=tuple(rule["models"]),
                    multiplier=Decimal(rule["multiplier"]),
                )
                for rule in data.get("place", ())
            ),
            tuple(
                Peak(
                    provider=rule["provider"],
                    models=tuple(rule["models"]),
                    multiplier=Decimal(rule["multiplier"]),
                    windows=tuple((first, last) for first, last in rule["windows"]),
                    off_peak_hour=rule["off_peak_hour"],
                    starts=rule["from"],
                    weekends_off_from=rule["weekends_off_from"],
                    days_off=frozenset(rule["days_off"]),
                    days_known_until=rule["days_known_until"],
                )
                for rule in data.get("peak", ())
            ),
        )

    def place_factor(self, providers: Sequence[str], model: str, place: str | None) -> Decimal | str:
        """The factor on a call that ran in `place`, or `unknown_geo` when no rule knows it."""
        if place in ANYWHERE or place is None:
            return Decimal(1)
        for rule in self.places:
            if any(rule.matches(provider, model, place.lower()) for provider in providers):
                return rule.multiplier
        return "unknown_geo"

    def peak(self, provider: str, model: str) -> Peak | None:
        """The peak hours of a model, if it has any."""
        return next((rule for rule in self.peaks if rule.matches(provider, model)), None)
