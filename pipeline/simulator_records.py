"""The simulated controller's own log: what it would have answered in each minute of the last 48 hours, format 9003.

Fields stand and are called as in a log of firmware V1.86 and in one of V3.87. Those whose calculation is known hold its
raw integer of that moment; those of a calculation that the controller does not have are left out, as real ones do. The
others are what no calculation says, or 0.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Literal

from pipeline.processlog_fields import Field, Kind, calculation_of
from pipeline.simulator_answers import Source
from pipeline.simulator_fields import Analogue, Category, Definition, Digital, Enum, record, whole

Dialect = Literal["V1", "V3"]

#: Records of a log, and seconds from one to the next: 48 hours.
RECORDS, STEP_S = 2880, 60

#: Calculations: the controller's clock, its firmware's letters, the pump's type, the mode, the return's target.
_CLOCK, _FIRMWARE, _TYPE, _MODE, _TARGET = 134, slice(81, 91), 78, 80, 12

#: By how much a field lies, in its raw integers: what a proof must notice, and no eye does.
LIE = 50

#: Bytes of the torn piece that one real log has between its header and its oldest record.
TORN = 22

_OUTPUTS = (
    *("HUPout", "ZUPout", "BUPout", "ZW2SSTout", "MA1out", "MZ1out", "ZIPout"),
    *("VD1out", "VD2out", "VENout", "AVout", "VBOout", "ZW1out"),
)

_V1: tuple[Definition, ...] = (
    Category("Text_Grundplatine"),
    *map(Analogue, ("TVL", "TRL", "TWE", "TWA", "THG", "TBW")),
    Analogue("TFB1", hidden=True),
    *map(Analogue, ("TA", "Mitteltemperatur")),
    Analogue("TRL_ext", hidden=True),
    Analogue("TRL_soll"),
    Analogue("MK1-Soll", hidden=True),
    Analogue("Bivalence"),
    Analogue("Demand", service=True),
    Digital(("HDin", "NDin", "MOTin", "ASDin", "EVUin"), visible=0x1F),
    Digital(_OUTPUTS, outputs=True, visible=0x1ACF),
    Category("Text_Anlagenstatus"),
    Analogue("Text_SW_Stand", 1, service=True),
    Analogue("Text_WP_Typ", 1, service=True),
)

_V3: tuple[Definition, ...] = (
    Category("Text_Heizkreis"),
    *map(Analogue, ("Text_Vorlauf", "Text_VL_Soll", "Text_Rucklauf", "Text_Ruecklext", "Text_RL_Soll")),
    *map(Analogue, ("Text_Aussent", "Text_Mitteltemperatur")),
    Analogue("Text_BW_oben", hidden=True),
    *map(Analogue, ("Text_BW_Ist", "Text_BW_Soll")),
    Analogue("Text_MK1_Vorlauf", hidden=True),
    Analogue("Text_MK1VL_Soll", hidden=True),
    *map(Analogue, ("Text_MK2_Vorlauf", "Multi1", "Text_PWM_UWP")),
    *map(Analogue, ("Text_Solarsp", "Text_Solarkoll", "Text_Ext_Energ")),
    Digital(("Text_EVU", "Text_EVU 2", "Text_MOT", "Text_ASD", "Text_SWT"), visible=0x0F),
    Digital(("Text_HUP", "Text_ZUP", "Text_BUP", "Text_FUP1", "Text_Mischer1Auf"), outputs=True, visible=0x0F),
    Digital(("Text_ZIP", "Text_ZWE1", "Text_ZWE2_SST", "Text_ZWE3"), outputs=True, visible=0x0F),
    Category("ChD_Kae_Kreis"),
    *map(Analogue, ("Text_Heissgas", "Text_Verdampfungstemp", "Text_Verfluessigungstemp", "Text_Ueberhitzung")),
    Analogue("Text_Ueberhitzung_Soll", hidden=True),
    *map(Analogue, ("Text_Ansaug_Verdichter", "Text_VD_Heizung", "Text_ND", "Text_HD")),
    Digital(
        ("Text_HD", "IN 3", "Text_Verdichter", "Text_VD_Heizung", "Text_Abtauventil"), directions=0x1C, visible=0x0F
    ),
    Category("LA_HeatSource"),
    *map(Analogue, ("Text_WQ_Ein", "Text_Kaltekreis")),
    Digital(("Text_Ventil_BOSUP",), outputs=True, visible=0x01),
    Category("Text_Anlagenstatus"),
    Analogue("Text_Betr_Zust", 1),
    Analogue("Text_SW_Stand", 1, service=True),
    Analogue("Text_WP_Typ", 1, service=True),
    Enum("DhwBoost status", ("Disabled", "NoBoostDemand", "Counting"), service=True),
    Digital(("Signal_HAN", "Signal_BAN", "EVU_ready"), directions=0x04, service=0x07),
)

_DIALECTS: dict[Dialect, tuple[Definition, ...]] = {"V1": _V1, "V3": _V3}


def encode_log(
    source: Source,
    end_s: int,
    dialect: Dialect = "V3",
    *,
    records: int = RECORDS,
    torn: bool = False,
    lying: Collection[int] = (),
) -> bytes:
    """The log of a controller that answers as `source` does, as its file was written at `end_s`, seconds since 1970.

    The source is asked for a moment a minute, the last one `end_s`. A record has the time that the controller's own
    clock (calculation 134) showed then, or that moment where it has none. `torn` puts a piece of an older record before
    the oldest one; fields of the calculations in `lying` are `LIE` more than the truth.
    """
    return Writer(source, dialect, lying).file(end_s, records=records, torn=torn)


class Writer:
    """Writes the log of one source again and again, and asks it for each minute once."""

    def __init__(self, source: Source, dialect: Dialect = "V3", lying: Collection[int] = ()) -> None:
        self._source = source
        self._dialect: Dialect = dialect
        self._lying = lying
        self._defined: list[Definition] = []
        self._words: list[Callable[[Sequence[int]], int]] = []
        self._known: dict[int, bytes] = {}

    def file(self, end_s: int, *, records: int = RECORDS, torn: bool = False) -> bytes:
        """The file as it was written at that second."""
        defined = _present(_DIALECTS[self._dialect], len(self._answer(end_s)))
        if defined != self._defined:
            self._defined, self._known = defined, {}
            self._words = [_word(each, self._lying) for each in defined if not isinstance(each, Category)]
        moments = range(end_s - (records - 1) * STEP_S, end_s + 1, STEP_S)
        self._known = {at: self._known.get(at) or self._record(at) for at in moments}
        rows = list(self._known.values())
        return whole(defined, rows, rows[0][:-1][-TORN:] if torn and rows else b"")

    def _record(self, unix: int) -> bytes:
        told = self._answer(unix)
        return record(_told(told, _CLOCK) or unix, [word(told) for word in self._words])

    def _answer(self, unix: int) -> Sequence[int]:
        return self._source(datetime.fromtimestamp(unix, UTC)).calculations


def _present(defined: Sequence[Definition], calculations: int) -> list[Definition]:
    """The definitions without the fields of calculations that there are not."""
    return [
        each
        for each in defined
        if not isinstance(each, Analogue) or (_calculation("analogue", each.name) or 0) < calculations
    ]


@cache
def _calculation(kind: Kind, name: str) -> int | None:
    return calculation_of(Field("", kind, name))


def _word(each: Analogue | Digital | Enum, lying: Collection[int]) -> Callable[[Sequence[int]], int]:
    """What makes a field's word of the calculations."""
    if isinstance(each, Digital):
        bits = [(1 << n, calculation) for n in range(len(each.names)) if (calculation := _bit(each, n)) is not None]
        return lambda told: sum(bit for bit, calculation in bits if _told(told, calculation))
    calculation = _calculation("analogue", each.name) if isinstance(each, Analogue) else None
    if calculation is None:
        return _OTHERS.get(each.name, _nothing)
    lie = LIE * (calculation in lying)
    return lambda told: _told(told, calculation) + lie


