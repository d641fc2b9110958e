"""Training batches made by other processes, in a fixed order, in shared memory.

Batch ``k`` depends on the seed and on ``k`` alone and is handed out as number ``k``, so a run is repeatable with any number of
workers and resumes at any step. Workers touch numpy and OpenCV only: PyTorch operations in a forked process hang.
"""

from __future__ import annotations

import multiprocessing as mp
import os
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

import cv2
import numpy as np

from recipe.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.context import ForkContext
    from types import TracebackType

    from numpy.typing import NDArray

_SLOTS_PER_WORKER = 3
_LOOK_S = 5.0
"""How often a waiting worker looks whether its parent is still there."""


class Field(NamedTuple):
    """Shape and type of one array of a batch."""

    shape: tuple[int, ...]
    dtype: str


class BatchMaker(Protocol):
    """Makes one batch."""

    @property
    def fields(self) -> Mapping[str, Field]:
        """The arrays of a batch."""

    def fill(self, out: Mapping[str, NDArray[Any]], rng: np.random.Generator) -> None:
        """Write a batch into ``out``, drawing only from ``rng``."""


class BatchStream:
    """Batches ``start``, ``start + 1``, … made by ``workers`` processes."""

    def __init__(self, maker: BatchMaker, *, seed: int, start: int = 0, workers: int = 1) -> None:
        """Start the workers.

        Args:
            maker: makes a batch; inherited by the workers through fork.
            seed: of the whole run.
            start: number of the first batch.
            workers: how many processes.
        """
        context = mp.get_context("fork")
        self._next = start
        self._workers = workers
        self._slot = [0] * workers
        self._slots = [[_shared(context, maker.fields) for _ in range(_SLOTS_PER_WORKER)] for _ in range(workers)]
        self._filled = [context.Semaphore(0) for _ in range(workers)]
        self._free = [context.Semaphore(_SLOTS_PER_WORKER) for _ in range(workers)]
        self._processes = [context.Process(target=self._work, args=(maker, seed, start, w), daemon=True) for w in range(workers)]
        for process in self._processes:
            process.start()

    def _work(self, maker: BatchMaker, seed: int, start: int, worker: int) -> None:
        cv2.setNumThreads(1)
        number = start + (worker - start) % self._workers
        slot = 0
        parent = os.getppid()
        while True:
            while not self._free[worker].acquire(timeout=_LOOK_S):
                if os.getppid() != parent:  # killed: nobody will take this batch
                    return
            maker.fill(self._slots[worker][slot], np.random.default_rng([seed, number]))
            self._filled[worker].release()
            slot = (slot + 1) % _SLOTS_PER_WORKER
            number += self._workers

    def __enter__(self) -> Self:
        """Enter."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the workers."""
        for process in self._processes:
            process.terminate()
            process.join()

    def take(self) -> dict[str, NDArray[Any]]:
        """The next batch, copied out of shared memory.

        Raises:
            RecipeError: the worker that makes it has ended.
        """
        worker = self._next % self._workers
        while not self._filled[worker].acquire(timeout=_LOOK_S):
            if not self._processes[worker].is_alive():
                raise RecipeError("a process that makes training batches ended, see its traceback above: correct it and start again; the run resumes")
        batch = {name: array.copy() for name, array in self._slots[worker][self._slot[worker]].items()}
        self._slot[worker] = (self._slot[worker] + 1) % _SLOTS_PER_WORKER
        self._free[worker].release()
        self._next += 1
        return batch


def _shared(context: ForkContext, fields: Mapping[str, Field]) -> dict[str, NDArray[Any]]:
    arrays = {}
    for name, (shape, dtype) in fields.items():
        raw = context.RawArray("b", int(np.prod(shape)) * np.dtype(dtype).itemsize)
        arrays[name] = np.frombuffer(raw, dtype=dtype).reshape(shape)
    return arrays
