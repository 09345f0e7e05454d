"""The PyTorch side of `quantizer.py`: a process that does one step for each line it reads.

    python quantizer_peer.py library|blocks FOLDER

`library` is `VectorQuantize` of vector-quantize-pytorch with the same options; `blocks` is the
same computation in plain PyTorch, searched by blocks of rows. The folder holds `features.npy`,
`codebook.npy`; the codes of the first step and the codebook after it are written beside them.
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

BLOCK_DISTANCES = 2**21


class Blocks(torch.nn.Module):
    """EMA quantizer in plain PyTorch: the layer's equations, nothing else."""

    def __init__(self, codebook, decay=0.99, epsilon=1e-5, commitment_cost=0.25):
        super().__init__()
        self.codebook, self.sums = codebook.clone(), codebook.clone()
        self.counts = torch.ones(len(codebook))
        self.decay, self.epsilon, self.commitment_cost = decay, epsilon, commitment_cost

    @torch.no_grad()
    def search(self, rows):
        half_norms = self.codebook.square().sum(-1) / 2
        blocks = rows.split(max(1, BLOCK_DISTANCES // len(self.codebook)))
        return torch.cat([(b @ self.codebook.T).sub_(half_norms).argmax(-1) for b in blocks])

    @torch.no_grad()
    def update(self, rows, codes):
        chosen = torch.bincount(codes, minlength=len(self.codebook)).float()
        sums = torch.zeros_like(self.sums).index_add_(0, codes, rows)
        self.counts.mul_(self.decay).add_(chosen, alpha=1 - self.decay)
        self.sums.mul_(self.decay).add_(sums, alpha=1 - self.decay)
        total = self.counts.sum()
        smoothed = (self.counts + self.epsilon) / (total + len(chosen) * self.epsilon) * total
        moved = self.sums / smoothed[:, None]
        self.codebook = torch.where(chosen[:, None] > 0, moved, self.codebook)

    def forward(self, features):
        rows = features.reshape(-1, features.shape[-1])
        codes = self.search(rows.detach())
        nearest = self.codebook[codes]
        loss = self.commitment_cost * functional.mse_loss(rows, nearest)
        self.update(rows.detach(), codes)
        vectors = features + (nearest.reshape(features.shape) - features).detach()
        return vectors, codes, loss


def library(codebook):
    from vector_quantize_pytorch import VectorQuantize

    layer = VectorQuantize(
        dim=codebook.shape[1],
        codebook_size=codebook.shape[0],
        decay=0.99,
        commitment_weight=0.25,
        rotation_trick=False,
    )
    layer._codebook.embed.data.copy_(codebook[None])
    layer._codebook.embed_avg.data.copy_(codebook[None])
    layer._codebook.cluster_size.data.fill_(1)
    return layer


def main(which, folder):
    folder = Path(folder)
    features = torch.from_numpy(np.load(folder / "features.npy")).requires_grad_()
    codebook = torch.from_numpy(np.load(folder / "codebook.npy"))
    layer = Blocks(codebook) if which == "blocks" else library(codebook)
    first = True
    for _ in sys.stdin:
        start = time.perf_counter()
        features.grad = None
        vectors, codes, loss = layer(features.flatten(1, 2))  # (batch, height * width, dim)
        (vectors.sum() + loss).backward()
        seconds = time.perf_counter() - start
        if first:
            np.save(folder / f"codes_{which}.npy", codes.numpy().reshape(-1))
            moved = layer.codebook if which == "blocks" else layer._codebook.embed[0]
            np.save(folder / f"codebook_{which}.npy", moved.detach().numpy())
            first = False
        print(seconds, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
