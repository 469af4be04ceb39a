#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""golden/tables/python_text.json: how Python prints numbers and strings.

    make_python_texts.py [--check]

The official chat templates are executed by Python, so a renderer has to print as it does. Numbers
are kept as their 64 bits in hexadecimal beside what repr() says; strings beside repr(), strip(),
lower() and upper(). Any Python from 3.9 on gives the same table.
"""

import json
import random
import struct
import sys
from pathlib import Path

TABLE = Path(__file__).resolve().parents[2] / "golden" / "tables" / "python_text.json"
NUMBERS = [
    0.0, -0.0, 1.0, -1.0, 0.1, 0.2, 0.3, 1.5, 2.5, 100.0, 1e15, 1e16, 1e17, -1e16, 9999999999999998.0,
    1e-3, 1e-4, 1e-5, 0.00012, 0.00001234, 123456789012345680.0, 12345678901234567.0, 1e20, 1e21, 1e22,
    1e23, 1.7976931348623157e308, 2.2250738585072014e-308, 5e-324, 1e-323, 3.141592653589793, 1e100,
    2.0**53, 2.0**53 + 2, 4503599627370496.5, 0.30000000000000004, 1 / 3, 2 / 3, 1e2, 123.456,
]  # fmt: skip
STRINGS = [
    "", "a", " a ", "\ta\n", "\x1ca\x1f", "\x85a\xa0", "\u3000a\u2028", "\u200ba\u200b", "\ufeffa", "a b",
    "it's", 'say "x"', "it's \"x\"", "back\\slash", "\n\r\t", "\x00\x1b\x7f", "\x80\x9f\xa0\xad", "\u00e9",
    "\u0130", "\u00df", "\u0391\u03a9", "\u0416", "\u01c5", "\u1e9e", "\u2126", "\U00010400", "\U0001f600",
    "\u200b\u2028\u202e", "\ue000", "\U000e0001", "ABC xyz", "\u4f60\u597d", "\uff21\uff41",
    "\u0600", "\u00aa\u00ba", "\u2160\u2170", "\u24b6\u24d0", "\u10d0", "\u13a0",
]  # fmt: skip


def numbers() -> list[float]:
    chance = random.Random(1729)
    drawn = [chance.uniform(-1, 1) * 10.0 ** chance.randint(-12, 24) for _ in range(200)]
    drawn += [float(chance.randint(-(10**17), 10**17)) for _ in range(60)]
    drawn += [round(chance.uniform(-1000, 1000), chance.randint(0, 4)) for _ in range(60)]
    while len(drawn) < 440:
        value = struct.unpack("<d", chance.randbytes(8))[0]
        if value == value and abs(value) != float("inf"):
            drawn.append(value)
    return NUMBERS + drawn


def bits(value: float) -> str:
    return struct.pack(">d", value).hex()


def table() -> dict:
    return {
        "made_with": "Python's repr, strip, lower and upper",
        "numbers": [[bits(value), repr(value)] for value in numbers()],
        "strings": [[s, repr(s), s.strip(), s.lower(), s.upper()] for s in STRINGS],
    }


def main() -> int:
    content = table()
    rows = {
        key: "[\n" + ",\n".join("  " + json.dumps(row) for row in content[key]) + "\n ]"
        for key in ("numbers", "strings")
    }
    rows["made_with"] = json.dumps(content["made_with"])
    text = "{\n" + ",\n".join(f' "{key}": {rows[key]}' for key in content) + "\n}\n"
    if "--check" not in sys.argv[1:]:
        TABLE.write_text(text)
        return 0
    same = TABLE.read_text() == text
    print("the table is the same" if same else f"{TABLE}: differs")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
