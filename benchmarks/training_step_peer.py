"""The PyTorch side of `training_step.py`: stage 1 of a VQ-VAE, channels-last.

    python training_step_peer.py FOLDER BATCH FILTERS RESIDUAL_FILTERS BLOCKS

The folder holds `weights.npz`, in the order of the modules, and uint8 `images.npy`. Codes and
means of the first batch are written beside them, and with the first steps their losses. For each
line it reads it does so many steps.
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch
from quantizer_peer import Blocks
from torch import nn
from torch.nn import functional

RESTART_THRESHOLD, FRESH_COUNT = 0.3, 1.0


class Quantizer(Blocks):
    """EMA quantizer that moves the codes which are hardly used to vectors of the batch."""

    def update(self, rows, codes):
        super().update(rows, codes)
        with torch.no_grad():
            fresh = rows[torch.randint(len(rows), (len(self.codebook),))]
            unused = self.counts < RESTART_THRESHOLD
            self.counts.masked_fill_(unused, FRESH_COUNT)
            self.sums = torch.where(unused[:, None], fresh * FRESH_COUNT, self.sums)
            self.codebook = torch.where(unused[:, None], fresh, self.codebook)


class Residual(nn.Module):
    """`x + conv1x1(relu(conv3x3(relu(x))))`."""

    def __init__(self, filters, residual_filters):
        super().__init__()
        self.spatial = nn.Conv2d(filters, residual_filters, 3, padding=1)
        self.pointwise = nn.Conv2d(residual_filters, filters, 1)

    def forward(self, x):
        hidden = self.spatial(functional.relu(x))
        return x + self.pointwise(functional.relu_(hidden))


def make_encoder(channels, dim, filters, residual_filters, blocks):
    half = filters // 2
    return nn.Sequential(
        nn.Conv2d(channels, half, 4, 2, 1), nn.ReLU(inplace=True),
        nn.Conv2d(half, filters, 4, 2, 1), nn.ReLU(inplace=True),
        nn.Conv2d(filters, filters, 3, padding=1),
        *(Residual(filters, residual_filters) for _ in range(blocks)),
        nn.ReLU(inplace=True), nn.Conv2d(filters, dim, 1),
    )  # fmt: skip


def make_decoder(channels, dim, filters, residual_filters, blocks):
    half = filters // 2
    return nn.Sequential(
        nn.Conv2d(dim, filters, 3, padding=1),
        *(Residual(filters, residual_filters) for _ in range(blocks)),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(filters, half, 4, 2, 1), nn.ReLU(inplace=True),
        nn.ConvTranspose2d(half, channels, 4, 2, 1),
    )  # fmt: skip


class Autoencoder:
    """Network, quantizer and optimizer with the weights of the other side."""

    def __init__(self, weights, channels, sizes):
        *kernels, codebook = (torch.from_numpy(weights[name]) for name in sorted(weights.files))
        dim = codebook.shape[1]
        self.encoder = make_encoder(channels, dim, *sizes)
        self.decoder = make_decoder(channels, dim, *sizes)
        network = nn.ModuleList([self.encoder, self.decoder])
        for parameter, kernel in zip(network.parameters(), kernels, strict=True):
            kernel = kernel.permute(3, 2, 0, 1) if kernel.ndim == 4 else kernel
            parameter.data.copy_(kernel)
        network.to(memory_format=torch.channels_last)
        self.quantizer = Quantizer(codebook)
        self.optimizer = torch.optim.Adam(network.parameters(), 1e-3, eps=1e-12, fused=True)

    def forward(self, images):
        """Returns what images are compared with, their means, codes, and the commitment loss."""
        # A permuted view of NHWC is channels-last in memory already.
        pixels = images.permute(0, 3, 1, 2).to(torch.float32).div_(127.5).sub_(1)
        features = self.encoder(pixels).permute(0, 2, 3, 1)
        vectors, codes, commitment = self.quantizer(features)
        return pixels, self.decoder(vectors.permute(0, 3, 1, 2)), codes, commitment

    def step(self, images):
        """One step of training; returns the loss."""
        self.optimizer.zero_grad(set_to_none=True)
        pixels, means, _, commitment = self.forward(images)
        loss = functional.mse_loss(means, pixels) + commitment
        loss.backward()
        self.optimizer.step()
        return loss.item()


def main(folder, batch, *sizes):
    folder, batch = Path(folder), int(batch)
    images = torch.from_numpy(np.load(folder / "images.npy"))
    sizes = [int(size) for size in sizes]
    model = Autoencoder(np.load(folder / "weights.npz"), images.shape[-1], sizes)
    with torch.no_grad():
        update, model.quantizer.update = model.quantizer.update, lambda rows, codes: None
        _, means, codes, _ = model.forward(images[:batch])
        model.quantizer.update = update
    np.save(folder / "means.npy", means.permute(0, 2, 3, 1).numpy())
    np.save(folder / "codes.npy", codes.numpy())
    batches, losses = iter(images.split(batch)), []
    for line in sys.stdin:
        start = time.perf_counter()
        losses += [model.step(next(batches)) for _ in range(int(line))]
        seconds = time.perf_counter() - start
        if len(losses) == int(line):
            np.save(folder / "losses.npy", losses)
        print(seconds, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
