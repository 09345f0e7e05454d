"""What the registry, `ZooModel`, the priors, the families and the evaluation take."""

import itertools

import numpy as np
from hypothesis import strategies as st
from tests.data.image_files import write_folder
from tests.fuzz.case import Case
from tests.fuzz.data_cases import IMAGES, LABELS, NAMES
from tests.fuzz.part_cases import COST, FLAG, SEED, SHARE, SMALL, optional

import vqzoo
from vqzoo import data, evaluation, models, networks, priors
from vqzoo.sampling import SamplingOptions

PIXELS = st.sampled_from([IMAGES[:2], IMAGES[:1]])
NAMED = st.sampled_from([None, "bag", 2, ["coat", 0], np.array([0, 2])])
NAMED_ALL = st.sampled_from([None, "bag", np.int64(2)])  # fits any number of images
MASK = st.sampled_from([np.eye(8, 12, dtype=bool), np.ones((2, 3), bool)])
COUNT = st.just(2)
BATCH = {"batch_size": st.integers(1, 3)}


def registry_cases(yaml, saved, folder):
    """Every function of `vqzoo.__all__`, on images below `folder`, which are made."""
    files = [f"{name}/{i}.png" for name in NAMES for i in range(9)]
    write_folder(folder / "images", files, (8, 12, 1))
    section = {"data": st.just({"flip": True}), "autoencoder": st.just({"filters": 6})}
    sections = {name: optional(value) for name, value in section.items()}
    sections["prior"] = optional(st.just({"family": "UniformPrior"}))
    sections["training"] = st.sampled_from([None, "marginal"])
    options = {name: FLAG for name in ("smoke", "skip_bad", "tokenizer_only")}
    number = itertools.count()  # another run folder in each call
    started = {"folder": st.builds(lambda: f"run{next(number)}")}
    started["start_from"] = optional(st.just(saved))
    folders = st.sampled_from([folder / "images", [folder / "images"] * 2])
    names = st.sampled_from(["vqvae_fashion_mnist", str(saved), saved])
    return {
        "vqzoo.create": Case(vqzoo.create, {"name": st.just(yaml)} | sections, paths=("name",)),
        "vqzoo.describe": Case(vqzoo.describe, {"name": names}, paths=("name",)),
        "vqzoo.list_models": Case(
            vqzoo.list_models,
            {"pattern": st.sampled_from(["*", "v?vae*"]), "pretrained": optional(FLAG)},
        ),
        "vqzoo.load": Case(vqzoo.load, {"name": st.just(saved)}, paths=("name",)),
        "vqzoo.train": Case(
            lambda name, **arguments: vqzoo.train(name, **arguments),
            {"name": st.just(yaml), "data": folders} | started | options,
            paths=("name", "data", "folder", "start_from"),
        ),
    }


