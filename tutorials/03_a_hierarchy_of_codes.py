# %% [markdown]
# # A hierarchy of codes
#
# A VQ-VAE has one map of codes. VQ-VAE-2 has several, coarse to fine: a few codes say what is where, many more say what it
# looks like close by, and each level is told what the coarser ones know already. The prior goes the same way. It draws the
# coarsest map first, and each finer one given those before.
#
# This tutorial trains a small hierarchy and looks at what each of its levels holds. Put pictures into `my_images/`, a folder
# for each class; without such a folder it draws fifteen hundred scenes, and all of it takes some minutes on two cores. [Train a
# VQ-VAE on your own images](02_train_on_your_own_images.ipynb) explains the steps that are only made here.

# %%
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageOps

import vqzoo
from vqzoo.data import folder_class_names, open_source
from vqzoo.evaluation import evaluate

FOLDER = Path("my_images")
SIZE = 32  # pixels along a side; a multiple of 16
EPOCHS = 25

# %% [markdown]
# ## Pictures
#
# Something coarse and something fine: ground and sky, in front of them a shape, and stripes of two or three pixels on the
# shape.

# %%


def draw_scenes(folder, count=1500, side=96):
    """Draws scenes, with a striped shape of random place, size and colour: a folder to train on."""
    rng = np.random.default_rng(0)
    shapes, skies = ("circle", "square", "triangle"), ("skyblue", "lightsalmon", "lightgray")
    grounds, colours = ("olive", "sienna", "dimgray"), ("crimson", "navy", "purple", "black")
    for i in range(count):
        name, sky, ground, colour = shapes[i % 3], *map(rng.choice, (skies, grounds, colours))
        scene = Image.new("RGB", (side, side), str(sky))
        horizon = int(rng.uniform(0.3, 0.8) * side)
        scene.paste(str(ground), (0, horizon, side, side))
        radius = side * rng.uniform(0.2, 0.35)
        x, y = rng.uniform(radius, side - radius, size=2)
        mask = Image.new("L", (side, side))
        if name == "circle":
            ImageDraw.Draw(mask).ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        else:
            corners = 4 if name == "square" else 3
            ImageDraw.Draw(mask).regular_polygon((x, y, radius), corners, fill=255)
        stripes = np.zeros((side, side, 3), "uint8") + np.uint8(255)
        stripes[np.arange(side) // rng.choice([6, 9]) % 2 == 0] = ImageColor.getrgb(str(colour))
        stripes = stripes if rng.integers(2) else stripes.transpose(1, 0, 2)
        scene.paste(Image.fromarray(stripes), mask=mask)
        (folder / name).mkdir(parents=True, exist_ok=True)
        scene.save(folder / name / f"{i:04}.png")


if not FOLDER.exists():
    draw_scenes(FOLDER)

SMALL = Path(f"{FOLDER}_{SIZE}")
for path in sorted(FOLDER.glob("*/*")):
    target = SMALL / path.parent.name / f"{path.stem}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    ImageOps.fit(Image.open(path).convert("RGB"), (SIZE, SIZE)).save(target)

data = {"image_shape": [SIZE, SIZE, 3], "class_names": folder_class_names(SMALL)}
train, test = (open_source(data, split, SMALL) for split in ("train", "test"))
images, labels = train.take(range(len(train))).values()  # uint8 (N, SIZE, SIZE, 3), int32 (N,)
test_images, test_labels = test.take(range(len(test))).values()
print(f"{len(train)} images to train on, {len(test)} to test, of {', '.join(train.class_names)}")

# %% [markdown]
# ## Two levels
#
# An entry of the zoo is a YAML file, and so is one of your own. `num_levels` is how many levels there are, `bottom_stride` how
# many pixels a code of the finest one stands for along a side. Each coarser level halves the sides once more: of 32×32 pixels,
# 4×4 and 8×8 codes. The prior has a network for each level, coarse to fine; after the first there is a `conditioning` stack,
# which reads the coarser codes.

# %%
ENTRY = Path("hierarchy.yaml")
ENTRY.write_text("""
data: {name: my_images}
autoencoder: {family: VQVAE2, num_levels: 2, bottom_stride: 4, num_embeddings: 64, embedding_dim: 32,
  filters: 64, residual_filters: 32, restart_threshold: 0.3, seed: 0}
prior:
  family: HierarchicalPrior
  levels:
    - network: &network {family: PixelSNAIL, filters: 48, residual_filters: 48, num_layers: 2,
        kernel_size: 3, attention_after: [2], num_heads: 2, dropout: 0.1}
    - {network: *network, conditioning: {filters: 48, residual_filters: 48, num_blocks: 1}}
training:  # what `vqzoo train` goes by
  autoencoder: {learning_rate: 1.0e-3, batch_size: 32, steps: 1000, seed: 0}
  prior:
    - &stage {learning_rate: 1.0e-3, batch_size: 32, steps: 1000, seed: 1}
    - *stage
""")

keras.utils.set_random_seed(0)
model = vqzoo.create(ENTRY, data=data)
model.autoencoder.compile(keras.optimizers.Adam(1e-3))
first, second = model.fit(
    (images, labels),
    autoencoder={"batch_size": 32, "epochs": EPOCHS, "verbose": 2},
    prior={"batch_size": 32, "epochs": EPOCHS, "verbose": 2},
)

codes = model.encode(test_images)
print("codes of an image:", ", ".join(f"{h}x{w}" for _, h, w in (level.shape for level in codes)))

# %% [markdown]
# ## What a level holds
#
# The decoder needs all levels. To see the coarse ones alone something has to stand in for the finer ones, and it matters what.
# Here the prior draws them, given the coarse codes of the image: what changes from draw to draw is what the coarse codes do not
# say. `known` keeps the codes where its mask is False.

# %%


def with_levels(kept, seed=0):
    """The first images, from their codes of the `kept` coarsest levels; the prior draws the rest."""
    known = [level[:COLUMNS] for level in codes]
    masks = [np.full(level.shape, i >= kept) for i, level in enumerate(known)]
    drawn = model.prior.sample(len(known[0]), test_labels[:COLUMNS], seed, known=(known, masks))
    return model.decode(drawn)


def show(rows, name):
    """Draws rows of images, each with its title, and saves them as a PNG."""
    count = len(next(iter(rows.values())))
    figure, axes = plt.subplots(len(rows), count, figsize=(count + 1, len(rows)), squeeze=False)
    for row, (title, row_images) in zip(axes, rows.items()):
        row[0].set_ylabel(title, rotation=0, ha="right", va="center")
        for axis, image in zip(row, row_images):
            axis.imshow(image)
            axis.set(xticks=[], yticks=[])
    figure.savefig(f"{name}.png", bbox_inches="tight")


COLUMNS = min(10, len(test_images))
show(
    {
        "4x4": with_levels(1),
        "4x4, drawn again": with_levels(1, seed=1),
        "4x4 and 8x8": with_levels(2),
        "image": test_images[:COLUMNS],
    },
    "levels",
)

# %% [markdown]
# The mean of many draws shows what is settled: what differs between the draws is blurred away. With no codes at all the prior
# knows the class; each level that is kept leaves less to chance.

# %%
draws = [[with_levels(kept, seed) for seed in range(8)] for kept in (0, 1)]
means = [np.mean(draw, axis=0).astype("uint8") for draw in draws]
spread = [np.std(draw, axis=0).mean() for draw in draws]
show({"class, mean": means[0], "4x4, mean": means[1], "image": test_images[:COLUMNS]}, "means")
for given, difference in zip(("the class", "the 4x4 codes"), spread):
    print(f"given {given}, draws differ by {difference:.1f} grey levels")

# %% [markdown]
# ## Does each level earn its place?
#
# A level that repeats what the others say could be left out. Give each image the codes of another one in this level only: how
# many times larger is the error? `levels` among the scores says it, and [Numbers](../docs/numbers.md) what else it holds.

# %%
scores = evaluate(model, test, num_samples=0)
print(f"error with all codes {scores['reconstruction']['mse']:.4f}")
for name, level in scores["levels"].items():
    print(f"{name} of another image: {level['mse_with_other']:.4f}, {level['times_mse']:.1f} times")

mixed = {}
for i, level in enumerate(codes):
    other = [*codes[:i], np.roll(level, 1, axis=0), *codes[i + 1 :]]
    mixed[f"{level.shape[1]}x{level.shape[2]} of its neighbour"] = model.decode(other)[:COLUMNS]
show({"all codes": with_levels(2), **mixed}, "mixed")

# %% [markdown]
# Codes of a level that say nothing would change nothing: with `num_levels: 3` there are 2×2 codes as well, and on the scenes
# those of another image leave the error as it was. Such small images need no third level.

# %% [markdown]
# ## Samples, coarse to fine
#
# Prior and decoder together make new images. `sample` draws all levels; here the coarsest codes of one sample stay, and the
# finer ones are drawn ten times: one scene, told in ten ways.

# %%
names = [name for name in model.class_names for _ in range(10)]
drawn = model.sample(len(names), labels=names, seed=0)
show({name: drawn[i * 10 : (i + 1) * 10] for i, name in enumerate(model.class_names)}, "samples")

known = [np.repeat(level[:1], 10, axis=0) for level in model.prior.sample(10, labels=0, seed=0)]
masks = [np.full(level.shape, i > 0) for i, level in enumerate(known)]
told = model.prior.sample(10, labels=0, seed=1, known=(known, masks))
show({"same 4x4 codes": model.decode(told)}, "one_scene")

# %% [markdown]
# ## How many bits does a level take?
#
# The finer levels have most of the codes. How much of them is news, given the coarser ones and the codes before, is what the
# prior says.

# %%
for i, nats in enumerate(model.prior.level_log_probs(codes, test_labels)):
    bits = -nats.mean() / np.log(2)
    print(f"codes_{i}: {bits:.0f} bits an image, {bits / codes[i][0].size:.2f} a code of 6")

# %% [markdown]
# ## Next
#
# - `vqzoo train hierarchy.yaml --data my_images_32` trains it with checkpoints, scores and pictures; `vqvae2_cifar10` is an
#   entry of the zoo with two levels.
# - [What each number means](../docs/numbers.md)
