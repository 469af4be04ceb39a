#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every check of the sources, one line each; a check that fails lists its problems.

scripts/check/all.py [--json FILE] [name ...]
"""

import argparse
import json
import sys
import time
from pathlib import Path

import arrows
import cpp_source
import format
import goldens
import labels
import links
import reductions
import sizes
import snippets
import spec
import tree
import words
from repository import Answer, Repository

CHECKS = {
    "arrows": arrows,
    "sizes": sizes,
    "tree": tree,
    "words": words,
    "links": links,
    "snippets": snippets,
    "spec": spec,
    "reductions": reductions,
    "labels": labels,
    "goldens": goldens,
    "format": format,
}
SHOWN = 40  # problems of one check


def run(module, repository: Repository) -> Answer:
    try:
        module.self_test()
    except AssertionError as error:
        return Answer(problems=[f"self-test of {module.__name__}.py failed: {error}"])
    return module.check(repository)


def show(name: str, answer: Answer, seconds: float) -> None:
    verdict = "skipped" if answer.skipped else "failed" if answer.problems else "ok"
    detail = answer.skipped or answer.note
    print(f"{name:<11} {verdict:<8} {seconds:4.1f} s  {detail}".rstrip(), flush=True)
    for problem in answer.problems[:SHOWN]:
        print(f"    {problem}")
    if len(answer.problems) > SHOWN:
        print(f"    and {len(answer.problems) - SHOWN} more")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the counts there")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(CHECKS)}; default: all")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in CHECKS]
    if unknown:
        parser.error(f"got {unknown[0]}, expected one of {', '.join(CHECKS)}")
    cpp_source.self_test()
    repository = Repository()
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for name in arguments.names or CHECKS:
        start = time.monotonic()
        answer = run(CHECKS[name], repository)
        show(name, answer, time.monotonic() - start)
        counts["skipped" if answer.skipped else "failed" if answer.problems else "passed"] += 1
    print("checks: {passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    if arguments.json:
        arguments.json.write_text(json.dumps(counts))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
