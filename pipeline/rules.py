"""What a setting's value must be, and how a problem with it is told.

A rule takes what a person wrote, text or a TOML value, and gives what the program uses. It raises ValueError with the
words that follow 'FIELD: '.
"""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time
from ipaddress import ip_address
from typing import Any

Rule = Callable[[object], Any]

#: Characters that a token has at least.
LEAST_TOKEN = 12

_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{1,9})?")
_TIME_OF_DAY = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_DAYS_AGO = re.compile(r"-[1-9][0-9]{0,4}d")
_DAY_OR_TIME = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}([T ][0-9:.]{5,15}(Z|[+-][0-9]{2}:[0-9]{2})?)?")
_FOUR_NUMBERS = re.compile(r"[0-9]+(\.[0-9]+){3}")

# Enough of a value to recognise it: a file may hold a megabyte of text, or YAML that refers to itself.
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 200
_SHORT.maxlevel = 2


class Problems(list[str]):
    """What is wrong, each a line 'FIELD: rule (got value)'."""

    def add(self, field: str, rule: str, value: object) -> None:
        line = f"{field}: {rule} (got {_shown(value)})"
        # A field's name can come from a file, line breaks and all.
        self.append("".join(char if char.isprintable() else repr(char)[1:-1] for char in line))


def _shown(value: object) -> str:
    try:
        return _SHORT.repr(value)
    except ValueError:  # a hexadecimal number in TOML can be longer than Python will write in decimals
        return "a number of thousands of digits"


def text(value: object) -> str:
    """The text that was written; of a TOML date or time, its ISO form."""
    if isinstance(value, date | time):
        value = value.isoformat()
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError("must be text in quotes, without control characters")
    return value


def whole(low: int, high: int, unit: str = "") -> Rule:
    """A rule for whole numbers, written as numbers or as text."""

    def rule(value: object) -> int:
        found = _number(value, _WHOLE)
        if found is None or not low <= found <= high:
            raise ValueError(f"must be a whole number from {low} to {high} {unit}".rstrip())
        return int(found)

    return rule


def number(low: int, high: int, unit: str) -> Rule:
    """A rule for numbers that may have a fraction."""

    def rule(value: object) -> float:
        found = _number(value, _NUMBER)
        if found is None or not low <= found <= high:
            raise ValueError(f"must be a number from {low} to {high} {unit}")
        return float(found)

    return rule


def _number(value: object, form: re.Pattern[str]) -> float | None:
    # By the form, not by int() and float(): those also take 1_000, ' 5 ', '٣' and 'nan'. And True is an int.
    if type(value) is int:
        return value
    if isinstance(value, str) and form.fullmatch(value):
        return float(value)
    return None


def choice(*options: str) -> Rule:
    """A rule for one of a few words, in any case."""

    def rule(value: object) -> str:
        word = text(value).lower()
        if word not in options:
            raise ValueError(f"must be one of {', '.join(options)}")
        return word

    return rule


def yes_or_no(value: object) -> bool:
    """True or false, as a truth value or as the word."""
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else ""
    if word not in ("true", "false"):
        raise ValueError("must be true or false")
    return word == "true"


def token(value: object) -> str:
    """A secret that is empty, or long enough and fit for the header of a request."""
    secret = text(value)
    if secret and not (len(secret) >= LEAST_TOKEN and secret.isascii() and " " not in secret):
        raise ValueError(f"must be empty, or {LEAST_TOKEN} or more ASCII characters without spaces")
    return secret


def host(value: object) -> str:
    """A host name or an IP address, and nothing around it."""
    name = text(value)
    if not name or " " in name:
        raise ValueError("must be a name or an address without spaces, such as 192.168.1.20")
    if "/" in name:
        raise ValueError("must be the name or address alone, without http:// and without a path")
    if not _is_ip(name):
        _check_host_name(name)
    return name


def _check_host_name(name: str) -> None:
    if ":" in name:
        raise ValueError("must be the name or address alone, the port is a setting of its own")
    if _FOUR_NUMBERS.fullmatch(name):
        raise ValueError("must be an IP address of four numbers from 0 to 255")
    try:
        # As the socket will encode it; its UnicodeError in the middle of a poll would be no network error.
        name.encode("idna")
    except UnicodeError:
        raise ValueError("must be a name that can stand in the DNS") from None


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def host_or_none(value: object) -> str | None:
    """A host, or None where the text is empty."""
    return None if value == "" else host(value)


def path(value: object) -> str:
    """The text of a path, not yet absolute."""
    name = text(value)
    if not name:
        raise ValueError("must be a path, not empty")
    if name.startswith("~"):
        raise ValueError("must be a path without '~', which only a shell understands")
    return name


def time_of_day(value: object) -> time:
    """A local time of the 24 hour clock."""
    if match := _TIME_OF_DAY.fullmatch(text(value)):
        with suppress(ValueError):
            hour, minute, second = (int(part or 0) for part in match.groups())
            return time(hour, minute, second)
    raise ValueError("must be a time of day, HH:MM or HH:MM:SS, from 00:00 to 23:59:59")


def moment(value: object) -> str:
    """A local day, an ISO time or days before now, as it was written; empty for no bound."""
    name = text(value)
    if name and not _DAYS_AGO.fullmatch(name) and not _is_day_or_time(name):
        raise ValueError("must be empty, a day (2026-10-01), a time (2026-10-01T12:00+02:00) or days ago (-30d)")
    return name


def _is_day_or_time(name: str) -> bool:
    if not _DAY_OR_TIME.fullmatch(name):
        return False
    try:
        datetime.fromisoformat(name)
    except ValueError:
        return False
    return True


def names(value: object) -> tuple[str, ...]:
    """Names from a list, from text with commas or from JSON."""
    found = [item.strip() if isinstance(item, str) else "" for item in _items(value)]
    if not all(item.isprintable() and item for item in found):
        raise ValueError("must be a list of names, or names with commas between them")
    return tuple(found)


def _items(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    if not isinstance(value, str):
        return [value]
    if value.lstrip().startswith("["):
        return _json_items(value)
    return list(value.split(",")) if value.strip() else []


def _json_items(value: str) -> list[object]:
    try:
        items: list[object] = json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError("must be a list of names in JSON where it begins with '['") from None
    return items
