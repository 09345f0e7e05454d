# %% [markdown]
# # A laboratory of discrete VAEs
#
# A VQ-VAE is one of many ways to put a map of codes between an encoder and a decoder. Jones and Moore, *Is the Discrete VAE's
# Power Stuck in its Prior?* (2020), ask which of its choices make it good, and find that the one which is hardest to defend, a
# posterior of a single code, is the best. Here these choices are three arguments, and you can ask the same of your own pictures.
#
# - **posterior**, q(z | x), what the encoder says of the codes. `"quantized"`: one code, the nearest, as in a VQ-VAE.
#   `"distance"`: every code, the nearer the likelier. `"categorical"`: every code, as the encoder likes.
# - **prior**, p(z), what is known of the codes without the image: all are equally likely, or a network predicts each from those
#   before it.
# - **training**: `"marginal"`, the prior after the autoencoder, on its codes; or `"joint"`, both at once, so that the encoder
#   learns to give codes that the prior can predict.
#
# Put pictures into `my_images/`, or let this tutorial draw twelve hundred. It takes some minutes on two cores. [Train a VQ-VAE
# on your own images](02_train_on_your_own_images.ipynb) explains the steps that are only made here.

# %%
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw, ImageOps

import vqzoo
from vqzoo.evaluation import iwae_bound
from vqzoo.grid import Grid
from vqzoo.grid.report import table

FOLDER = Path("my_images")
SIZE = 16  # pixels along a side; a multiple of 4
EPOCHS = 20

# %% [markdown]
# ## Pictures
#
# Small and simple ones: circles, squares and triangles, each kind of its own colour, on a dark ground.

# %%


