# SPDX-License-Identifier: Apache-2.0
"""clang-format leaves every C++ file as it is."""

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from repository import Answer, Repository

PROGRAMS = ("clang-format-14", "clang-format")  # versions differ in what they prefer: 14 it is
WARNING = re.compile(
    r"^(.+?):(\d+):\d+: (?:error|warning): code should be clang-formatted", re.MULTILINE
)
WORKERS = 4


def program() -> str:
    """A clang-format of version 14, or nothing."""
    for name in PROGRAMS:
        path = shutil.which(name)
        if (
            path
            and " 14." in subprocess.run([path, "--version"], capture_output=True, text=True).stdout
        ):
            return path
    return ""


def check(repository: Repository) -> Answer:
    tool = program()
    if not tool:
        return Answer(skipped="clang-format 14 is not installed")

    def complaints(names: list[str]) -> str:
        command = [tool, "--dry-run", "-Werror", *names]
        return subprocess.run(command, cwd=repository.root, capture_output=True, text=True).stderr

    shares = [share for i in range(WORKERS) if (share := repository.cpp[i::WORKERS])]
    with ThreadPoolExecutor(WORKERS) as pool:
        output = "\n".join(pool.map(complaints, shares))
    first = {}
    for name, line in WARNING.findall(output):
        first.setdefault(name, line)
    problems = [
        f"{name}:{line}: not formatted (clang-format -i)" for name, line in sorted(first.items())
    ]
    if output.strip() and not problems:
        problems = output.strip().splitlines()
    return Answer(problems, note=f"{len(repository.cpp)} files")


def self_test() -> None:
    assert WARNING.findall("a.cc:3:1: error: code should be clang-formatted [x]") == [("a.cc", "3")]
