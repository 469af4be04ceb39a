# SPDX-License-Identifier: Apache-2.0
"""clang-format leaves every C++ file as it is."""

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from repository import Answer, Repository

PROGRAM = "clang-format-14"  # versions differ in what they prefer
WARNING = re.compile(r"^(.+?):(\d+):\d+: error: code should be clang-formatted", re.MULTILINE)
WORKERS = 4


def check(repository: Repository) -> Answer:
    if not shutil.which(PROGRAM):
        return Answer(skipped=f"{PROGRAM} is not installed")

    def complaints(names: list[str]) -> str:
        command = [PROGRAM, "--dry-run", "-Werror", *names]
        return subprocess.run(command, cwd=repository.root, capture_output=True, text=True).stderr

    shares = [share for i in range(WORKERS) if (share := repository.cpp[i::WORKERS])]
    with ThreadPoolExecutor(WORKERS) as pool:
        output = "\n".join(pool.map(complaints, shares)).strip()
    first = dict(reversed(WARNING.findall(output)))  # line of the first complaint of a file
    problems = [f"{name}:{line}: not formatted (clang-format -i)" for name, line in first.items()]
    return Answer(sorted(problems) or output.splitlines(), note=f"{len(repository.cpp)} files")


def self_test() -> None:
    assert WARNING.findall("a.cc:3:1: error: code should be clang-formatted [x]") == [("a.cc", "3")]