def model_cases(model):
    """Every public method of a `ZooModel`; nothing is trained, and the sampler draws zeros."""
    leave_out_what_is_compiled(model.prior)
    model.autoencoder.fit = model.prior.fit = lambda *args, **kwargs: None
    codes, number = model.encode(IMAGES[:2]), itertools.count()
    drawn = {"num_images": COUNT, "labels": NAMED_ALL, "seed": SEED}
    scored = {"images": st.just(IMAGES[:2]), "labels": NAMED} | BATCH
    sampled = drawn | BATCH | {
        "temperature": st.sampled_from([1, 0.5]),
        "top_k": optional(SMALL),
        "top_p": optional(st.sampled_from([0.5, 1])),
        "incremental": FLAG,
        "critic": st.none(),
        "keep": st.none(),
    }  # fmt: skip
    fitted = {
        "dataset": st.sampled_from([(IMAGES, LABELS), [(IMAGES[:3], LABELS[:3])]]),
        "autoencoder": optional(st.just({"epochs": 1})),
        "prior": optional(st.just({"epochs": 1})),
    }
    sizes = ("num_images", "batch_size")

    def to_new_folder(method):
        right = st.builds(lambda: f"saved{next(number)}")
        return Case(method, {"folder": right}, paths=("folder",))

    return {
        "ZooModel.bits_per_dim": Case(model.bits_per_dim, scored, sizes=sizes),
        "ZooModel.check_tokenizer": Case(model.check_tokenizer, {}),
        "ZooModel.complete": Case(
            model.complete, scored | {"mask": MASK, "seed": SEED}, sizes=sizes
        ),
        "ZooModel.decode": Case(model.decode, {"codes": st.just(codes)} | BATCH, sizes=sizes),
        "ZooModel.draw_labels": Case(model.draw_labels, drawn, sizes=sizes),
        "ZooModel.elbo": Case(model.elbo, scored, sizes=sizes),
        "ZooModel.encode": Case(model.encode, {"images": PIXELS} | BATCH, sizes=sizes),
        "ZooModel.export": to_new_folder(model.export),
        "ZooModel.fit": Case(model.fit, fitted),
        "ZooModel.reconstruct": Case(model.reconstruct, {"images": PIXELS} | BATCH, sizes=sizes),
        "ZooModel.sample": Case(model.sample, sampled, paths=("critic",), sizes=sizes),
        "ZooModel.save": to_new_folder(model.save),
    }


def prior_cases(model):
    """`vqzoo.priors`: constructors and methods."""
    leave_out_what_is_compiled(model.prior)
    network = networks.GatedPixelCNN(4, filters=2, num_layers=1, head_filters=2)
    drawn = {
        "num_images": COUNT,
        "labels": st.sampled_from([None, 1, np.array(2)]),
        "seed": SEED,
        "options": st.just(SamplingOptions()),
        "known": st.sampled_from([None, ([np.ones((2, 2, 3), int)], [np.ones((2, 2, 3), bool)])]),
        "first_index": st.integers(0, 3),
    } | BATCH
    scored = {"latents": st.just([np.ones((2, 2, 3), "int32")]), "labels": drawn["labels"]}
    shaped = {"latent_shapes": st.just([(2, 3)]), "codebook_sizes": st.just([4])}
    sizes = ("num_images", "batch_size", "num_classes")
    cases = {
        "priors.AutoregressivePrior": Case(
            priors.AutoregressivePrior,
            {
                "network": st.just(network),
                "latent_shape": st.sampled_from([(2, 3), [1, 1]]),
                "level": st.just(0),
                "conditioning": st.none(),
            },
        ),
        "priors.HierarchicalPrior": Case(
            priors.HierarchicalPrior,
            {"levels": st.just([priors.AutoregressivePrior(network, (2, 3))])},
        ),
        "priors.NoPrior": Case(priors.NoPrior, {}),
        "priors.UniformPrior": Case(
            priors.UniformPrior, shaped | {"num_classes": optional(SMALL)}, sizes=sizes
        ),
        "priors.StandardNormalPrior": Case(
            priors.StandardNormalPrior, {"latent_shapes": st.sampled_from([[(3,)], [(2, 3), (1,)]])}
        ),
        "priors.create": Case(
            priors.create,
            {
                "config": st.just({"family": "UniformPrior"}),
                "autoencoder": st.just(model.autoencoder),
                "num_classes": optional(SMALL),
            },
            fixed=("autoencoder",),
            called={"config": "family"},
            sizes=sizes,
        ),
    }
    normal, vectors = priors.StandardNormalPrior([(3,)]), [np.ones((2, 3), "float32")]
    unconditional = {name: drawn[name] for name in ("num_images", "seed", "options", "batch_size")}
    cases["priors.StandardNormalPrior.sample"] = Case(normal.sample, unconditional, sizes=sizes)
    cases["priors.StandardNormalPrior.log_prob"] = Case(
        normal.log_prob, {"latents": st.just(vectors), "labels": st.none()}
    )
    uniform = priors.UniformPrior([(2, 3)], [4], 3)
    hierarchical = priors.HierarchicalPrior([model.prior])
    for prior in (model.prior, hierarchical, uniform):
        name = f"priors.{type(prior).__name__}"
        cases[f"{name}.sample"] = Case(prior.sample, drawn, sizes=sizes)
        batch = {} if prior is uniform else BATCH
        cases[f"{name}.log_prob"] = Case(prior.log_prob, scored | batch, sizes=sizes)
    return cases


