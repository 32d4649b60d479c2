"""What all trainings share: Muon + AdamW, an exponential moving average, checkpoints that resume, a log."""

import json
import os
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file


def orthogonalise(matrix, steps=5):
    """Newton-Schulz iteration towards the nearest orthogonal matrix (Jordan et al., Muon, 2024)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix / (matrix.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.T
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """Orthogonalised momentum for matrices; convolutions are seen as [out, in * kh * kw]."""

    def __init__(self, params, lr, momentum=0.95, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(p)
                m = state["momentum"]
                m.lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(m, group["momentum"]).reshape(p.shape[0], -1)
                update = orthogonalise(update.to(torch.bfloat16)).to(p.dtype)
                scale = 0.2 * max(update.shape) ** 0.5  # the update's size is then about AdamW's
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update.reshape(p.shape), alpha=-group["lr"] * scale)


class Trainer:
    """Owns a model's optimizers, schedule, EMA and checkpoint file.

        trainer = Trainer(model, "run/vae", steps=20000, lr=2e-3)
        while trainer.running():
            loss = ...
            trainer.step(loss, {"loss": loss})
    """

    def __init__(self, model, path, steps, lr, ema=0.999, weight_decay=0.0, warmup=100, decay=0.4, minutes=4.0, not_matrix=()):
        self.model, self.path, self.steps, self.warmup, self.decay = model, Path(path), steps, warmup, decay
        self.path.parent.mkdir(parents=True, exist_ok=True)
        named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        matrix = [p for n, p in named if p.ndim >= 2 and min(p.shape[0], p[0].numel()) > 8 and not any(w in n for w in not_matrix)]
        chosen = {id(p) for p in matrix}
        rest = [p for _, p in named if id(p) not in chosen]
        self.optimizers = [Muon(matrix, lr, weight_decay=weight_decay), torch.optim.AdamW(rest, lr, betas=(0.9, 0.98), weight_decay=0.0)]
        self.lr, self.ema_decay, self.minutes = lr, ema, minutes
        self.ema = {n: v.detach().clone() for n, v in model.state_dict().items()}
        self.step_number, self.seconds = 0, 0.0
        self.began = self.saved = time.time()
        self.sums, self.sum_count = {}, 0
        if self.path.with_suffix(".pt").exists():
            self._resume()

    def running(self):
        return self.step_number < self.steps

    def progress(self):
        return self.step_number / self.steps

    def rate(self):
        """Warm up, hold, then fall linearly to zero over the last `decay` of the steps."""
        up = min(1.0, (self.step_number + 1) / self.warmup)
        down = min(1.0, (self.steps - self.step_number) / (self.decay * self.steps))
        return self.lr * up * max(down, 0.01)

    def step(self, loss, report, every=100):
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.rate()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step_number += 1
        decay = min(self.ema_decay, (1 + self.step_number) / (10 + self.step_number))
        with torch.no_grad():
            for n, v in self.model.state_dict().items():
                self.ema[n].lerp_(v, 1 - decay) if v.is_floating_point() else self.ema[n].copy_(v)
        for key, value in report.items():
            self.sums[key] = self.sums.get(key, 0.0) + float(torch.as_tensor(value).detach())
        self.sum_count += 1
        if self.step_number % every == 0 or not self.running():
            self._log()
        if time.time() - self.saved > 60 * self.minutes or not self.running():
            self.save()

    def _log(self):
        row = {"step": self.step_number, "seconds": round(self.seconds + time.time() - self.began, 1), "lr": round(self.rate(), 6)}
        row |= {key: round(value / self.sum_count, 5) for key, value in self.sums.items()}
        self.sums, self.sum_count = {}, 0
        line = json.dumps(row)
        print(line, flush=True)
        with open(self.path.with_suffix(".log"), "a") as f:
            f.write(line + "\n")

    def save(self):
        now = time.time()
        state = {
            "model": self.model.state_dict(), "ema": self.ema, "optimizers": [o.state_dict() for o in self.optimizers],
            "step": self.step_number, "seconds": self.seconds + now - self.began, "torch_rng": torch.get_rng_state(),
            "numpy_rng": np.random.get_state(),
        }
        part = self.path.with_suffix(".part")
        torch.save(state, part)
        os.replace(part, self.path.with_suffix(".pt"))
        self.saved = now

    def _resume(self):
        state = torch.load(self.path.with_suffix(".pt"), weights_only=False)
        self.model.load_state_dict(state["model"])
        self.ema = state["ema"]
        for optimizer, saved in zip(self.optimizers, state["optimizers"]):
            optimizer.load_state_dict(saved)
        self.step_number, self.seconds = state["step"], state["seconds"]
        torch.set_rng_state(state["torch_rng"])
        np.random.set_state(state["numpy_rng"])
        print(f"resumed {self.path} at step {self.step_number}", flush=True)


def load_weights(model, path):
    """Fill a model from a run (its averaged weights) or from a folder of an exported model; returns the model."""
    path = Path(path)
    if path.is_dir():
        tensors = load_file(next(path.glob("*.safetensors")))
        names = model.state_dict().keys()
        tensors = {n if n in names else n.removeprefix("text_model."): t.float() for n, t in tensors.items()}
    else:
        tensors = torch.load(path.with_suffix(".pt"), weights_only=False)["ema"]
    model.load_state_dict(tensors)
    return model
