# %% [markdown]
# # Train a VQ-VAE on your own images
#
# A folder of pictures becomes a model that encodes them, and that writes new ones. Both of its parts are ordinary Keras models,
# so what you know of `compile`, `fit` and callbacks holds.
#
# Put your pictures into `my_images/`, a folder for each class: `my_images/cats/…`, `my_images/dogs/…`. Without such a folder
# this tutorial draws twelve hundred pictures of circles, squares and triangles to train on, which takes
# about two minutes on two cores. For photographs take thousands of pictures and many more epochs.

# %%
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw, ImageOps

import vqzoo
from vqzoo.data import folder_class_names, open_source
from vqzoo.evaluation import fit_scale

FOLDER = Path("my_images")
SIZE = 32  # pixels along a side; a multiple of 4
EPOCHS = 20

# %% [markdown]
# ## Pictures

# %%


def draw_shapes(folder, count=1200):
    """Draws pictures of random size, with a shape of random size and colour: a folder to train on."""
    rng = np.random.default_rng(0)
    shapes, colours = ("circle", "square", "triangle"), ("crimson", "gold", "seagreen", "navy")
    for i in range(count):
        name, colour, side = shapes[i % 3], colours[i % 4], int(rng.integers(48, 97))
        picture = Image.new("RGB", (side, side), "white")
        radius = side * rng.uniform(0.2, 0.4)
        x, y = rng.uniform(radius, side - radius, size=2)
        pen = ImageDraw.Draw(picture)
        if name == "circle":
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        else:
            pen.regular_polygon((x, y, radius), 4 if name == "square" else 3, fill=colour)
        (folder / name).mkdir(parents=True, exist_ok=True)
        picture.save(folder / name / f"{i:04}.png")


if not FOLDER.exists():
    draw_shapes(FOLDER)

# %% [markdown]
# vqzoo resizes nothing by itself: what is cropped away is your decision. Here the middle of each picture is kept, and made
# small.

# %%
SMALL = Path(f"{FOLDER}_{SIZE}")
for path in sorted(FOLDER.glob("*/*")):
    target = SMALL / path.parent.name / f"{path.stem}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    ImageOps.fit(Image.open(path).convert("RGB"), (SIZE, SIZE)).save(target)

# %% [markdown]
# A tenth of the images is held out for testing. Which one it is depends on the files' names alone, so it is the same tomorrow.

# %%
data = {"image_shape": [SIZE, SIZE, 3], "class_names": folder_class_names(SMALL)}
train, test = (open_source(data, split, SMALL) for split in ("train", "test"))
print(f"{len(train)} images to train on, {len(test)} to test, of {', '.join(train.class_names)}")

images, labels = train.take(range(len(train))).values()  # uint8 (N, SIZE, SIZE, 3), int32 (N,)
test_images, test_labels = test.take(range(len(test))).values()

# %% [markdown]
# ## A model
#
# `create` takes an entry of the zoo as a starting point, and what is to be different. These networks are small, for few and
# simple pictures; leave out `autoencoder` and `prior` to have the entry's own.

# %%
keras.utils.set_random_seed(0)
model = vqzoo.create(
    "vqvae_cifar10",
    data=data,
    autoencoder={"filters": 64, "residual_filters": 32, "num_embeddings": 64},
    prior={"network": {"filters": 48, "num_layers": 5}},
)

# %% [markdown]
# ## Train
#
# `fit` trains both stages: the autoencoder on the images, then the prior on their codes. Each stage takes the arguments of its
# Keras `fit`. A part that is not compiled is compiled with Adam; compile it yourself to choose.

