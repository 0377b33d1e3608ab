"""Mutants of the words that make files and names durable."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_FILES = "pipeline/files.py"
_ORDER = "tests/test_files.py::test_published_file_is_fsynced_before_its_name_and_its_folder_after"

MUTANTS = (
    Mutant(
        name="published file written in place",
        breaks="promise 1",
        file=_FILES,
        old="temporary = target.with_name(TEMPORARY.format(target.name))",
        new="temporary = target",
        tests=("tests/test_files.py::test_kill_in_the_middle_of_publishing_leaves_the_old_file",),
    ),
    Mutant(
        name="published file renamed without an fsync",
        breaks="promise 2",
        file=_FILES,
        # What is fsynced then is another file.
        old="write_at(descriptor, data, 0)",
        new="write_at(descriptor, data, 0); os.close(descriptor); descriptor = os.open(__file__, os.O_RDONLY)",
        tests=(_ORDER,),
    ),
    Mutant(
        name="folder not fsynced after a rename",
        breaks="promise 2",
        file=_FILES,
        old="sync_folder(target.parent)",
        new="pass",
        tests=(_ORDER,),
    ),
    Mutant(
        name="syncing a folder does nothing",
        breaks="promise 2",
        file=_FILES,
        old="descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)",
        new="return",
        tests=(_ORDER,),
    ),
    Mutant(
        name="new folder not durable in its parent",
        breaks="promise 2",
        file=_FILES,
        old="folder.mkdir(exist_ok=True)\n        sync_folder(folder.parent)",
        new="folder.mkdir(exist_ok=True)",
        tests=("tests/test_files.py::test_each_new_folder_is_durable_in_the_one_above_it",),
    ),
    Mutant(
        name="leftovers of a dead process stay",
        breaks="promise 7",
        file=_FILES,
        old="leftover.unlink(missing_ok=True)",
        new="pass",
        tests=("tests/test_shard.py::test_leftover_of_a_file_being_published_is_removed_at_start",),
    ),
    Mutant(
        name="what another thread writes is taken for a leftover",
        breaks="promise 7",
        file=_FILES,
        old="if leftover.absolute() not in _in_the_making:",
        new="if True:",
        tests=("tests/test_files.py::test_what_is_being_written_is_no_leftover",),
    ),
)
