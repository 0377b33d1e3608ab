"""Mutants of compressing a file in place."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_COMPRESS = "pipeline/compress.py"
_ORDER = (
    "tests/test_compress.py::test_compressed_file_is_fsynced_before_its_name_and_its_name_before_the_plain_file_goes"
)

MUTANTS = (
    Mutant(
        name="plain file goes before its gz is proven",
        breaks="rule 8",
        file=_COMPRESS,
        old="if not _is_same(path, temporary):",
        new="if False:",
        tests=("tests/test_compress.py::test_file_that_does_not_read_back_is_not_trusted",),
    ),
    Mutant(
        name="gz that stands there is believed",
        breaks="rule 8",
        file=_COMPRESS,
        old="if not (target.exists() and _is_same(path, target)):",
        new="if not target.exists():",
        tests=("tests/test_compress.py::test_pair_is_compared_before_the_plain_file_goes",),
    ),
    Mutant(
        name="gz is not fsynced",
        breaks="promise 2",
        file=_COMPRESS,
        old="os.fsync(raw.fileno())",
        new="pass",
        tests=(_ORDER,),
    ),
    Mutant(
        name="plain file goes before the name of its gz is durable",
        breaks="promise 2",
        file=_COMPRESS,
        old="before its name was durable.\n    files.sync_folder(path.parent)",
        new="before its name was durable.",
        tests=(_ORDER,),
    ),
    Mutant(
        name="file that grew meanwhile goes",
        breaks="rule 8",
        file=_COMPRESS,
        old="            return 0\n",
        new="            pass\n",
        tests=("tests/test_compress.py::test_file_that_grew_meanwhile_stays",),
    ),
    Mutant(
        name="gz counts where both stand",
        breaks="rule 8",
        file="pipeline/part.py",
        old='(entry.name.endswith(".csv") or part not in found)',
        new='(entry.name.endswith(".gz") or part not in found)',
        tests=("tests/test_part.py::test_plain_file_counts_where_a_compressed_one_stands_beside_it",),
    ),
    Mutant(
        name="folder not listed anew where a file vanished",
        breaks="rule 8",
        file="pipeline/part.py",
        old="for _ in range(2):",
        new="for _ in range(1):",
        tests=("tests/test_store.py::test_shard_compressed_in_the_middle_of_a_query_is_found_under_its_other_name",),
    ),
)
