# SPDX-License-Identifier: Apache-2.0
"""Which sources clang-tidy gets, and how its answers and those of the tests are counted."""

import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

import stages

HEADER, SOURCE = "reference/ops/rope.h", "reference/ops/rope.cc"
OTHER = "reference/ops/gelu.cc"


def answers(**by_word):
    """A git that answers by the first of these words among its arguments."""

    def git(*arguments):
        words = [word for word in by_word if any(word in a for a in arguments)]
        return by_word[words[0]] if words else []

    return mock.patch.object(stages, "git", git)


class ChangedSources(unittest.TestCase):
    def test_uncommitted_ones_are_first_and_none_comes_twice(self):
        with answers(diff=[OTHER], origin=[SOURCE, OTHER, "docs/README.md"]):
            self.assertEqual(stages.changed_sources(), [OTHER, SOURCE])

    def test_a_header_stands_for_its_source(self):
        with answers(diff=[HEADER, "reference/ops/none.h", "reference/ops/gone.cc"]):
            self.assertEqual(stages.changed_sources(), [SOURCE])

    def test_a_fresh_clone_has_its_last_commits(self):
        with answers(**{f"-{stages.TIDY_COMMITS}": [SOURCE]}):
            self.assertEqual(stages.changed_sources(), [SOURCE])


class Tidy(unittest.TestCase):
    def verdict(self, program, seconds=60):
        with mock.patch.object(stages, "TIDY", program):
            return stages.tidy(SOURCE, time.monotonic() + seconds)

    def test_the_exit_status_decides(self):
        self.assertEqual(self.verdict("true"), stages.PASSED)
        self.assertEqual(self.verdict("false"), stages.FAILED)

    def test_what_is_left_when_the_time_is_over_is_skipped(self):
        self.assertEqual(self.verdict("true", seconds=0), stages.SKIPPED)


    def test_it_gets_no_precompiled_header(self):
        with tempfile.TemporaryDirectory() as folder:
            build = Path(folder)
            command = '"c++ -O2 -Winvalid-pch -include {}/cmake_pch.hxx -c a.cc"'
            (build / "compile_commands.json").write_text(command.format("/b/x.dir"))
            with mock.patch.multiple(stages, BUILD=build, TIDY_COMMANDS=build / "tidy"):
                stages.plain_commands()
            plain = (build / "tidy" / "compile_commands.json").read_text()
        self.assertEqual(plain, '"c++ -O2 -c a.cc"')


class Counts(unittest.TestCase):
    def test_mutants_count_where_they_are_caught_at_their_tap_or_lie_below_the_class(self):
        summary = {"expressible": 5, "killed": 4, "at_expected": 2, "below": 1}
        self.assertEqual(stages.caught(summary), stages.counts(3, 2))
        self.assertEqual(stages.caught(None), stages.counts(failed=1))

    def test_an_honest_run_that_is_refused_fails(self):
        summary = {"innocent_runs": 4, "false_alarms": 1}
        self.assertEqual(stages.passed(summary), stages.counts(3, 1))

    def test_both_sixteen_bit_classes_have_their_turn(self):
        self.assertEqual(stages.sixteen_bits(1), tuple(reversed(stages.sixteen_bits(2))))

    def test_a_crash_counts_as_a_failure(self):
        self.assertEqual(stages.unittest_counts("", 1), stages.counts(failed=1))
        self.assertEqual(stages.unittest_counts("Ran 3 tests", 0), stages.counts(passed=3))


if __name__ == "__main__":
    unittest.main()
