"""What the parts of models take: layers, networks, likelihoods, sampling options."""

import numpy as np
from hypothesis import strategies as st
from tests.fuzz.case import Case
from tests.fuzz.wrong_values import ARRAYS

from vqzoo import layers, likelihoods, networks
from vqzoo.sampling import SamplingOptions

SMALL = st.integers(1, 4)
COST, SHARE = st.sampled_from([0, 0.25, 1.0]), st.sampled_from([0, 0.1, 0.99])
FLAG, SEED = st.booleans(), st.sampled_from([0, 7, 2**32 - 1])
ODD, STRIDE = st.sampled_from([3, 5]), st.sampled_from([2, 4, 8])


def optional(strategy):
    """None, or a value of the strategy."""
    return st.none() | strategy


def floats(*shape):
    """A float32 array of the shape."""
    return np.random.default_rng(0).normal(size=shape).astype("float32")


MAP = st.sampled_from([floats(2, 3, 5, 4), floats(1, 1, 1, 4)])
CODES = st.sampled_from([np.zeros((2, 3, 5), "int32"), np.ones((1, 1, 1), "int64")])
LEVELS = st.sampled_from([np.array([0, 255]), np.arange(6, dtype="uint8").reshape(3, 2)])


def layer_cases():
    """Constructors and calls of `vqzoo.layers`."""
    quantizer = {"num_embeddings": SMALL, "embedding_dim": SMALL, "commitment_cost": COST}
    sizes = ("num_embeddings", "embedding_dim", "filters", "residual_filters", "kernel_size")
    sizes += ("num_classes", "condition_channels", "num_heads", "key_dim", "value_dim")
    sizes += ("auxiliary_channels",)
    ema = {
        "decay": SHARE,
        "epsilon": st.sampled_from([1e-5, 1]),
        "codebook_init": st.sampled_from(["uniform", "sample", "kmeans"]),
        "restart_threshold": optional(st.sampled_from([1, 0.3])),
        "seed": optional(SEED),
    }
    gated = {
        "filters": SMALL,
        "kernel_size": ODD,
        "first": st.just(False),
        "residual": FLAG,
        "num_classes": optional(SMALL),
        "condition_channels": optional(SMALL),
        "dropout": SHARE,
    }
    block = {"filters": SMALL, "residual_filters": SMALL, "dropout": SHARE}
    attention = {"num_heads": SMALL, "key_dim": SMALL, "value_dim": SMALL}
    conditions = {"num_classes": optional(SMALL), "condition_channels": optional(SMALL)}
    auxiliary = {"auxiliary_channels": optional(SMALL)}
    scores = {"include_current": FLAG, "dropout": SHARE}
    gradient = {"codebook_cost": COST, "trainable_codebook": FLAG, "seed": optional(SEED)}
    masked = {"filters": SMALL, "kernel_size": ODD, "mask_type": st.sampled_from("AB")}
    residual = {"filters": SMALL, "residual_filters": SMALL, "batch_norm": FLAG}
    above_0 = st.sampled_from([1.0, 0.1, 2])
    gumbel = {
        "num_embeddings": SMALL,
        "embedding_dim": SMALL,
        "logits": st.sampled_from([None, layers.DistanceLogits()]),
        "temperature": above_0,
        "hard": FLAG,
        "seed": optional(SEED),
    }
    anneal = {"layer": st.just(layers.GumbelSoftmaxLatent(3, 4)), "schedule": st.none()}
    stacked = block | conditions | {"kernel_size": ODD}
    shifted = {"filters": SMALL, "dropout": SHARE, "with_skips": FLAG} | conditions
    window = {"filters": SMALL, "kernel_size": st.sampled_from([(2, 3), (1, 1)]), "first": FLAG}
    window |= {"stack": st.sampled_from(["vertical", "horizontal"])}
    return {
        "layers.CausalAttentionBlock": Case(
            layers.CausalAttentionBlock, block | attention, sizes=sizes
        ),
        "layers.CausalResidualBlock": Case(layers.CausalResidualBlock, stacked, sizes=sizes),
        "layers.CausalSelfAttention": Case(
            layers.CausalSelfAttention, attention | scores, sizes=sizes
        ),
        "layers.GatedMaskedConv": Case(layers.GatedMaskedConv, gated, sizes=sizes),
        "layers.GaussianBottleneck": Case(
            layers.GaussianBottleneck,
            {"latent_dim": SMALL, "seed": optional(SEED)},
            sizes=("latent_dim",),
        ),
        "layers.GatedConvBlock": Case(
            layers.GatedConvBlock, block | auxiliary | {"kernel_size": ODD}, sizes=sizes
        ),
        "layers.AnnealTemperature": Case(
            layers.AnnealTemperature, anneal | {"steps": optional(SMALL)}
        ),
        "layers.DistanceLogits": Case(layers.DistanceLogits, {}),
        "layers.ExponentialTemperature": Case(
            layers.ExponentialTemperature, {"start": above_0, "end": above_0}
        ),
        "layers.FeatureLogits": Case(layers.FeatureLogits, {}),
        "layers.GumbelSoftmaxLatent": Case(layers.GumbelSoftmaxLatent, gumbel, sizes=sizes),
        "layers.MaskedConv2D": Case(layers.MaskedConv2D, masked, sizes=sizes),
        "layers.ResidualBlock": Case(layers.ResidualBlock, residual, sizes=sizes),
        "layers.ShiftedConv2D": Case(layers.ShiftedConv2D, window, sizes=sizes),
        "layers.ShiftedResidualBlock": Case(layers.ShiftedResidualBlock, shifted, sizes=sizes),
        "layers.VectorQuantizer": Case(layers.VectorQuantizer, quantizer | gradient, sizes=sizes),
        "layers.VectorQuantizerEMA": Case(layers.VectorQuantizerEMA, quantizer | ema, sizes=sizes),
        **layer_calls(),
    }


