# SPDX-License-Identifier: Apache-2.0
"""Tests of diagnosis_table.py: python -m unittest diagnosis_table_test (needs no torch)."""

import unittest

from diagnosis_table import FORMS, Run, is_block, misses, of_report, outcome, table


def one(label, *same_here):
    return {"label": label, "explains": 1, "of": 1, "same_here": list(same_here)}


class OutcomeTest(unittest.TestCase):
    def test_a_label_is_right_alone_in_a_set_or_beside_another(self):
        self.assertEqual(outcome({"M-67"}, [one("M-67")]), "exact")
        self.assertEqual(outcome({"M-03"}, [one("M-03:attn.norm_in")]), "exact")
        self.assertEqual(outcome({"M-06"}, [one("M-124", "M-06")]), "set")
        self.assertEqual(outcome({"M-67"}, [one("M-67"), one("M-08")]), "with another")
        self.assertEqual(outcome({"M-67"}, [one("M-67", "M-92")]), "set")
        # One mistake in two forms, as two places of an epsilon, is no second label.
        self.assertEqual(outcome({"M-03"}, [one("M-03:ffn.norm_in"), one("M-03:attn")]), "exact")

    def test_a_label_is_wrong_where_the_planted_one_is_not_among_them(self):
        self.assertEqual(outcome({"M-06"}, []), "unnamed")
        self.assertEqual(outcome({"M-06"}, [one("M-60"), one("M-61", "M-62")]), "wrong")
        self.assertEqual(outcome({"M-11"}, [one("M-111")]), "wrong")


    def test_of_two_planted_ones_both_are_asked_for(self):
        two = {"M-67", "M-130"}
        self.assertEqual(outcome(two, [one("M-67"), one("M-130")]), "exact")
        self.assertEqual(outcome(two, [one("M-67"), one("M-131", "M-130")]), "set")
        self.assertEqual(outcome(two, [one("M-67")]), "in part")
        self.assertEqual(outcome(two, [one("M-67"), one("M-08")]), "wrong")
        self.assertEqual(outcome(two, [one("M-67"), one("M-08"), one("M-130")]), "with another")


class FormsTest(unittest.TestCase):
    def test_blocks_are_outputs_of_layers_and_the_logits(self):
        self.assertTrue(is_block("text.layer.12.out"))
        for other in ("text.layer.1.attn.out", "vision.layer.1.out", "text.layer.1.in", "out"):
            self.assertFalse(is_block(other), other)
        taps = ["text.embed", "text.layer.0.out", "text.layer.0.ffn.mul", "text.logits"]
        kept = {form: [tap for tap in taps if keep(tap)] for form, keep in FORMS.items()}
        self.assertEqual(kept["typical"], taps)
        self.assertEqual(kept["blocks"], ["text.layer.0.out", "text.logits"])
        self.assertEqual(kept["logits"], ["text.logits"])


class TableTest(unittest.TestCase):
    def runs(self):
        failing = {"cases": [{"verdict": "fail", "diagnosis": [one("M-67")]}]}
        unnamed = {"cases": [{"verdict": "fail"}]}
        passing = {"cases": [{"verdict": "pass"}]}
        run = Run("31b", "no_window", "M-67", "logits")
        other = Run("26b", "rms_eps", "M-03", "logits")
        third = Run("26b", "rms_eps_final", "M-03", "logits")
        return [of_report(run, failing), of_report(other, unnamed), of_report(third, passing)]

    def test_counts_what_fails_and_only_that(self):
        lines = table(self.runs()).splitlines()[2:]
        self.assertEqual(lines[0], "| logits | 26b | 1 | 0 | 0 | 0 | 0 | 1 | 0 | 0.0 % |")
        self.assertEqual(lines[1], "| logits | 31b | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 100.0 % |")
        self.assertEqual(lines[2], "| logits | all | 2 | 1 | 0 | 0 | 0 | 1 | 0 | 50.0 % |")

    def test_lists_what_was_not_named(self):
        self.assertEqual(
            misses(self.runs()),
            [
                "logits 26b rms_eps M-03: unnamed: -",
                "logits 26b rms_eps_final M-03: pass: -",
            ],
        )


if __name__ == "__main__":
    unittest.main()
