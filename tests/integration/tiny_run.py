"""A whole recipe of seconds; run as a script it is one process of a run that may be killed."""

import pathlib
import sys

import numpy as np
from PIL import Image

CONFIG = """
data: {name: stripes, image_shape: [8, 8, 1], class_names: [across, down], flip: false}
autoencoder: {family: VQVAE, num_embeddings: 8, embedding_dim: 4, filters: 8, residual_filters: 8,
  num_residual_blocks: 1, restart_threshold: 0.3, seed: 0}
prior: {family: AutoregressivePrior, network: {family: GatedPixelCNN, filters: 8, num_layers: 1,
  head_filters: 8, dropout: 0.1}}
training:
  autoencoder: {learning_rate: 1.0e-3, schedule: cosine, batch_size: 8, steps: 60, seed: 0}
  prior: {learning_rate: 1.0e-3, schedule: cosine, batch_size: 8, steps: 40, seed: 1}
smoke: {training: {autoencoder: {steps: 6}, prior: {steps: 6}}}
"""

LEVELS = """
data: {name: stripes, image_shape: [8, 8, 1], class_names: [across, down], flip: false}
autoencoder: {family: VQVAE2, bottom_stride: 2, num_embeddings: 8, embedding_dim: 4, filters: 8,
  residual_filters: 8, num_residual_blocks: 1, restart_threshold: 0.3, seed: 0}
prior:
  family: HierarchicalPrior
  levels:
    - network: {family: GatedPixelCNN, filters: 8, num_layers: 1, head_filters: 8, dropout: 0.1}
    - network: {family: GatedPixelCNN, filters: 8, num_layers: 1, head_filters: 8}
      conditioning: {filters: 8, residual_filters: 8, num_blocks: 1, dropout: 0.1}
training:
  autoencoder: {learning_rate: 1.0e-3, schedule: cosine, batch_size: 8, steps: 60, seed: 0}
  prior:
    - {learning_rate: 1.0e-3, schedule: cosine, batch_size: 8, steps: 40, seed: 1}
    - {learning_rate: 1.0e-3, schedule: cosine, batch_size: 8, steps: 30, seed: 2}
"""
"""As `CONFIG`, of two levels: codes of 2 x 2 and 4 x 4, a prior for each."""


JOINT = """
data: {name: stripes, image_shape: [8, 8, 1], class_names: [across, down], flip: false}
autoencoder: {family: DiscreteVAE, posterior: categorical, num_embeddings: 8, embedding_dim: 4,
  filters: 8, residual_filters: 8, num_residual_blocks: 1, seed: 0}
prior: {family: AutoregressivePrior, conditional: false,
  network: {family: PixelCNNPlusPlus, filters: 4, num_blocks: 1, num_downsamplings: 1}}
training:
  joint: {learning_rate: 1.0e-3, schedule: cosine, batch_size: 8, steps: 60, seed: 0}
smoke: {training: {joint: {steps: 6}}}
"""
"""A discrete VAE, of which both parts are trained together and the scale is learnt."""

STAGE = "{learning_rate: 1.0e-3, batch_size: 8, steps: 6, seed: 0}"
DRAWS = JOINT.split("training:")[0] + f"training: {{autoencoder: {STAGE}, prior: {STAGE}}}"
"""As `JOINT`, one part after the other."""


def write_images(folder, class_names=("across", "down"), side=8):
    """Noisy stripes in `folder/{train,test}/CLASS/`, 24 and 8 of each class, and the config."""
    generator = np.random.default_rng(0)
    for split, count in (("train", 24), ("test", 8)):
        for label, name in enumerate(class_names):
            (folder / split / name).mkdir(parents=True)
            for i in range(count):
                stripes = np.where(np.arange(side) % (label + 4) < 2, 60, 180)[:, None]
                pixels = (stripes + generator.normal(0, 10, (side, side))).astype("uint8")
                pixels = pixels.T if label % 2 else pixels
                Image.fromarray(pixels).save(folder / split / name / f"{i}.png")
    configs = {"stripes": CONFIG, "levels": LEVELS, "joint": JOINT, "draws": DRAWS}
    for name, config in configs.items():
        (folder / f"{name}.yaml").write_text(config, encoding="utf-8")


def train(images, run, name="stripes", **kwargs):
    """Trains on what `write_images` wrote, by the configuration of that name."""
    import vqzoo

    return vqzoo.train(pathlib.Path(images) / f"{name}.yaml", data=images, folder=run, **kwargs)


def use_two_logical_cpus():
    """Makes a run use two replicas; before TensorFlow has started its devices."""
    import tensorflow as tf

    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, halves)


if __name__ == "__main__":  # python tiny_run.py IMAGES RUN [levels | joint] [smoke] [replicas]
    if "replicas" in sys.argv:
        use_two_logical_cpus()
    name = next((name for name in ("levels", "joint") if name in sys.argv), "stripes")
    train(sys.argv[1], sys.argv[2], name, smoke="smoke" in sys.argv)