def draw_shapes(folder, count=1200, side=64):
    """Draws a shape of random place and size, on a ground of random grey: a folder to train on."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for i in range(count):
        ground = int(rng.integers(0, 90))
        picture = Image.new("RGB", (side, side), (ground, ground, ground))
        radius = side * rng.uniform(0.2, 0.4)
        x, y = rng.uniform(radius, side - radius, size=2)
        draw, fill = ImageDraw.Draw(picture), ("gold", "tomato", "deepskyblue")[i % 3]
        if i % 3 == 0:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
        else:
            draw.regular_polygon((x, y, radius), 5 - i % 3, fill=fill)
        picture.save(folder / f"{i:04}.png")


if not FOLDER.exists():
    draw_shapes(FOLDER)

SMALL = Path(f"{FOLDER}_{SIZE}")
SMALL.mkdir(exist_ok=True)
for path in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
    small = ImageOps.fit(Image.open(path).convert("RGB"), (SIZE, SIZE))
    small.save(SMALL / f"{path.parent.name}_{path.stem}.png")

pictures = np.stack([np.asarray(Image.open(path)) for path in sorted(SMALL.glob("*.png"))])
print(f"{len(pictures)} pictures of {SIZE}x{SIZE} pixels")

# %% [markdown]
# ## Three arguments make a model
#
# `vqzoo.create` takes an entry of the zoo and changes it. Everything fits everything: any posterior, any prior, either training.
# The networks are small ones here.

# %%
AUTOENCODER = {"num_embeddings": 32, "embedding_dim": 16, "filters": 32, "residual_filters": 32}
AUTOENCODER["num_residual_blocks"] = 1
NETWORK = {"filters": 16, "num_blocks": 1}


def build(posterior, prior, training):
    """A fresh model of these arguments; it learns the spread of its errors, its `scale`."""
    keras.utils.set_random_seed(0)
    return vqzoo.create(
        "dvae_categorical_joint_fashion_mnist",
        data={"image_shape": [SIZE, SIZE, 3], "name": "my_images", "class_names": None},
        autoencoder={**AUTOENCODER, "posterior": posterior, "scale": None},
        prior=prior,
        training=training,
    )


model = build("categorical", {"network": NETWORK}, "joint")
history, _ = model.fit(pictures, autoencoder={"batch_size": 32, "epochs": EPOCHS, "verbose": 0})
for name in ("bits_per_dim", "kl", "temperature", "largest_weight"):
    first, last = history.history[name][0], history.history[name][-1]
    print(f"{name}: {first:.2f} after the first pass, {last:.2f} after the last")

# %% [markdown]
# In training a code is not drawn but *relaxed*: a weighted mean of all codes, through which gradients pass. The temperature
# falls, and the weights move towards one code; `largest_weight` says how close they come, 1 being all the way. What is
# evaluated is always drawn: a relaxed code is no code, and bits that rest on it are no bound of anything.
#
# ## A bound, and how tight it is
#
# How likely is a picture? No one can add up all maps of codes, and one draw of the posterior gives a lower bound of log p(x).
# The mean of S draws' weights gives a better one; S = 1 is the usual bound, the ELBO. A posterior of one code has nothing to
# draw, and its bound is the same for every S: what another map of codes would have added is never seen.

# %%
few = pictures[:20]
for draws in (1, 10, 100):
    bits = -iwae_bound(model, few, draws) / np.log(2) / few[0].size
    print(f"S = {draws}: at most {bits.mean():.3f} bits a value")

# %% [markdown]
# ## The grid
#
# The paper's six variants, each an entry of the zoo: three arguments and nothing else that differs. `Grid` trains them on the
# same pictures for as many steps, with one scale for all, and scores them alike. So does `vqzoo grid discrete_vae --data
# my_images_16`, with the networks of the entries. Stopped and called again, it goes on.

# %%
RUNS = Path("runs/laboratory")
grid = Grid(
    "discrete_vae",
    data=SMALL,
    seeds=1,
    epochs=EPOCHS,
    folder=RUNS,
    autoencoder=AUTOENCODER,
    network=NETWORK,
)
results = grid.run()
print(table(results["variants"]))

# %% [markdown]
# Bits of a value are those of the decoder, given the codes, and those of the codes, `KL`: how far the posterior is from the
# prior. With one scale for all, a variant can only gain by better codes, or by codes that its prior finds cheap.
# [Numbers](../docs/numbers.md#scores-of-a-grid) defines each column. The paper's bits are of faces, and no number to reach.

# %%


def show(name):
    """Shows a picture that the grid wrote."""
    picture = np.asarray(Image.open(RUNS / f"{name}.png"))
    figure, axes = plt.subplots(figsize=(picture.shape[1] / 100, picture.shape[0] / 100))
    axes.imshow(picture, cmap="gray")
    axes.set_axis_off()
    figure.subplots_adjust(0, 0, 1, 1)
    figure.savefig(f"{name}.png")


show("bits")

# %% [markdown]
# ## Which codes are used?
#
# A bar at 0 is of codes that are hardly ever drawn: *index collapse*. The dashed line is where all codes would be if they were
# drawn equally often; a posterior that says nothing of the image would put them there.

# %%
show("usage")
for name, variant in results["variants"].items():
    mean = variant["mean"]
    rare, perplexity = mean["rare_codes"], mean["perplexity"]
    print(f"{name}: {rare:.0%} of the codes below 1e-4, perplexity {perplexity:.1f} of 32")

# %% [markdown]
# ## What codes decode to
#
# Four rows: codes drawn uniformly; codes that at each position are those of one picture or of another; samples of the prior; and
# reconstructions. A decoder makes something of any map, and of most maps nothing that looks like the pictures: of the
# 32¹⁶ maps of codes it has seen a thousand or so. To know these few is the prior's work. A variant with a uniform prior has no
# such prior: its samples *are* uniform codes, and its third row looks like its first.

# %%
show("codes_quantized_marginal")

# %%
show("codes_categorical_joint")

# %%
show("codes_categorical_uniform")

# %% [markdown]
# ## What to conclude
#
# First what the numbers say here, without an opinion.

# %%
means = {name: variant["mean"] for name, variant in results["variants"].items()}
for name in sorted(means, key=lambda name: means[name]["bits_per_dim.1.mean"]):
    bits, error = (means[name][f"bits_per_dim.1.{part}"] for part in ("mean", "standard_error"))
    print(f"{bits:.3f} bits a value, standard error over test pictures {error:.3f}: {name}")

# %% [markdown]
# And what they do not say:
#
# - **One seed is one throw.** Two variants that differ by less than two seeds of one variant do are not told apart. The paper
#   trained each ten times; `seeds=2` is the least that shows a spread at all.
# - **A bound is not the thing.** Bits are an upper bound of each model's own, and it is looser where the posterior is worse. The
#   curve over S says how much looser, for those that draw; for `quantized_marginal` nothing does.
# - **Small pictures are easy.** The authors write that on CIFAR-10 and MNIST all variants gave good samples, and that faces of
#   64×64 pixels told them apart. Shapes of 16×16 pixels are easier still.
# - **One scale is a choice.** It is that of the VQ-VAE. With `scale=None`, as in the first model above, each has its own.
# - **Bits are not looks.** A variant may have more bits and the better samples; look at the rows above.
#
# ## Next
#
# - `vqzoo grid discrete_vae --data fashion_mnist --seeds 2`: the same with the entries' networks, in hours.
# - `vqzoo train dvae_categorical_joint_fashion_mnist` trains one of them with checkpoints, scores and pictures.
# - [What each number means](../docs/numbers.md)
