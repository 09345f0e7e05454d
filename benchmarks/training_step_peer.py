"""The PyTorch side of `training_step.py`: stage 1 of a VQ-VAE or VQ-VAE-2, channels-last.

    python training_step_peer.py FOLDER BATCH LEVELS FILTERS RESIDUAL_FILTERS BLOCKS

The folder holds `weights.npz`, in the order of the modules and then the codebooks, and uint8
`images.npy`. Codes and means of the first batch are written beside them, and with the first steps
their losses. For each line it reads it does so many steps.
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


def make_downsampler(channels, filters, residual_filters, blocks, stride):
    half, last = filters // 2, filters if stride == 4 else filters // 2
    second = [nn.Conv2d(half, filters, 4, 2, 1), nn.ReLU(inplace=True)] if stride == 4 else []
    return nn.Sequential(
        nn.Conv2d(channels, half, 4, 2, 1), nn.ReLU(inplace=True), *second,
        nn.Conv2d(last, filters, 3, padding=1),
        *(Residual(filters, residual_filters) for _ in range(blocks)), nn.ReLU(inplace=True),
    )  # fmt: skip


def make_decoder(channels, dim, filters, residual_filters, blocks, stride):
    half, last = filters // 2, filters // 2 if stride == 4 else filters
    first = [nn.ConvTranspose2d(filters, half, 4, 2, 1), nn.ReLU(inplace=True)]
    return nn.Sequential(
        nn.Conv2d(dim, filters, 3, padding=1),
        *(Residual(filters, residual_filters) for _ in range(blocks)), nn.ReLU(inplace=True),
        *(first if stride == 4 else []), nn.ConvTranspose2d(last, channels, 4, 2, 1),
    )  # fmt: skip


class Network(nn.Module):
    """The convolutions of all levels, coarse to fine; a VQ-VAE has one level."""

    def __init__(self, channels, dim, levels, sizes):
        super().__init__()
        filters = sizes[0]
        inner = [make_downsampler(filters, *sizes, 2) for _ in range(levels - 1)]
        self.encoders = nn.ModuleList([*inner, make_downsampler(channels, *sizes, 4)])
        widths = [filters] + [filters + dim] * (levels - 1)
        self.projections = nn.ModuleList(nn.Conv2d(width, dim, 1) for width in widths)
        joined = [dim * (level + 1) for level in range(levels)]
        self.inner_decoders = nn.ModuleList(make_decoder(dim, n, *sizes, 2) for n in joined[:-1])
        self.ups = nn.ModuleList(nn.ConvTranspose2d(n, n, 4, 2, 1) for n in joined[:-1])
        self.decoder = make_decoder(channels, joined[-1], *sizes, 4)

    def forward(self, pixels, quantizers):
        """Means, codes of each level, and the sum of the commitment losses."""
        features, joined, codes, commitment = [pixels], None, [], 0.0
        for encoder in reversed(self.encoders):
            features.append(encoder(features[-1]))
        for level, quantizer in enumerate(quantizers):
            own = features[-1 - level]
            if level:
                own = torch.cat([self.inner_decoders[level - 1](joined), own], dim=1)
            rows = self.projections[level](own).permute(0, 2, 3, 1)
            vectors, found, loss = quantizer(rows)
            vectors = vectors.permute(0, 3, 1, 2)
            joined = torch.cat([self.ups[level - 1](joined), vectors], dim=1) if level else vectors
            codes.append(found.reshape(rows.shape[:-1]))
            commitment = commitment + loss
        return self.decoder(joined), codes, commitment


class Autoencoder:
    """Network, quantizers and optimizer with the weights of the other side."""

    def __init__(self, weights, channels, levels, sizes):
        arrays = [torch.from_numpy(weights[name]) for name in sorted(weights.files)]
        kernels, codebooks = arrays[:-levels], arrays[-levels:]
        self.network = Network(channels, codebooks[0].shape[1], levels, sizes)
        for parameter, kernel in zip(self.network.parameters(), kernels, strict=True):
            kernel = kernel.permute(3, 2, 0, 1) if kernel.ndim == 4 else kernel
            parameter.data.copy_(kernel)
        self.network.to(memory_format=torch.channels_last)
        self.quantizers = [Quantizer(codebook) for codebook in codebooks]
        parameters = self.network.parameters()
        self.optimizer = torch.optim.Adam(parameters, 1e-3, eps=1e-12, fused=True)

    def forward(self, images):
        """Returns what images are compared with, their means, codes, and the commitment loss."""
        # A permuted view of NHWC is channels-last in memory already.
        pixels = images.permute(0, 3, 1, 2).to(torch.float32).div_(127.5).sub_(1)
        return pixels, *self.network(pixels, self.quantizers)

    def first_outputs(self, images):
        """Means and codes of images before any training, which are counted nowhere."""
        updates = [quantizer.update for quantizer in self.quantizers]
        for quantizer in self.quantizers:
            quantizer.update = lambda rows, codes: None
        with torch.no_grad():
            _, means, codes, _ = self.forward(images)
        for quantizer, update in zip(self.quantizers, updates):
            quantizer.update = update
        return means, codes

    def step(self, images):
        """One step of training; returns the loss."""
        self.optimizer.zero_grad(set_to_none=True)
        pixels, means, _, commitment = self.forward(images)
        loss = functional.mse_loss(means, pixels) + commitment
        loss.backward()
        self.optimizer.step()
        return loss.item()


def main(folder, batch, levels, *sizes):
    folder, batch = Path(folder), int(batch)
    images = torch.from_numpy(np.load(folder / "images.npy"))
    sizes = [int(size) for size in sizes]
    weights = np.load(folder / "weights.npz")
    model = Autoencoder(weights, images.shape[-1], int(levels), sizes)
    means, codes = model.first_outputs(images[:batch])
    np.save(folder / "means.npy", means.permute(0, 2, 3, 1).numpy())
    np.savez(folder / "codes.npz", **{str(i): level.numpy() for i, level in enumerate(codes)})
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