# %%
model.autoencoder.compile(keras.optimizers.Adam(1e-3))
first, second = model.fit(
    (images, labels),
    autoencoder={"batch_size": 32, "epochs": EPOCHS, "verbose": 2},
    prior={"batch_size": 32, "epochs": EPOCHS // 2, "verbose": 2},
)

# %% [markdown]
# `mse` is the mean squared error of the pixels on −1…1. `perplexity` says how many codes are in use, as if all were used
# equally often: when it stays near 1, the codes say nothing.

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 2.5), layout="constrained")
axes[0].semilogy(first.history["mse"])
axes[0].set(title="error of the pixels", xlabel="epoch")
axes[1].plot(first.history["perplexity"])
axes[1].set(title="perplexity of the codes", xlabel="epoch")
axes[2].plot(second.history["bits_per_code"])
axes[2].set(title="prior: bits per code", xlabel="epoch")
figure.savefig("curves.png")

# %% [markdown]
# ## Reconstructions
#
# Images that the model has not seen, and below each what it makes of them.

# %%


def show(images, name, columns=10):
    """Draws images in rows, and saves them as a PNG."""
    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(columns, rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image in zip(axes.flat, images):
        axis.imshow(image)
    figure.savefig(f"{name}.png", bbox_inches="tight")


shown = test_images[np.linspace(0, len(test_images) - 1, 10).astype(int)]
show(np.concatenate([shown, model.reconstruct(shown)]), "reconstructions")

# %% [markdown]
# ## Codes
#
# One code stands for 4×4 pixels. How often is each one used? A code that is never used is wasted.

# %%
(codes,), (test_codes,) = model.encode(images), model.encode(test_images)
counts = np.bincount(codes.reshape(-1), minlength=model.autoencoder.codebook_sizes[0])
print(f"{codes.shape[1:]} codes an image; {np.mean(counts > 0):.0%} of the codebook is in use")

figure, axis = plt.subplots(figsize=(6, 2.5), layout="constrained")
axis.bar(range(len(counts)), np.sort(counts)[::-1] / counts.sum())
axis.set(xlabel="code, most frequent first", ylabel="share")
figure.savefig("usage.png")

# %% [markdown]
# ## The prior, a little longer
#
# The prior is a Keras model over these codes. Trained on few images it soon learns them by heart: watch codes that it
# does not train on, and keep the weights that suit them best.

# %%
history = model.prior.fit(
    {"codes_0": codes, "labels": labels},
    validation_data=({"codes_0": test_codes, "labels": test_labels},),
    batch_size=32,
    epochs=EPOCHS,
    verbose=2,
    callbacks=[keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)],
)

# %% [markdown]
# ## Samples
#
# A row for each class.

# %%
names = [name for name in model.class_names for _ in range(10)]
show(model.sample(len(names), labels=names, seed=0), "samples")

# %% [markdown]
# ## How good is it?
#
# Bits per dimension need one more number: how far the pixels are from the decoder's output, as a standard deviation in grey
# levels. It is fitted on the training images once the autoencoder is done.

# %%
model.autoencoder.likelihood_scale.assign(fit_scale(model.autoencoder, train))
bits, kind = model.bits_per_dim(test_images, labels=test_labels)
print(f"{bits.mean():.2f} bits for each of {test_images[0].size} values, a {kind}; plain bytes take 8")

# %% [markdown]
# ## Keep it
#
# A folder holds configuration, weights and checksums. `vqzoo sample my_model` and all other commands take it as they take a
# name of the zoo.

# %%
model.save("my_model")
again = vqzoo.load("my_model")
assert (again.encode(test_images)[0] == test_codes).all()

# %% [markdown]
# ## The whole recipe in one line
#
# For hours of training there is `vqzoo train`: the same two stages with checkpoints, TensorBoard, all scores and pictures. Killed
# at any moment it goes on where it was when you give the command again.
#
# ```bash
# vqzoo train vqvae_cifar10 --data my_images_32 --folder runs/mine --smoke    # does all of it work? in seconds
# vqzoo train vqvae_cifar10 --data my_images_32 --folder runs/mine_for_real
# ```
#
# [Training](../docs/training.md) says what it writes, and [Data](../docs/data.md) how larger folders are read: batch by
# batch, from disk.
