"""What a trained entry answers; run as a script it answers in another process and backend."""

import sys

import numpy as np

NAME, SEEDS = "vqvae_fashion_mnist", (0, 1, 2)


def answers(images, codes):
    """dict of arrays: all that `vqvae_fashion_mnist` says to uint8 images and int32 codes.

    Samples and completions are one of each class for each of `SEEDS`.
    """
    import vqzoo

    model = vqzoo.load(NAME)
    labels = np.arange(len(model.class_names), dtype="int32")
    mask = np.zeros((28, 28), bool)
    mask[14:] = True
    found = {
        "encoded": model.encode(images)[0],
        "decoded": model.decode([codes]),
        "elbo": model.elbo(images[:20], labels=3),
        "bits": model.bits_per_dim(images[:20])[0],
    }
    for seed in SEEDS:
        found[f"sampled_{seed}"] = model.prior.sample(len(labels), labels, seed)[0]
        found[f"images_{seed}"] = model.sample(len(labels), labels, seed)
        found[f"drawn_{seed}"] = model.draw_labels(8, seed=seed)
        completed = model.complete(images[:10], mask, labels, seed)
        found[f"completed_{seed}"] = completed
    return found


if __name__ == "__main__":  # python backend_answers.py GIVEN.npz FOUND.npz
    given = np.load(sys.argv[1])
    np.savez(sys.argv[2], **answers(given["images"], given["codes"]))
    loaded = sorted(name for name in sys.modules if name.startswith("tensorflow"))
    print(loaded)
