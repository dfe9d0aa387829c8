"""Elastic averaging: workers that train on rows of their own with weights of their own, pulled to a centre.

Zhang, Choromanska, LeCun 2015, "Deep learning with Elastic Averaging SGD", Eq. 5 and 6, the synchronous form. With x
the weights of one of N workers, c the centre and d the step of the worker's optimizer, every `period` steps

    x <- x + d(x) - alpha (x - c)
    c <- c + the sum over workers of alpha (x - c)        alpha = moving_rate / N

with x and c of before the step on the right, and x <- x + d(x) in all other steps. One process is one worker.

While a step is played the networks hold the weights of this process's worker; between two steps they hold the centre:
so averages, sheets, metrics and model files are the centre's. All processes hold the same centre.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor

from gansmith.adversarial import Game
from gansmith.errors import TrainingError
from gansmith.system import collectives, packets, sharing
from gansmith.training.engine import Engine, Events, trained_parameters
from gansmith.training.optimizers import Scheduled

Kind = Literal["all_reduce", "elastic"]
Worker = dict[str, Any]  # state of one worker: its players, optimizers and what its game remembers

_GO_ON, _TELL = 0, 1


class Elastic:
    """The worker of this process, and the centre, of a game that an engine plays with `apart=True`.

    moving_rate: the paper's beta, the part of the way from the centre to the workers' mean that the centre moves.
    period: the paper's tau, steps between two pulls.
    """

    def __init__(
        self, game: Game, optimizers: Mapping[str, Scheduled], *, moving_rate: float = 0.9, period: int = 10
    ) -> None:
        self.game, self.optimizers, self.period = game, optimizers, period
        self.share = sharing.share()
        self.alpha = moving_rate / self.share.world
        trained = [weight for weights in trained_parameters(game).values() for weight in weights]
        self._weights: list[Tensor] = list(dict.fromkeys(trained))
        self._buffers = list(dict.fromkeys(b for player in game.players.values() for b in player.buffers()))
        self._own: list[Tensor] = []  # of the worker, while the networks hold the centre, and the other way round
        self._pulls: list[Tensor] = []  # alpha (x - c), in a step that has one
        self._loaded: list[Worker] = []  # of all workers, until the first step after they were loaded
        self._served = False  # at rank 0: do the others serve, or will as soon as they have played the step?

    def attach(self, engine: Engine) -> None:
        """Pull, and exchange worker and centre, around each step. To be called before other handlers are attached,
        which see the centre."""
        engine.add_event_handler(Events.ITERATION_STARTED, self._begin)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._end)

    @torch.no_grad()
    def _begin(self, engine: Engine) -> None:
        self._loaded = []
        if not self._own:  # every worker begins at the centre, where a pull is zero
            self._start()
        elif (engine.state.iteration - 1) % self.period == 0:
            self._pull()
        self._exchange()

    @torch.no_grad()
    def _end(self, engine: Engine) -> None:
        if self._pulls:
            torch._foreach_sub_(self._weights, self._pulls)
            self._pulls = []
        self._exchange()
        self._served = True

    def _start(self) -> None:
        self._own = [tensor.detach().clone() for tensor in (*self._weights, *self._buffers)]

    def _exchange(self) -> None:
        """The worker's tensors into the networks and the centre's out of them, or back; nothing is copied."""
        for place, tensor in enumerate((*self._weights, *self._buffers)):
            tensor.data, self._own[place] = self._own[place], tensor.data

    def _pull(self) -> None:
        """Move the centre, by one sum over workers, and keep what this worker is to be moved by after its step."""
        count = len(self._weights)
        pulls = torch._foreach_sub(self._own[:count], self._weights)
        torch._foreach_mul_(pulls, self.alpha)
        self._pulls = list(pulls)
        sums = [pull.clone() for pull in self._pulls]
        for own, centre in zip(self._own[count:], self._buffers, strict=True):
            if centre.is_floating_point():
                # Differs: the paper's networks have no batch normalisation; running statistics are the workers' mean
                sums.append((own - centre) / self.share.world)
            else:
                centre.copy_(own)
        collectives.sum_in_place(sums)
        torch._foreach_add_([*self._weights, *(b for b in self._buffers if b.is_floating_point())], sums)

    # ---- the state of all workers, for a checkpoint

    def workers(self) -> list[Worker]:
        """The state of each worker, at rank 0, which tells the others here; they `serve`. Empty before any step.

        Raises TrainingError where the others do something else, and would wait with this process for ever."""
        if self._loaded or not self._own:
            return self._loaded
        if self.share.world == 1:
            return [self._state()]
        if not self._served:
            raise TrainingError("the state of the other workers cannot be saved now: they were doing something else")
        self._say(_TELL)
        others = [packets.unpacked(packets.receive(rank)) for rank in range(1, self.share.world)]
        return [self._state(), *others]

    def serve(self) -> None:
        """Of another rank: send its worker's state each time rank 0 asks for it, until rank 0 says `go_on`."""
        while self._heard() == _TELL:
            packets.send(packets.packed(self._state()), 0)

    def go_on(self) -> None:
        """Of rank 0: no `workers` will be asked for until the next step, or until the others `serve_again`."""
        if self.share.world > 1:
            self._say(_GO_ON)
        self._served = False

    def serve_again(self) -> None:
        """Of rank 0: from here on the others serve."""
        self._served = True

    def load(self, workers: Sequence[Worker]) -> None:
        """Take up this process's worker, from the state of all; none of them: each begins at the centre."""
        self._loaded, self._own = list(workers), []
        if not workers:
            return
        own = workers[self.share.rank]
        self._start()
        self._exchange()
        for name, player in self.game.players.items():
            player.load_state_dict(own["players"][name])
        self._exchange()
        for name, scheduled in self.optimizers.items():
            scheduled.optimizer.load_state_dict(own["optimizers"][name])
        for name, remembered in self.game.state.items():
            remembered.load_state_dict(own["game"][name])

    def _state(self) -> Worker:
        self._exchange()
        players = {name: player.state_dict() for name, player in self.game.players.items()}
        self._exchange()
        return {
            "players": players,
            "optimizers": {name: scheduled.optimizer.state_dict() for name, scheduled in self.optimizers.items()},
            "game": {name: remembered.state_dict() for name, remembered in self.game.state.items()},
        }

    def _say(self, word: int) -> None:
        dist.broadcast(torch.tensor(word), 0)

    def _heard(self) -> int:
        word = torch.tensor(_GO_ON)
        dist.broadcast(word, 0)
        return int(word)
