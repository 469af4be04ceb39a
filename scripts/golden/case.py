# SPDX-License-Identifier: Apache-2.0
"""What one golden asks: a checkpoint, arrays for the oracles, and which taps it stores."""

from dataclasses import dataclass


@dataclass
class Case:
    checkpoint: str
    name: str
    data: dict
    full: bool  # every tap, or the leaner set
    drafter: str | None = None
    keep: tuple[str, ...] = ()  # of cases with media: patterns of the taps that are stored
    profile: str = "REF"
    synth: str = ""  # arguments of `assay synth` for a checkpoint that is not committed

    @property
    def place(self) -> str:
        """Its golden's path below golden/. Those without a committed checkpoint stand apart."""
        if self.synth:
            return f"wide/{self.checkpoint}.h5"
        return f"cases/{self.checkpoint}/{self.name}.h5"

    @property
    def has_items(self) -> bool:
        return "items" in self.data
