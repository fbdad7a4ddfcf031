"""One framework training one workload, in a process of its own that obeys a line protocol.

``python peers.py PEER WORKLOAD [THREADS]`` prints ``ready``; each line ``epoch`` on its input
trains one epoch and prints its seconds; ``end`` prints the milliseconds to the first finished step
and the peak memory that training added, in MB.
"""

# Whichever peers are installed take part.
# pyright: reportMissingImports=false

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PEERS = ("studio", "torch", "keras-torch", "keras-jax", "keras-tensorflow")
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))

from workloads import WORKLOADS, Workload  # noqa: E402

Epoch = Callable[[Callable[[], None]], None]


def keras_like(workload: Workload, names: Any) -> Any:
    """The model, from a namespace with Keras' names."""
    layers = names.layers
    model = names.Sequential([names.Input(workload.input_shape)])
    for kind, *values in workload.layers:
        if kind == "dense":
            model.add(layers.Dense(values[0], activation=values[1]))
        elif kind == "conv":
            model.add(layers.Conv2D(values[0], 3, padding=values[1], activation="relu"))
        elif kind == "pool":
            model.add(layers.MaxPooling2D())
        elif kind == "flatten":
            model.add(layers.Flatten())
        elif kind == "dropout":
            model.add(layers.Dropout(values[0]))
        else:
            model.add(getattr(layers, values[0])(values[1]))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model


def keras_epoch(workload: Workload, names: Any, threads: int | None) -> Epoch:
    """Training through the public ``fit`` with a callback on each batch."""
    x, y = workload.data()
    model = keras_like(workload, names)
    if threads is not None and hasattr(model, "threads"):
        model.threads = threads

    class Watch(names.callbacks.Callback):
        def __init__(self, report: Callable[[], None]) -> None:
            super().__init__()
            self.report = report

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 0:
                self.report()

    def epoch(report: Callable[[], None]) -> None:
        model.fit(x, y, batch_size=workload.batch, epochs=1, verbose=0, callbacks=[Watch(report)])

    return epoch


def torch_epoch(workload: Workload, threads: int | None) -> Epoch:
    """The loop that a PyTorch user writes, with running loss and accuracy."""
    import torch
    from torch import nn

    if threads is not None:
        torch.set_num_threads(threads)

    class Last(nn.Module):
        def __init__(self, rnn: nn.Module) -> None:
            super().__init__()
            self.rnn = rnn

        def forward(self, x: Any) -> Any:
            return self.rnn(x)[0][:, -1]

    def modules() -> Iterator[nn.Module]:
        for kind, *values in workload.layers:
            if kind == "dense":
                yield nn.LazyLinear(values[0])
                if values[1] == "relu":
                    yield nn.ReLU()
            elif kind == "conv":
                yield nn.LazyConv2d(values[0], 3, padding=values[1])
                yield nn.ReLU()
            elif kind == "pool":
                yield nn.MaxPool2d(2)
            elif kind == "flatten":
                yield nn.Flatten()
            elif kind == "dropout":
                yield nn.Dropout(values[0])
            else:
                maker = {"LSTM": nn.LSTM, "GRU": nn.GRU, "SimpleRNN": nn.RNN}[values[0]]
                yield Last(maker(workload.input_shape[-1], values[1], batch_first=True))

    x_array, y_array = workload.data()
    x, labels = torch.from_numpy(x_array), torch.from_numpy(y_array.argmax(axis=1))
    if x.ndim == 4:
        x = x.permute(0, 3, 1, 2).contiguous()
    model = nn.Sequential(*modules())
    model(x[:2])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)
    loss_of = nn.CrossEntropyLoss()

    def epoch(report: Callable[[], None]) -> None:
        model.train()
        order = torch.randperm(len(x))
        total, right = torch.zeros(()), torch.zeros(())
        for step, start in enumerate(range(0, len(x), workload.batch)):
            rows = order[start : start + workload.batch]
            target = labels[rows]
            optimizer.zero_grad()
            out = model(x[rows])
            loss = loss_of(out, target)
            loss.backward()
            optimizer.step()
            total += loss.detach()
            right += (out.detach().argmax(dim=1) == target).sum()
            if step == 0:
                report()
        print(float(total), float(right), file=sys.stderr)

    return epoch


def make(peer: str, workload: Workload, threads: int | None) -> Epoch:
    """The function that trains one epoch and reports the first finished step."""
    if peer == "torch":
        return torch_epoch(workload, threads)
    if peer == "studio":
        import studio.engine as names
    else:
        os.environ["KERAS_BACKEND"] = peer.removeprefix("keras-")
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        import keras as names  # type: ignore[no-redef]
    return keras_epoch(workload, names, threads)


def memory() -> float:
    """Peak memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Obey the lines on the standard input."""
    peer, name = sys.argv[1:3]
    threads = int(sys.argv[3]) if len(sys.argv) > 3 else None
    workload = next(item for item in WORKLOADS if item.name == name)
    epoch = make(peer, workload, threads)
    before, first = memory(), 0.0
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "end":
            print(first * 1000, memory() - before, flush=True)
            return
        started = time.perf_counter()
        moments: list[float] = []
        epoch(lambda moments=moments: moments.append(time.perf_counter()))
        first = first or moments[0] - started
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main()
