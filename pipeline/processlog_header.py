"""The header of the controller's own log, format 9003: the definitions of its fields, back to back.

A definition begins with an id: its low four bits are the kind, the upper ones flags. Strings are Latin-1 and end with a
zero; a colour of three bytes goes with each plotted name. Nothing is read beyond the header's end, and whatever does
not fit raises: a definition that was misread would move all values behind it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.errors import ProcessLogError
from pipeline.processlog_fields import Field, Kind

#: Kinds of definitions; a category takes no word of a record, each other one takes one.
CATEGORY, ANALOGUE, DIGITAL, ENUM, MIXED = range(5)

#: Flags of an id: outputs, or for analogue fields a factor; hidden, or a mask of what is visible; for service only, or
#: a mask of that. One bit is in no log known.
FLAGGED, HIDDEN, SERVICE, _UNKNOWN = 0x80, 0x40, 0x20, 0x10

#: Bits of a digital word, and so the most names that one has.
WORD_BITS = 16

#: The factor of analogue fields that tell none.
USUAL_FACTOR = 10

_COLOUR = 3

#: Characters that no name has and that would act on the terminal which shows it.
_CONTROLS = frozenset(map(chr, (*range(0x20), *range(0x7F, 0xA0))))


def read(definitions: bytes) -> tuple[tuple[Field, ...], int]:
    """The fields of a record in the order of their words, bits from the lowest on, and how many words they take.

    Raises:
        ProcessLogError: the definitions do not end where the header does, or one is of no known form.
    """
    reader = _Definitions(definitions)
    return tuple(reader.fields()), reader.words


class _Definitions:
    """The definitions, read one after the other; `words` counts those that take one."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._category = ""
        self.words = 0

    def fields(self) -> Iterator[Field]:
        while self._at < len(self._data):
            mark = self._number(1)
            if mark & _UNKNOWN:
                raise ProcessLogError(f"the process log has a definition with id 0x{mark:02x}, which is not known")
            if mark & 0xF == CATEGORY:
                self._category = self._name()
                continue
            yield from self._value(mark)
            self.words += 1

    def _value(self, mark: int) -> Iterator[Field]:
        """The fields of one word."""
        kind = mark & 0xF
        if kind == ANALOGUE:
            yield self._analogue(mark)
        elif kind == ENUM:
            yield self._enum(mark)
        elif kind in (DIGITAL, MIXED):
            yield from self._bits(mark)
        else:
            raise ProcessLogError(f"the process log has a definition of kind {kind}, which is not known")

    def _analogue(self, mark: int) -> Field:
        name = self._name()
        self._take(_COLOUR)
        factor = self._number(2) if mark & FLAGGED else USUAL_FACTOR
        return Field(self._category, "analogue", name, factor, bool(mark & HIDDEN), self.words)

    def _enum(self, mark: int) -> Field:
        name = self._name()
        for _ in range(self._number(1)):
            self._name()
        return Field(self._category, "enum", name, 1, bool(mark & HIDDEN), self.words)

    def _bits(self, mark: int) -> Iterator[Field]:
        count = self._number(1)
        if count > WORD_BITS:
            raise ProcessLogError(f"the process log has a digital word of {count} bits, more than {WORD_BITS}")
        visible = self._number(2) if mark & HIDDEN else (1 << WORD_BITS) - 1
        if mark & SERVICE:
            self._take(2)
        outputs = -1 if mark & FLAGGED else 0
        if mark & 0xF == MIXED:
            outputs = self._number(2)
        for bit in range(count):
            kind: Kind = "output" if outputs >> bit & 1 else "input"
            name = self._name()
            self._take(_COLOUR)
            yield Field(self._category, kind, name, 1, not visible >> bit & 1, self.words, bit)

    def _take(self, count: int) -> bytes:
        piece = self._data[self._at : self._at + count]
        if len(piece) < count:
            raise ProcessLogError("the process log has a definition that does not end within its header")
        self._at += count
        return piece

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "little")

    def _name(self) -> str:
        end = self._data.find(b"\0", self._at)
        if end < 0:
            raise ProcessLogError("the process log has a name that does not end within its header")
        name = self._take(end - self._at).decode("latin-1")
        self._at += 1
        if not _CONTROLS.isdisjoint(name):
            raise ProcessLogError(f"the process log has the name {name!r}, which is no text")
        return name
