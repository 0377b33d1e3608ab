"""Which calculation a field of the controller's own log repeats, and which of them need a proof."""

from __future__ import annotations

import pytest

from pipeline import sensors
from pipeline.processlog import Field, ProcessLog, calculation_of, decode, is_sure
from pipeline.processlog_fields import Kind
from tests import process_logs
from tests.process_logs import NOW, V1, V3


def _field(log: ProcessLog, name: str, kind: str = "analogue") -> Field:
    (found,) = (each for each in log.fields if (each.name, each.kind) == (name, kind))
    return found


@pytest.mark.parametrize("name", [V1, V3])
def test_fields_of_real_controllers_are_told_apart_and_say_what_can_be(name: str) -> None:
    log = decode(process_logs.load(name), NOW)
    assert len({each.key for each in log.fields}) == len(log.fields)
    known = [each for each in log.fields if calculation_of(each) is not None]
    assert len({calculation_of(each) for each in known}) == len(known)
    for each in known:
        values = log.column(each)
        if each.bit is not None:
            assert set(values) <= {0, 1}
        elif not each.hidden and sensors.sensor("calculations", calculation_of(each) or 0).data_type == "Celsius":
            assert -500 <= min(values) <= max(values) <= 1500


def test_real_log_of_v1_hides_what_is_not_fitted() -> None:
    log = decode(process_logs.load(V1), NOW)
    assert _field(log, "TFB1").hidden
    assert not _field(log, "TVL").hidden
    outputs = {each.name: each.hidden for each in log.fields if each.kind == "output"}
    assert [name for name, hidden in outputs.items() if hidden] == ["MA1out", "MZ1out", "VD2out", "AVout"]
    assert not any(each.hidden for each in log.fields if each.kind == "input")


def test_real_log_of_v3_has_a_pressure_and_a_switch_of_one_name() -> None:
    log = decode(process_logs.load(V3), NOW)
    pressure, switch = _field(log, "Text_HD"), _field(log, "Text_HD", "input")
    assert (pressure.category, calculation_of(pressure)) == (switch.category, 180)
    assert calculation_of(switch) == 32
    assert calculation_of(_field(log, "Text_Verdichter", "output")) == 44
    assert calculation_of(_field(log, "Text_VD_Heizung", "output")) is None
    assert calculation_of(_field(log, "Text_VD_Heizung")) == 177
    assert _field(log, "Text_Betr_Zust").factor == 1
    assert set(log.column(_field(log, "Text_SW_Stand"))) == {3871}


def test_bits_of_v1_are_the_calculations_of_their_names() -> None:
    bits = [each for each in decode(process_logs.load(V1), NOW).fields if each.bit is not None]
    assert len(bits) == 18
    for each in bits:
        assert sensors.sensor("calculations", calculation_of(each) or 0).name == f"ID_WEB_{each.name}"
        assert is_sure(each)


@pytest.mark.parametrize(
    ("kind", "name", "calculation", "sure"),
    [
        ("analogue", "TBW Soll", 18, True),
        ("analogue", "TWA", 20, True),
        ("analogue", "Text_Kaltekreis", 20, False),
        ("analogue", "Text_MK3_Vorlauf", 137, True),
        ("analogue", "Text_BW_oben", 229, True),
        ("analogue", "Text_Ueberhitzung", 178, False),
        ("analogue", "Text_ND", 181, False),
        ("analogue", "Text_Betr_Zust", 80, False),
        ("input", "EVUin", 31, True),
        ("input", "Text_EVU", 31, False),
        ("output", "Text_EVU", None, False),
        ("output", "ZW2SSTout", 49, True),
        ("output", "Text_ZWE2_SST", 49, False),
        ("analogue", "Multi1", None, False),
        ("analogue", "", None, False),
        ("input", "", None, False),
    ],
)
def test_what_a_field_is_and_whether_it_needs_a_proof(
    kind: Kind, name: str, calculation: int | None, sure: bool
) -> None:
    field = Field("any", kind, name)
    assert (calculation_of(field), is_sure(field)) == (calculation, sure)
