"""From a module of PyTorch to a spec and back: outputs and gradients are those of the original."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import derive
from derive.bring.names import legal
from tests.emit_support import source_of

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of PyTorch itself, while it exports
]
CLOSE = {"float32": 1e-6, "float64": 1e-10}


class Picture(nn.Module):
    """Windows with groups, a stride and padding; statistics of the batch and kept ones."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4))
        self.deep = nn.Conv2d(4, 4, (3, 1), padding=(1, 0), groups=2, bias=False)
        self.still = nn.BatchNorm2d(4)
        self.up = nn.ConvTranspose2d(4, 2, 2, stride=2)
        self.out = nn.Linear(2 * 4 * 4, 3)

    def forward(self, x: Any) -> Any:
        x = F.max_pool2d(F.gelu(self.stem(x)), 3, 2, padding=1)
        x = x + F.hardswish(self.still(self.deep(x)))
        x = F.adaptive_avg_pool2d(self.up(x), 4)
        x += 0.5
        return self.out(torch.flatten(F.leaky_relu(x), 1)).log_softmax(1), x.mean((2, 3))


class Text(nn.Module):
    """Tokens in the order of steps, two recurrences, attention that is masked, a loss within."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(7, 6)
        self.lstm = nn.LSTM(6, 3, bidirectional=True)
        self.gru = nn.GRU(6, 6, batch_first=True)
        self.norm = nn.LayerNorm(6)
        self.heads = nn.Linear(6, 18)
        self.out = nn.Linear(6, 7, bias=False)
        self.out.weight = self.table.weight

    def forward(self, tokens: Any, label: Any) -> Any:
        steps, (_, cell) = self.lstm(self.table(tokens.t()))
        x, last = self.gru(self.norm(steps.transpose(0, 1)))
        q, k, v = self.heads(x).view(2, 4, 3, 2, 3).permute(2, 0, 3, 1, 4).unbind(0)
        mask = torch.ones(4, 4).tril() == 0
        weights = (q @ k.transpose(-2, -1) / 3**0.5).masked_fill(mask, float("-inf")).softmax(-1)
        y = (weights @ v).transpose(1, 2).reshape(2, 4, 6)
        y = y + F.scaled_dot_product_attention(q, k, v, is_causal=True)[:, 1].repeat(1, 1, 2)
        logits = self.out(y + self.table(torch.arange(4)))
        return logits, cell, last, F.cross_entropy(logits.view(8, 7), label.view(8))


def picture() -> tuple[Any, tuple[Any, ...]]:
    model = Picture()
    model.still.eval()
    model.still.running_mean.uniform_(-1, 1)
    return model, (torch.randn(2, 3, 14, 14),)


def text() -> tuple[Any, tuple[Any, ...]]:
    return Text(), (torch.randint(0, 7, (2, 4)), torch.randint(0, 7, (2, 4)))


def executed(source: str, kind: str) -> dict[str, Any]:
    module: dict[str, Any] = {"__name__": "emitted"}
    exec(source.replace("DTYPE = torch.float64", f"DTYPE = torch.{kind}"), module)
    return module


@pytest.mark.parametrize("made", [picture, text])
def test_there_and_back(made: Callable[[], tuple[Any, tuple[Any, ...]]]) -> None:
    torch.manual_seed(1)
    model, inputs = made()
    model = model.double()
    inputs = tuple(x.double() if x.is_floating_point() else x for x in inputs)
    source = source_of(derive.from_torch(model, inputs, loss="none").problem, "torch")
    for kind, close in CLOSE.items():
        dtype = getattr(torch, kind)
        own = [x.to(dtype).requires_grad_() if x.is_floating_point() else x for x in inputs]
        outputs = model.to(dtype)(*own)
        above = [torch.randn_like(each) for each in outputs]
        total = sum((a * b).sum() for a, b in zip(outputs, above, strict=True))
        given = dict(model.named_parameters()) | {f"x{k}": x for k, x in enumerate(own)}
        given = {name: each for name, each in given.items() if each.requires_grad}
        slopes = torch.autograd.grad(total, list(given.values()))
        module = executed(source, kind)
        sample = module["SAMPLE"]._asdict()
        ups = iter(above)
        sample |= {name: next(ups) for name in sample if name.startswith("g_")}
        sample = module["Sample"](**sample)
        found = module["forward"](module["PARAMETERS"], sample)
        for name, each in zip((n for n in sample._fields if n[:2] == "g_"), outputs, strict=True):
            assert (getattr(found, name[2:]) - each).abs().max() <= close * max(1, each.abs().max())
        _, back = module["value_and_gradients"](module["PARAMETERS"], sample)
        for name, slope in zip(given, slopes, strict=True):
            ours = getattr(back, f"dE_d{legal(name) if name != 'x0' else 'x'}")
            assert (ours - slope).abs().max() <= close * max(1, slope.abs().max()), name


def test_what_pytorch_saves_as_a_pickle_and_what_varies_is_refused(tmp_path: Any) -> None:
    from derive.cli import main

    model = nn.Linear(2, 2)
    torch.save(model, tmp_path / "model.pt")
    assert main(["from-torch", str(tmp_path / "model.pt")]) == 2
    varying = torch.export.export(
        model, (torch.zeros(3, 2),), dynamic_shapes=({0: torch.export.Dim("batch")},)
    )
    torch.export.save(varying, tmp_path / "model.pt2")
    assert main(["from-torch", str(tmp_path / "model.pt2")]) == 2
