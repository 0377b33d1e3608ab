"""Answers of real controllers, read in place from the folder beside the project; a test without them is skipped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.reading import Answer

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "controller-dumps"
NAMES = ("V1.80-L1A", "V3.78-MSW6")


def path(name: str) -> Path:
    file = FOLDER / f"{name}.json"
    if not file.exists():
        pytest.skip(f"the answers of real controllers are not here: {file}")
    return file


def load(name: str) -> Answer:
    document = json.loads(path(name).read_text())
    return Answer(*(tuple(document[group]) for group in ("parameters", "calculations", "visibilities")))
