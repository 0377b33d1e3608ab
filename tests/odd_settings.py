"""Settings as nobody should write them: strategies that tests and attacks share."""

from __future__ import annotations

import os

from hypothesis import strategies as st

from pipeline.settings import RULES

LOOKS_LIKE_SOMETHING_ELSE = [
    "1e5", "true", "no", "[1]", "{}", "5", "0x1F", "2026-10-01", "07h00", "null", "None", "dynaconf_merge", "a__b",
    "a.b", "@int 5", "@none", "@del", "@merge x", "@json {}", "@format {env[HOME]}", "@jinja {{ 1 }}", "@read_file x",
]  # fmt: skip


def variable(key: str) -> str:
    """The variable that sets a key."""
    return "LUX_" + key.replace(".", "__")


ANY_TEXT = st.text(st.characters(), max_size=30) | st.binary(max_size=30).map(os.fsdecode)
TRICKY = st.text(st.sampled_from("@{}[]\"'\\:,-._~/%!&*#|>?=\n\t 0123456789eTZ\0\ud800é"), max_size=25)
VALUES = ANY_TEXT | TRICKY | st.sampled_from(LOOKS_LIKE_SOMETHING_ELSE)
KEYS = st.sampled_from([*RULES, "OUTPUT_DIRS", "dynaconf_merge", "dynaconf_include"])
VARIABLES = KEYS.map(variable) | ANY_TEXT.map("LUX_{}".format) | st.sampled_from(["LUX_SETTINGS_FILE", "TZ"])
BETWEEN = st.sampled_from(
    [": ", " = ", ": [", " = '", ": &a ", ": *a", ": !!python/object:os.system ", ": |\n  ", ":\n - "]
)
LINES = st.lists(st.tuples(KEYS, BETWEEN, VALUES).map("".join), max_size=5).map("\n".join)
#: What may stand in a settings file.
CONTENTS = st.binary(max_size=200) | LINES.map(lambda text: text.encode(errors="surrogatepass"))