def layer_calls():
    """Calls on tensors; what is no array Keras itself refuses."""
    single = {
        "GaussianBottleneck": (layers.GaussianBottleneck(2), "features"),
        "GumbelSoftmaxLatent": (layers.GumbelSoftmaxLatent(4, 2), "features"),
        "ResidualBlock": (layers.ResidualBlock(4, 2), "inputs"),
        "VectorQuantizer": (layers.VectorQuantizer(3, 4), "features"),
        "VectorQuantizerEMA": (layers.VectorQuantizerEMA(3, 4), "features"),
    }
    numbers = ARRAYS.filter(lambda array: array.dtype.kind in "biuf")
    cases = {
        f"layers.{name}.call": Case(layer, {argument: MAP}, wrong={argument: numbers})
        for name, (layer, argument) in single.items()
    }
    pairs = {
        "CausalAttentionBlock": (layers.CausalAttentionBlock(4, 2, 1, 2, 2), "features", "inputs"),
        "CausalSelfAttention": (layers.CausalSelfAttention(1, 2, 2), "queries", "memory"),
        "GatedConvBlock": (layers.GatedConvBlock(4, 2, 1, 4), "inputs", "auxiliary"),
    }
    for name, (layer, *arguments) in pairs.items():
        right = dict.fromkeys(arguments, st.just(floats(2, 3, 5, 4)))
        wrong = dict.fromkeys(arguments, numbers)
        layer.build((2, 3, 5, 4), (2, 3, 5, 4))
        cases[f"layers.{name}.call"] = Case(layer, right, wrong=wrong)
    for case in cases.values():
        case.call(*[floats(2, 3, 5, 4)] * len(case.right))  # built: what is wrong meets the call
    for kind in ("GatedMaskedConv", "CausalResidualBlock", "ShiftedResidualBlock"):
        cases[f"layers.{kind}.call"] = stacked_call(kind, numbers)
    return cases


def stacked_call(kind, numbers):
    """The call of a layer on two stacks and labels."""
    arguments = {"filters": 4, "num_classes": 3}
    if kind != "ShiftedResidualBlock":
        arguments["kernel_size"] = 3
    if kind == "CausalResidualBlock":
        arguments["residual_filters"] = 2
    layer = getattr(layers, kind)(**arguments)

    def call(stacks, labels):
        return layer((stacks, stacks), labels=labels)

    right = {"stacks": st.just(floats(2, 3, 5, 4)), "labels": st.just(np.array([0, 2]))}
    rank = ARRAYS.filter(lambda array: array.dtype.kind in "biuf" and array.ndim != 1)
    call(floats(2, 3, 5, 4), np.array([0, 2]))
    return Case(call, right, wrong={"stacks": numbers, "labels": rank})


