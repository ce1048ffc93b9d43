"""Learning by gradient descent: the one body that all of torch's trainers here share, and its optimizer.

`GradientTrainer.advance` is the lesson. Everything random derives from (seed, step), so the same seed gives
the same numbers, and a run taken up again from a checkpoint equals the unbroken one.
"""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..models.device import numbers
from ..types import FloatArray, TrainingConfig
from .checkpoints import Checkpoint, save
from .trainer import Diverged, S, Trainer


class GradientTrainer(Trainer[S]):
    """A model whose parameters follow their gradient (AdamW).

    A subclass says what the loss of a step's batch is and what a snapshot shows. `parameters` are all that
    learns, by the names that checkpoints know them by.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], config: TrainingConfig) -> None:
        self.parameters, self.config = dict(parameters), config
        self.optimizer = make_optimizer(self.parameters, config)
        self.steps, self.snapshot_every = config.steps, config.snapshot_every
        self.last_loss = math.nan
        self.nbytes = 4 * sum(p.nbytes for p in self.parameters.values())  # weights, gradients, two moments

    @abstractmethod
    def loss_of(self, step: int) -> Tensor:
        """How wrong the model is about the batch of this step, a scalar with its gradients' graph."""

    def advance(self) -> None:
        """One step of training: this is the lesson."""
        began, step = time.perf_counter(), self.step + 1
        with seeded(self.config.seed, step):  # dropout, where it is used
            loss = self.loss_of(step)  # a batch through the model, and how wrong that was
        value = self.finite(loss.item(), step)
        self.optimizer.zero_grad()
        loss.backward()  # the derivative of the loss by every weight
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(step, self.config)
        self.optimizer.step()  # each weight a little against its derivative
        self.step, self.last_loss = step, value
        self.seconds += time.perf_counter() - began

    def finite(self, value: float, step: int) -> float:
        """The value as it is. Raises Diverged when it is no finite number."""
        if not math.isfinite(value):
            raise Diverged(
                f"At step {step} the loss is no longer a finite number. Try a lower learning rate (now "
                f"{self.config.learning_rate:g}){self.remedy}."
            )
        return value

    @property
    def remedy(self) -> str:
        """What else to try when the loss is not finite, as the end of that sentence."""
        return ""

    # ---- saving and going on -----------------------------------------------------------------

    def checkpoint(self) -> Checkpoint:
        """The state after this step, as a copy that later steps do not touch."""
        states = {n: s for n, p in self.parameters.items() if (s := self.optimizer.state.get(p))}
        return Checkpoint(
            step=self.step,
            config=self.config,
            parameters={name: array_of(p) for name, p in self.parameters.items()},
            first={name: array_of(state["exp_avg"]) for name, state in states.items()},
            second={name: array_of(state["exp_avg_sq"]) for name, state in states.items()},
            updates={name: int(state["step"]) for name, state in states.items()},
            seconds=self.seconds,
        )

    def save(self, file: Path) -> None:
        save(self.checkpoint(), file)

    def restore(self, resume: Checkpoint) -> None:
        """Stand at the checkpoint's step with its moments. What begins to learn only now has none yet.

        The weights themselves are put in place by the subclass.
        """
        for name, parameter in self.parameters.items():
            known = resume.first.get(name)
            if known is None or known.shape[1:] != parameter.shape[1:]:  # a classifier of another width
                continue
            moments = []
            for kept in (resume.first[name], resume.second[name]):
                moment = torch.zeros_like(parameter)
                moment[self.rows_of(name, resume)] = torch.from_numpy(kept).to(parameter.device)
                moments.append(moment)
            count = torch.tensor(float(resume.updates[name])).to(parameter.device)
            self.optimizer.state[parameter] = {"step": count, "exp_avg": moments[0], "exp_avg_sq": moments[1]}
        self.step, self.seconds, self.fresh = resume.step, resume.seconds, False

    def rows_of(self, name: str, resume: Checkpoint) -> Tensor | slice:
        """Where the checkpoint's rows of this parameter stand among the rows it has now."""
        return slice(len(resume.first[name]))


def learning_rate(step: int, config: TrainingConfig) -> float:
    """Rises linearly over the first `warmup` share of the steps, then stays."""
    rising = math.ceil(config.warmup * config.steps)
    return config.learning_rate * min(1.0, step / max(1, rising))


def make_optimizer(parameters: Mapping[str, nn.Parameter], config: TrainingConfig) -> torch.optim.Optimizer:
    """AdamW (Loshchilov & Hutter 2019). Biases and norms are not decayed, as is usual."""
    matrices = [p for p in parameters.values() if p.ndim > 1]
    vectors = [p for p in parameters.values() if p.ndim == 1]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


@contextmanager
def seeded(seed: int, step: int) -> Iterator[None]:
    """Dropout inside is a function of (seed, step); torch's own random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(np.random.SeedSequence((seed, step)).generate_state(1, np.uint64)[0] >> 1))
        yield


def array_of(tensor: Tensor) -> FloatArray:
    """A copy of the numbers."""
    found: FloatArray = numbers(tensor).copy()
    return found
