# %% [markdown]
# # First samples
#
# A VQ-VAE turns an image into a small map of integers, its *codes*, and back: an encoder chooses the codes from a
# *codebook*, a decoder paints the image from them. A second network, the *prior*, has learnt which maps of codes look like
# real ones, so it can write new maps, and the decoder turns these into new images.
#
# This tutorial takes a trained model of Fashion-MNIST through all of that. It needs nothing but vqzoo, runs in
# half a minute on a laptop, and writes its pictures to `pictures/`.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import vqzoo
from vqzoo.data import read_image

PICTURES = Path("pictures")
PICTURES.mkdir(exist_ok=True)


def show(images, name, columns=10):
    """Draws images in rows, and saves them as a PNG."""
    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(columns, rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image in zip(axes.flat, images):
        axis.imshow(image, cmap="gray", vmin=0, vmax=255)
    figure.savefig(PICTURES / f"{name}.png", bbox_inches="tight")


# %% [markdown]
# ## Load
#
# `list_models` knows what is in the zoo, `load` brings a model with both of its parts. The weights lie in the
# package: nothing is downloaded.

# %%
print(vqzoo.list_models(pretrained=True))

model = vqzoo.load("vqvae_fashion_mnist")
print(model.class_names)

# %% [markdown]
# ## Sample
#
# Images are NumPy arrays, uint8 `(batch, height, width, channels)`, wherever they go in or out. A label is a class's name or
# its id; a list gives one for each image.

# %%
labels = [name for name in model.class_names for _ in range(10)]
images = model.sample(100, labels=labels, seed=0)
print(images.shape, images.dtype)
show(images, "samples")

# %% [markdown]
# Image *i* of a seed is the same whether you ask for it alone or among a hundred. So you can look at a hundred, and
# later make again the one that you liked:

# %%
one = model.sample(1, labels=labels[0], seed=0)
assert (one[0] == images[0]).all()

# %% [markdown]
# The temperature trades variety for likelihood: below 1 the prior keeps to what it finds likely, above 1 it dares
# more, and breaks more. The rows are 0.5, 1 and 1.5, under the same seed.

# %%
rows = [model.sample(10, labels="bag", seed=1, temperature=heat) for heat in (0.5, 1.0, 1.5)]
show(np.concatenate(rows), "temperatures")

# %% [markdown]
# ## Encode and decode
#
# The model comes with ten real test images, one of each class. `encode` gives a list of maps, one for each level of the model;
# this one has a single level of 7×7 codes, each one of 512.

# %%
examples = vqzoo.describe("vqvae_fashion_mnist")["folder"] / "examples"
real = np.stack([read_image(path) for path in sorted(examples.glob("*.png"))])

(codes,) = model.encode(real)
print(codes.shape, codes.dtype)
print(codes[7])  # the sneaker

# %% [markdown]
# An image of 28×28 grey levels takes 6,272 bits, its 49 codes take 441. `decode` paints the images again: below each real one is
# what is left of it. `model.reconstruct(real)` does both steps.

# %%
again = model.decode([codes])
assert (again == model.reconstruct(real)).all()
show(np.concatenate([real, again]), "reconstructions")

# %% [markdown]
# ## What a code is
#
# Codes are words, not pixels: what one looks like depends on its neighbours. But it does its work in one place. Here the
# code in the middle of the pullover becomes each of ten others; the other 48 stay.

# %%
edited = np.repeat(codes[2:3], 10, axis=0)
edited[:, 3, 3] = np.arange(0, 500, 50)
changed = model.decode([edited])
show(changed, "edited")

moved = np.abs(changed.astype(int) - again[2]).max(axis=(0, 3))
print(f"{np.mean(moved > 10):.0%} of the pixels move by more than 10 grey levels")

# %% [markdown]
# ## Complete
#
# Keep a part of an image and let the prior write the rest. The mask is True where it may write, on pixels or on the map of codes. Known
# pixels come back unchanged.

# %%
lower_half = np.zeros((28, 28), bool)
lower_half[14:] = True
shoes = np.repeat(real[[7, 9]], 5, axis=0)  # a sneaker, an ankle boot
completed = model.complete(shoes, lower_half, labels=["sneaker"] * 5 + ["ankle_boot"] * 5, seed=0)
assert (completed[:, :14] == shoes[:, :14]).all()
show(np.concatenate([np.where(lower_half[..., None], 128, shoes), completed]), "completed")

# %% [markdown]
# ## How likely is an image?
#
# `elbo` is a lower bound of the log-probability of an image in nats, `bits_per_dim` the same in bits for each pixel: what a
# perfect compressor would need that knows this model. Fewer is better, 8 is what plain grey levels take. Noise is the
# unlikeliest of images.

# %%
bits, kind = model.bits_per_dim(real)
print(f"real images: {bits.mean():.2f} bits a pixel, {kind}")
noise = np.random.default_rng(0).integers(0, 256, real.shape, dtype="uint8")
print(f"noise: {model.bits_per_dim(noise)[0].mean():.2f}")

# %% [markdown]
# A model that knows how likely an image is under each label can tell which label it has, though nobody trained it to:
# by Bayes' rule it is the label under which the image is likeliest.

# %%
nats = np.stack([model.elbo(real, labels=name) for name in model.class_names])
for truth, guess in zip(model.class_names, nats.argmax(axis=0)):
    print(f"{truth:12} looks most like {model.class_names[guess]}")

# %% [markdown]
# ## Next
#
# - [Train a VQ-VAE on your own images](02_train_on_your_own_images.ipynb)
# - [All of this from the command line](../docs/commands.md)
# - [What each number means](../docs/numbers.md)