def family_cases():
    """Constructors of the families of models."""
    vqvae = {
        "image_shape": st.sampled_from([(8, 12, 1), [4, 4, 3]]),
        "num_embeddings": SMALL,
        "embedding_dim": SMALL,
        "filters": st.integers(2, 4),
        "residual_filters": SMALL,
        "num_residual_blocks": st.integers(0, 1),
        "commitment_cost": COST,
        "decay": SHARE,
        "codebook_init": st.just("sample"),
        "restart_threshold": optional(st.just(1)),
        "seed": optional(SEED),
    }
    vae = {name: vqvae[name] for name in (*list(vqvae)[:1], *list(vqvae)[2:6], "seed")}
    vae |= {"latent_dim": SMALL, "likelihood": st.sampled_from(["bernoulli", "discretized_normal"])}
    shapes = {"image_shape": st.sampled_from([(16, 24, 1), [8, 8, 3]])}
    levels = {"num_levels": st.integers(1, 2), "bottom_stride": st.sampled_from([2, 4])}
    vqvae2 = vqvae | shapes | levels
    discrete = {name: vqvae[name] for name in (*list(vqvae)[:6], "seed")}
    discrete |= {"posterior": st.sampled_from(["quantized", "distance", "categorical"])}
    discrete |= {"scale": st.sampled_from([None, 3, 12.5])}
    pixels = {"image_shape": st.sampled_from([(3, 5, 1), [2, 2, 3]]), "filters": SMALL}
    pixels |= {"num_blocks": st.just(1), "num_downsamplings": st.integers(0, 2), "dropout": SHARE}
    pixels |= {"num_components": SMALL}
    return {
        "models.DiscreteVAE": Case(models.FAMILIES["DiscreteVAE"], discrete, sizes=tuple(discrete)),
        "models.PixelModel": Case(models.FAMILIES["PixelModel"], pixels, sizes=tuple(pixels)),
        "models.VAE": Case(models.FAMILIES["VAE"], vae, sizes=tuple(vae)),
        "models.VQVAE": Case(models.FAMILIES["VQVAE"], vqvae, sizes=tuple(vqvae)),
        "models.VQVAE2": Case(models.FAMILIES["VQVAE2"], vqvae2, sizes=tuple(vqvae2)),
    }


def evaluation_cases(model):
    """`vqzoo.evaluation.evaluate`, and what it takes its classifier from."""
    source = data.ArraySource(IMAGES, LABELS, NAMES)
    evaluated = {
        "model": st.just(model),
        "test": st.just(source),
        "train": optional(st.just(source)),
        "classifier": st.none(),
        "num_samples": st.sampled_from([0, 3]),
        "seed": SEED,
        "networks": st.sampled_from([None, []]),
    }
    return {
        "evaluation.evaluate": Case(evaluation.evaluate, evaluated, sizes=("num_samples",)),
        "evaluation.iwae_bound": Case(
            evaluation.iwae_bound,
            {"model": st.just(model), "images": st.just(IMAGES), "num_samples": COUNT, "seed": SEED},
            fixed=("model",),
            sizes=("num_samples",),
        ),
        "evaluation.load_classifier": Case(
            evaluation.load_classifier,
            {"name_or_folder": st.just("classifier_fashion_mnist")},
            paths=("name_or_folder",),
        ),
    }


def leave_out_what_is_compiled(prior):
    """Zeros in place of what takes seconds to compile for each shape; it is tested elsewhere."""
    prior._sampler = lambda keys, condition, codes, mask, options: np.where(mask, 0, codes)
    prior._log_prob = lambda batch: np.zeros(len(batch["codes_0"]), "float32")
