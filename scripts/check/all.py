#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every check of the sources, one line each; a check that fails lists its problems.

scripts/check/all.py [name ...]
"""

import argparse
import sys
import time
from importlib import import_module

import repository

CHECKS = "arrows limits tree words links snippets spec reductions labels goldens format".split()
SHOWN = 40  # problems of one check


def run(name: str, sources: repository.Repository) -> str:
    """Prints the answer of one check; returns the key it counts as."""
    module, start = import_module(name), time.monotonic()
    try:
        module.self_test()
        answer = module.check(sources)
    except (AssertionError, ValueError) as error:
        answer = repository.Answer([f"self-test of {name}.py failed: {error}"])
    verdict = "skipped" if answer.skipped else "failed" if answer.problems else "passed"
    seconds, detail = time.monotonic() - start, answer.skipped or answer.note
    print(f"{name:<11} {verdict:<8} {seconds:4.1f} s  {detail}".rstrip(), flush=True)
    for problem in answer.problems[:SHOWN]:
        print(f"    {problem}")
    if len(answer.problems) > SHOWN:
        print(f"    and {len(answer.problems) - SHOWN} more")
    return verdict


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(CHECKS)}; default: all")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in CHECKS:
            parser.error(f"got {name}, expected one of {', '.join(CHECKS)}")
    repository.self_test()
    sources = repository.Repository()
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for name in arguments.names or CHECKS:
        counts[run(name, sources)] += 1
    print("checks: {passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
