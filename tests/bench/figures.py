"""What a measurement gives: figures with a unit, some with a budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, quantiles
from typing import Protocol


@dataclass(frozen=True)
class Budget:
    """How large a figure may be, or how large it must be where `least`."""

    limit: float
    least: bool = False

    def holds(self, value: float) -> bool:
        return value >= self.limit if self.least else value <= self.limit

    def __str__(self) -> str:
        return f"{'>=' if self.least else '<='} {number(self.limit)}"


def at_least(limit: float) -> Budget:
    return Budget(limit, least=True)


def at_most(limit: float) -> Budget:
    return Budget(limit)


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    value: float
    unit: str
    budget: Budget | None = None

    @property
    def verdict(self) -> str:
        """`ok` or `over`; nothing without a budget."""
        if self.budget is None:
            return ""
        return "ok" if self.budget.holds(self.value) else "over"


class Measure(Protocol):
    """Measures in an empty folder; `short` is a round on small input, which shows that it works and no more."""

    def __call__(self, folder: Path, *, short: bool) -> list[Figure]: ...


@dataclass(frozen=True)
class Measurement:
    """A name to choose it by, what it does, and how."""

    name: str
    about: str
    measure: Measure


def medians(runs: Sequence[Sequence[Figure]]) -> list[Figure]:
    """Each figure of several runs as the middle of them."""
    return [replace(same[0], value=median(f.value for f in same)) for same in zip(*runs, strict=True)]


def p99(values: Sequence[float]) -> float:
    """What one value in a hundred exceeds."""
    return quantiles(values, n=100, method="inclusive")[-1]


def number(value: float) -> str:
    """Three digits or a few more, never an exponent."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