def network_cases():
    """Constructors of `vqzoo.networks`, and the call of what is no graph of Keras."""
    convolutional = {
        "image_channels": SMALL,
        "embedding_dim": SMALL,
        "filters": st.integers(2, 4),
        "residual_filters": SMALL,
        "num_residual_blocks": st.just(1),
        "batch_norm": FLAG,
    }
    strided = {"channels": SMALL, "stride": STRIDE} | dict(list(convolutional.items())[2:5])
    causal = {
        "num_embeddings": SMALL,
        "num_classes": optional(SMALL),
        "filters": SMALL,
        "num_layers": st.integers(1, 2),
        "kernel_size": ODD,
        "first_kernel_size": ODD,
        "head_filters": SMALL,
        "condition_channels": optional(SMALL),
        "dropout": SHARE,
    }
    stack = {"num_embeddings": st.sampled_from([[3], [2, 4]]), "num_blocks": st.integers(0, 1)}
    stack |= {"filters": SMALL, "residual_filters": SMALL, "dropout": SHARE}
    snail = {name: right for name, right in causal.items() if not name.endswith("_filters")}
    del snail["first_kernel_size"]
    snail |= dict.fromkeys(("residual_filters", "num_heads", "key_dim", "value_dim"), SMALL)
    snail |= {"attention_after": st.sampled_from([[], [1], (1,)]), "output_blocks": SMALL}
    plus = ("num_embeddings", "num_classes", "filters", "condition_channels", "dropout")
    plus = {name: causal[name] for name in plus} | {"num_blocks": st.just(1)}
    plus |= {"num_downsamplings": st.integers(0, 2)}
    pixels = {name: plus[name] for name in plus if name != "num_embeddings"}
    pixels |= {"image_channels": SMALL, "num_outputs": SMALL}
    over_pixels = networks.PixelCNNPlusPlusPixels(4, 2, None, 2, 1)
    shifted = networks.PixelCNNPlusPlus(3, None, 2, 1)
    tiny = networks.PixelSNAIL(3, None, 2, 2, num_layers=1, attention_after=[1])
    network = networks.GatedPixelCNN(3, filters=2, num_layers=1, head_filters=2)
    # A code out of range is for the prior to see: the network is also called on unknown tensors.
    numbers = ARRAYS.filter(lambda array: array.dtype.kind in "biuf" and array.size)
    numbers = numbers.filter(lambda array: ((array >= 0) & (array < 3)).all())
    return {
        "networks.ConditioningStack": Case(
            networks.ConditioningStack, stack, sizes=tuple(stack)
        ),
        "networks.Decoder": Case(
            networks.Decoder, convolutional | {"stride": STRIDE}, sizes=tuple(convolutional)
        ),
        "networks.Downsampler": Case(networks.Downsampler, strided, sizes=tuple(strided)),
        "networks.Encoder": Case(networks.Encoder, convolutional, sizes=tuple(convolutional)),
        "networks.GatedPixelCNN": Case(networks.GatedPixelCNN, causal, sizes=tuple(causal)),
        "networks.GatedPixelCNN.call": Case(network, {"codes": CODES}, wrong={"codes": numbers}),
        "networks.PixelCNNPlusPlus": Case(networks.PixelCNNPlusPlus, plus, sizes=tuple(plus)),
        "networks.PixelCNNPlusPlus.call": Case(shifted, {"codes": CODES}, wrong={"codes": numbers}),
        "networks.PixelCNNPlusPlusPixels": Case(
            networks.PixelCNNPlusPlusPixels, pixels, sizes=tuple(pixels)
        ),
        "networks.PixelCNNPlusPlusPixels.call": Case(
            over_pixels,
            {"images": MAP},
            wrong={"images": ARRAYS.filter(lambda array: array.dtype.kind in "biuf")},
        ),
        "networks.PixelSNAIL": Case(networks.PixelSNAIL, snail, sizes=tuple(snail)),
        "networks.PixelSNAIL.call": Case(tiny, {"codes": CODES}, wrong={"codes": numbers}),
    }


