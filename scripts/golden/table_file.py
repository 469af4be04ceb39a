# SPDX-License-Identifier: Apache-2.0
"""The end of every generator of a table: the committed file is written, or with --check compared."""

import sys
from pathlib import Path


def settle(table: Path, text: str, what: str, *, unchecked: int = 0) -> int:
    """Writes `text`, or with --check as the only argument compares it with the file, but for its
    first `unchecked` lines (what it was made with). Says which `what` that were; the exit status."""
    if sys.argv[1:] != ["--check"]:
        table.write_text(text)
        print(what)
        return 0
    same = table.read_text().splitlines()[unchecked:] == text.splitlines()[unchecked:]
    print(f"{what} {'agree' if same else 'differ'}")
    return 0 if same else 1
