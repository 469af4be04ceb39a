# SPDX-License-Identifier: Apache-2.0
import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path

import innocence


class Plan(unittest.TestCase):
    def test_every_run_is_planned_once_and_both_lengths_are_there(self):
        for runs in (1, 29, 300, 1000):
            cases = innocence.plan(runs)
            self.assertEqual(sum(share for *_, share in cases), runs)
            self.assertEqual(len({case[2] for case in cases}), len(cases))  # seeds
        tokens = {tokens for _, tokens, _, _ in innocence.plan(1000)}
        self.assertIn(innocence.SHORT, tokens)
        self.assertTrue(all(t == innocence.SHORT or t >= 100 for t in tokens))
        long = {innocence.SHAPES[s][0] for s, t, _, _ in innocence.plan(1000) if t >= 100}
        self.assertEqual(len(long), 5)

    def test_every_topology_has_three_shapes(self):
        sizes = sorted(size for size, _, _ in innocence.SHAPES.values())
        self.assertEqual(sizes, sorted(3 * ["e2b", "e4b", "12b", "26b", "31b"]))


class Table(unittest.TestCase):
    def test_a_run_counts_in_the_row_of_each_of_its_kinds(self):
        with tempfile.TemporaryDirectory() as folder:
            log = innocence.log_of(Path(folder), "f32", "e2b-a", 11)
            log.parent.mkdir()
            run = {"case": "e2b-a/text-11", "positions": 11, "kinds": ["lane sums"]}
            log.write_text("".join(json.dumps(run | {"refused_at": tap}) + "\n"
                                   for tap in ("", "text.logits")))
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                innocence.table(Path(folder))
        self.assertIn("| lane sums | 2 | 2 | 1 |", out.getvalue())
        self.assertIn("| prompt of 11 | 2 | 2 | 1 |", out.getvalue())
        self.assertIn("| all | 2 | 2 | 1 |", out.getvalue())


if __name__ == "__main__":
    unittest.main()
