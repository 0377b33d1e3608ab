"""The fields of the controller's own log, and which calculation of its live answers each one repeats.

The raw word of a field equals the raw integer of its calculation. The table was found by laying logs of real
controllers beside what their firmware calls the same value; names are those of firmware V1.x and V3.x.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["analogue", "input", "output", "enum"]


@dataclass(frozen=True)
class Field:
    """One value of every record; a digital word is a field for each of its bits.

    `factor` is the scale of the controller's own plot, no unit. `hidden` is what the controller does not show, as a
    sensor that is not fitted. `word` is the place among a record's words, `bit` that in the word, None for all of it.
    """

    category: str
    kind: Kind
    name: str
    factor: int = 10
    hidden: bool = False
    word: int = 0
    bit: int | None = None

    @property
    def key(self) -> tuple[str, Kind, str]:
        """What tells fields apart: names alone come twice, as a pressure and the switch of that pressure do."""
        return self.category, self.kind, self.name


#: Temperatures: name in V1.x, name in V3.x, calculation; tenths of a degree Celsius.
_TEMPERATURES = (
    ("TVL", "Text_Vorlauf", 10),
    ("TRL", "Text_Rucklauf", 11),
    ("TRL_soll", "Text_RL_Soll", 12),
    ("TRL_ext", "Text_Ruecklext", 13),
    ("THG", "Text_Heissgas", 14),
    ("TA", "Text_Aussent", 15),
    ("Mitteltemperatur", "Text_Mitteltemperatur", 16),
    ("TBW", "Text_BW_Ist", 17),
    ("TBW Soll", "Text_BW_Soll", 18),
    ("TWE", "Text_WQ_Ein", 19),
    ("TWA", "Text_Kaltekreis", 20),
    ("TFB1", "Text_MK1_Vorlauf", 21),
    ("MK1-Soll", "Text_MK1VL_Soll", 22),
    ("TFB 2", "Text_MK2_Vorlauf", 24),
    ("MK2-Soll", "Text_MK2VL_Soll", 25),
    ("TSK", "Text_Solarkoll", 26),
    ("TSS", "Text_Solarsp", 27),
    ("TEE", "Text_Ext_Energ", 28),
    ("MK3-Soll", "Text_MK3VL_Soll", 136),
    ("TFB 3", "Text_MK3_Vorlauf", 137),
    ("", "Text_Ansaug_Verdampfer", 175),
    ("", "Text_Ansaug_Verdichter", 176),
    ("", "Text_VD_Heizung", 177),
    ("", "Text_BW_oben", 229),
    ("", "Text_Verdampfungstemp", 232),
    ("", "Text_Verfluessigungstemp", 233),
)

#: The other words, in the same order: superheat in tenths of a kelvin, pressures in hundredths of a bar, the mode.
_OTHERS = (
    ("", "Text_Ueberhitzung", 178),
    ("", "Text_Ueberhitzung_Soll", 179),
    ("", "Text_HD", 180),
    ("", "Text_ND", 181),
    ("", "Text_Betr_Zust", 80),
)

#: Bits in the same order, none of them inverted. In V1.x a bit's calculation is that called `ID_WEB_` and its name.
_INPUTS = (
    ("ASDin", "Text_ASD", 29),
    ("EVUin", "Text_EVU", 31),
    ("HDin", "Text_HD", 32),
    ("MOTin", "Text_MOT", 33),
    ("NDin", "", 34),
)
_OUTPUTS = (
    ("AVout", "Text_Abtauventil", 37),
    ("BUPout", "Text_BUP", 38),
    ("HUPout", "Text_HUP", 39),
    ("MA1out", "Text_Mischer1Auf", 40),
    ("MZ1out", "Text_Mischer1Zu", 41),
    ("VENout", "", 42),
    ("VBOout", "Text_Ventil_BOSUP", 43),
    ("VD1out", "Text_Verdichter", 44),
    ("VD2out", "", 45),
    ("ZIPout", "Text_ZIP", 46),
    ("ZUPout", "Text_ZUP", 47),
    ("ZW1out", "Text_ZWE1", 48),
    ("ZW2SSTout", "Text_ZWE2_SST", 49),
)

_Rows = tuple[tuple[str, str, int], ...]
_TABLE: tuple[tuple[Kind, _Rows], ...] = (
    ("analogue", _TEMPERATURES + _OTHERS),
    ("input", _INPUTS),
    ("output", _OUTPUTS),
)

#: The calculation of a field's kind and name.
_CALCULATIONS = MappingProxyType(
    {(kind, name): calculation for kind, rows in _TABLE for *names, calculation in rows for name in names if name}
)

#: What needs no proof by the pump's own live answers; one temperature is only probably what the table says.
_SURE = frozenset(
    {("analogue", name) for *names, _ in _TEMPERATURES for name in names if name and name != "Text_Kaltekreis"}
    | {("input", name) for name, _, _ in _INPUTS}
    | {("output", name) for name, _, _ in _OUTPUTS}
)


def calculation_of(field: Field) -> int | None:
    """The index of the calculation whose raw integers a field repeats; None where no known one is."""
    return _CALCULATIONS.get((field.kind, field.name))


def is_sure(field: Field) -> bool:
    """Whether a field may be believed without comparing it to live answers: temperatures, and the bits of V1.x.

    Superheat, pressures, the mode, the bits of V3.x and `Text_Kaltekreis` are to be proven by the pump itself.
    """
    return (field.kind, field.name) in _SURE