def _bit(word: Digital, n: int) -> int | None:
    """The calculation that a bit repeats."""
    output = word.outputs if word.directions is None else word.directions >> n & 1
    return _calculation("output" if output else "input", word.names[n])


def _told(told: Sequence[int], calculation: int) -> int:
    """A calculation; 0 where an answer is too short to have it, as an older one may be."""
    return told[calculation] if calculation < len(told) else 0


def _nothing(_: Sequence[int]) -> int:
    return 0


def _firmware(told: Sequence[int]) -> int:
    """The digits of the firmware's version as one number, as 1862 of V1.86.2."""
    digits = "".join(chr(code) for code in told[_FIRMWARE] if 0x30 <= code <= 0x39)
    return int(digits.ljust(4, "0")[:4])


#: What fields say that repeat no calculation which is known; those that are not here say 0.
_OTHERS: dict[str, Callable[[Sequence[int]], int]] = {
    "Text_SW_Stand": _firmware,
    "Text_WP_Typ": lambda told: _told(told, _TYPE),
    "Text_VL_Soll": lambda told: _told(told, _TARGET) + 50,
    "DhwBoost status": lambda told: 2 if _told(told, _MODE) == 1 else 1,
    "Demand": lambda told: int(_told(told, _MODE) == 0),
}
