# SPDX-License-Identifier: Apache-2.0
"""The files of the repository, and what a check answers."""

import os
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED_FOLDERS = {".git", "build", ".cache", ".venv", "__pycache__"}


@dataclass
class Answer:
    """Problems fail a check; a note stands beside its name; skipped says why it did not run."""

    problems: list[str] = field(default_factory=list)
    note: str = ""
    skipped: str = ""


class Repository:
    """Every file that is tracked or would be: ignored files do not exist for the checks."""

    def __init__(self, root: Path = ROOT):
        self.root = root

    @cached_property
    def files(self) -> list[str]:
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        try:
            listed = subprocess.run(command, cwd=self.root, capture_output=True, check=True)
            names = listed.stdout.decode().split("\0")
        except (OSError, subprocess.CalledProcessError):  # an archive without its history
            names = self._walk()
        return sorted(n for n in set(names) if n and (self.root / n).is_file())

    def _walk(self) -> list[str]:
        names = []
        for folder, below, files in os.walk(self.root):
            below[:] = [name for name in below if name not in SKIPPED_FOLDERS]
            names += [str((Path(folder) / name).relative_to(self.root)) for name in files]
        return names

    def under(self, folder: str, *suffixes: str) -> list[str]:
        return [f for f in self.files if f.startswith(folder) and f.endswith(suffixes or "")]

    @cached_property
    def cpp(self) -> list[str]:
        return self.under("", ".h", ".cc")

    @cached_property
    def python(self) -> list[str]:
        return [f for f in self.under("scripts/") if f.endswith(".py") or self._is_python(f)]

    def _is_python(self, name: str) -> bool:
        return "." not in Path(name).name and "python" in self.text(name).split("\n", 1)[0]

    def text(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8", errors="replace")

    def lines(self, name: str) -> list[str]:
        return self.text(name).splitlines()