def likelihood_cases():
    """`vqzoo.likelihoods`: constructors and methods."""
    normal, categorical = likelihoods.DiscretizedNormal(), likelihoods.Categorical(4)
    density = likelihoods.DequantizedNormal()
    means = st.sampled_from([floats(3, 2), 4.0, floats(2)])
    scales = st.sampled_from([1.0, np.ones(2, "float32")])
    parameters = {"mean": means, "scale": scales}
    logits = {"logits": st.just(floats(2, 4))}
    row = st.just(np.array([0, 3]))
    bernoulli, binary = likelihoods.Bernoulli(), st.just(np.array([0, 1, 1, 0]))
    return {
        "likelihoods.Bernoulli": Case(likelihoods.Bernoulli, {}),
        "likelihoods.Bernoulli.distribution": Case(bernoulli.distribution, logits),
        "likelihoods.Bernoulli.log_prob": Case(bernoulli.log_prob, {"images": binary} | logits),
        "likelihoods.Bernoulli.mean": Case(bernoulli.mean, logits),
        "likelihoods.Bernoulli.sample": Case(bernoulli.sample, logits | {"seed": SEED}),
        "likelihoods.Categorical": Case(
            likelihoods.Categorical, {"num_bins": st.integers(2, 9)}, sizes=("num_bins",)
        ),
        "likelihoods.Categorical.distribution": Case(categorical.distribution, logits),
        "likelihoods.Categorical.log_prob": Case(categorical.log_prob, {"images": row} | logits),
        "likelihoods.Categorical.mean": Case(categorical.mean, logits),
        "likelihoods.Categorical.sample": Case(categorical.sample, logits | {"seed": SEED}),
        **logistic_cases(),
        "likelihoods.DequantizedNormal": Case(likelihoods.DequantizedNormal, {}),
        "likelihoods.DequantizedNormal.distribution": Case(density.distribution, parameters),
        "likelihoods.DequantizedNormal.log_prob": Case(
            density.log_prob, {"images": LEVELS} | parameters
        ),
        "likelihoods.DequantizedNormal.mean": Case(density.mean, parameters),
        "likelihoods.DequantizedNormal.sample": Case(density.sample, parameters | {"seed": SEED}),
        "likelihoods.DiscretizedNormal": Case(
            likelihoods.DiscretizedNormal, {"num_bins": st.integers(2, 9)}, sizes=("num_bins",)
        ),
        "likelihoods.DiscretizedNormal.distribution": Case(normal.distribution, parameters),
        "likelihoods.DiscretizedNormal.log_prob": Case(
            normal.log_prob, {"images": LEVELS} | parameters
        ),
        "likelihoods.DiscretizedNormal.mean": Case(normal.mean, parameters),
        "likelihoods.DiscretizedNormal.sample": Case(normal.sample, parameters | {"seed": SEED}),
        "likelihoods.DiscretizedNormal.to_levels": Case(
            normal.to_levels, {"values": st.just(floats(3))}
        ),
    }


def logistic_cases():
    """The discretised logistics, alone and as a mixture."""
    logistic = likelihoods.DiscretizedLogistic()
    mixture = likelihoods.DiscretizedLogisticMixture(2, 3)
    made = {"num_bins": st.integers(2, 9), "edges": st.sampled_from(["half", "left"])}
    made |= {"saturate": optional(FLAG)}
    counts = {name: st.integers(2, 9) for name in ("num_components", "channels", "num_bins")}
    parameters = {"mean": st.sampled_from([floats(3, 2), 4.0]), "scale": st.just(1.0)}
    packed = {"parameters": st.just(floats(5, 20))}
    pixels, noise = st.just(np.zeros((5, 3), "uint8")), np.random.default_rng(0)
    uniform = {"uniform": st.just(noise.uniform(size=2).astype("float32"))}
    noises = {"uniform": st.just(noise.uniform(size=(5, 4)).astype("float32"))}
    calls = {
        "DiscretizedLogistic.distribution": (logistic.distribution, parameters),
        "DiscretizedLogistic.draw": (logistic.draw, parameters | uniform),
        "DiscretizedLogistic.log_prob": (logistic.log_prob, {"images": LEVELS} | parameters),
        "DiscretizedLogistic.mean": (logistic.mean, parameters),
        "DiscretizedLogistic.sample": (logistic.sample, parameters | {"seed": SEED}),
        "DiscretizedLogistic.to_levels": (logistic.to_levels, {"values": st.just(floats(3))}),
        "DiscretizedLogisticMixture.distribution": (mixture.distribution, packed),
        "DiscretizedLogisticMixture.draw": (mixture.draw, packed | noises),
        "DiscretizedLogisticMixture.log_prob": (mixture.log_prob, {"images": pixels} | packed),
        "DiscretizedLogisticMixture.sample": (mixture.sample, packed | {"seed": SEED}),
        "DiscretizedLogisticMixture.unpack": (mixture.unpack, packed),
    }
    made_of = {"DiscretizedLogistic": made, "DiscretizedLogisticMixture": counts}
    constructors = {
        f"likelihoods.{name}": Case(getattr(likelihoods, name), right, sizes=tuple(right))
        for name, right in made_of.items()
    }
    return constructors | {f"likelihoods.{name}": Case(*call) for name, call in calls.items()}


def sampling_cases():
    """`vqzoo.sampling.SamplingOptions`."""
    options = {
        "temperature": st.sampled_from([1, 0.5, 2.0]),
        "top_k": optional(SMALL),
        "top_p": optional(st.sampled_from([0.5, 1])),
        "incremental": FLAG,
    }
    return {"sampling.SamplingOptions": Case(SamplingOptions, options)}
