"""The definitions of a controller's own log, format 9003, as the simulated pump writes them, and the file they head.

The other way round from `processlog`, and told apart from it on purpose: what one of both misunderstands, the other
does not repeat by itself.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

#: The format that is written.
_VERSION = 9003

_FACTOR, _OUTPUTS, _HIDDEN, _SERVICE = 0x80, 0x80, 0x40, 0x20
_COLOUR = b"\x00\x80\x80"


@dataclass(frozen=True)
class Category:
    """A heading; takes no word of a record."""

    name: str

    def encode(self) -> bytes:
        return b"\0" + _text(self.name)


@dataclass(frozen=True)
class Analogue:
    """A signed word; `factor` None is the usual 10."""

    name: str
    factor: int | None = None
    hidden: bool = False
    service: bool = False

    def encode(self) -> bytes:
        flags = _HIDDEN * self.hidden | _SERVICE * self.service
        factor = b""
        if self.factor is not None:
            flags, factor = flags | _FACTOR, struct.pack("<H", self.factor)
        return bytes([1 | flags]) + _text(self.name) + _COLOUR + factor


@dataclass(frozen=True)
class Digital:
    """A word of bits, the first name's the lowest; masks have a bit for each.

    All are inputs or all are `outputs`, unless `directions` says for each whether it is an output.
    """

    names: tuple[str, ...]
    outputs: bool = False
    directions: int | None = None
    visible: int | None = None
    service: int | None = None

    def encode(self) -> bytes:
        kind = 2 if self.directions is None else 4
        flags = _OUTPUTS * self.outputs | _HIDDEN * (self.visible is not None) | _SERVICE * (self.service is not None)
        masks = [mask for mask in (self.visible, self.service, self.directions) if mask is not None]
        head = struct.pack(f"<BB{len(masks)}H", kind | flags, len(self.names), *masks)
        return head + b"".join(_text(name) + _COLOUR for name in self.names)


@dataclass(frozen=True)
class Enum:
    """An unsigned word that chooses one of some names."""

    name: str
    choices: tuple[str, ...]
    hidden: bool = False
    service: bool = False

    def encode(self) -> bytes:
        flags = _HIDDEN * self.hidden | _SERVICE * self.service
        return bytes([3 | flags]) + _text(self.name) + bytes([len(self.choices)]) + b"".join(map(_text, self.choices))


#: What takes a word of a record, and all that a header holds.
Value = Analogue | Digital | Enum
Definition = Category | Value


def record(time_s: int, words: Sequence[int]) -> bytes:
    """One record: Unix seconds and a word for each value, signed or not."""
    return struct.pack(f"<I{len(words)}H", time_s, *(word & 0xFFFF for word in words))


def whole(definitions: Sequence[Definition], records: Sequence[bytes], torn: bytes = b"") -> bytes:
    """A file: header, a torn piece of a record before the oldest one, records with the oldest first."""
    header = b"".join(each.encode() for each in definitions)
    values = sum(not isinstance(each, Category) for each in definitions)
    head = struct.pack("<IIHH", _VERSION, len(header) + 4, len(records), 4 + 2 * values)
    return b"".join((head, header, torn, *records))


def _text(text: str) -> bytes:
    return text.encode("latin-1") + b"\0"
