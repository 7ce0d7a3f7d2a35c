"""Somebody who drops files into the watched folders, now and then and in several ways, while other things happen."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from corpus_figures import exports

from qbwatch.demo.exports import ExportFile
from qbwatch.demo.story import story

_WAYS = ("copied at once", "written slowly", "renamed when whole")
_STALL = 0.3  # seconds that a slow writer pauses in the middle of a file; longer than the settle time of the tests


def company_exports(corpus: str | None) -> list[ExportFile]:
    """The corpus' exports when there is a corpus, else those of the demo's firm; none of them is damaged."""
    if corpus:
        return [ExportFile(path.name, path.read_bytes(), "input") for path in exports(Path(corpus))]
    told = story(date(2025, 6, 13))
    dropped = [*told.seed, *(file for wave in told.waves for file in wave.files)]
    return [told.mended if file == told.damaged else file for file in dropped]


@dataclass
class Dropper(threading.Thread):
    """Puts ``files`` below ``root`` within about ``seconds``, in an order, at moments and in ways the seed says."""

    files: Sequence[ExportFile]
    root: Path
    seconds: float
    seed: int

    def __post_init__(self) -> None:
        super().__init__(name="dropper", daemon=True)
        self._chance = random.Random(self.seed)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        """Drop them all."""
        pause = threading.Event()
        files = self._chance.sample(self.files, len(self.files))
        gaps = [self._chance.expovariate(1.0) for _ in files]
        for file, gap in zip(files, gaps, strict=True):
            pause.wait(gap * self.seconds / sum(gaps))
            self._drop(file, self._chance.choice(_WAYS), pause)

    def _drop(self, file: ExportFile, way: str, pause: threading.Event) -> None:
        target = self.root / file.folder / file.name
        match way:
            case "copied at once":
                target.write_bytes(file.content)
            case "written slowly":
                half = len(file.content) // 2
                with target.open("wb", buffering=0) as growing:
                    growing.write(file.content[:half])
                    pause.wait(_STALL)
                    growing.write(file.content[half:])
            case _:
                unfinished = target.with_name(f".{file.name}.tmp")
                unfinished.write_bytes(file.content)
                os.replace(unfinished, target)
