# SPDX-License-Identifier: Apache-2.0
"""The released vocabulary against its published hashes, where it is at hand; the small one."""

import hashlib
import json
import os
import unittest
import zlib
from pathlib import Path

import small_vocabulary

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "golden" / "tokenizer" / "tokenizer.json"
TABLE = ROOT / "golden" / "tables" / "released_tokens.json"
BESIDE = ROOT.parent / "shared/data/tokenizer/gemma4_vocab_nul.xz"
TOKENS_SHA256 = "e5dd1a3d42323fe4c865b6554f5fa697dc93fb2dfa67579f7111a5bea9f4f638"
MERGES_SHA256 = "945614d761afd769da2ca8fc7ed3bb78cfef941860b0bc160eb05ca7883d60b0"
FILE_SHA256 = "cc8d3a0ce36466ccc1278bf987df5f71db1719b9ca6b4118264f45cb627bfe0f"


def released() -> Path:
    return Path(os.environ.get("ASSAY_VOCABULARY", BESIDE))


def joined(pairs: list[tuple[str, str]]) -> bytes:
    return "\0".join(part for pair in pairs for part in pair).encode()


class SmallVocabulary(unittest.TestCase):
    def test_its_merges_follow_from_its_tokens(self):
        model = json.loads(SMALL.read_text(encoding="utf-8"))["model"]
        tokens = sorted(model["vocab"], key=model["vocab"].get)
        self.assertEqual(
            [tuple(pair) for pair in model["merges"]], small_vocabulary.rebuild_merges(tokens)
        )

    def test_a_run_is_one_character_again_and_again(self):
        self.assertTrue(small_vocabulary.is_run("\n\n"))
        self.assertFalse(small_vocabulary.is_run("aa"))


@unittest.skipUnless(released().exists(), "no released vocabulary: ASSAY_VOCABULARY names none")
class ReleasedVocabulary(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tokens = small_vocabulary.read_list(released())
        cls.merges = small_vocabulary.rebuild_merges(cls.tokens)

    def test_tokens_and_merges_have_the_published_hashes(self):
        tokens, merges = "\0".join(self.tokens).encode(), joined(self.merges)
        self.assertEqual(hashlib.sha256(tokens).hexdigest(), TOKENS_SHA256)
        self.assertEqual(hashlib.sha256(merges).hexdigest(), MERGES_SHA256)
        table = json.loads(TABLE.read_text())
        self.assertEqual(table["tokens_crc32"], zlib.crc32(tokens))
        self.assertEqual(table["merges_crc32"], zlib.crc32(merges))

    def test_the_file_has_the_published_hash(self):
        content = small_vocabulary.tokenizer_json(self.tokens)
        text = json.dumps(content, ensure_ascii=False, indent=2)
        self.assertEqual(hashlib.sha256(text.encode()).hexdigest(), FILE_SHA256)

    def test_the_small_one_is_chosen_from_it(self):
        chosen = small_vocabulary.tokenizer_json(small_vocabulary.choose(self.tokens))
        small = json.loads(SMALL.read_text(encoding="utf-8"))
        self.assertEqual(json.loads(json.dumps(chosen)), small)


if __name__ == "__main__":
    unittest.main()
