"""Categorical bottleneck: a draw of a code at every position, relaxed so that gradients pass."""

import keras
from keras import ops

from vqzoo.checks import checked_bool, checked_number, checked_seed, shown
from vqzoo.layers.code_bottleneck import CodeBottleneck
from vqzoo.layers.latent_logits import FeatureLogits
from vqzoo.layers.map_checks import check_map, check_map_shape
from vqzoo.layers.replicas import draw_for_replica

SMALLEST = 2.0**-24
"""Below this a uniform number is cut off, so that its logarithm stays finite."""


@keras.saving.register_keras_serializable(package="vqzoo")
class GumbelSoftmaxLatent(CodeBottleneck):
    """q(z | x), categorical and independent at every position, with relaxed samples in training.

    [Categorical Reparameterization with Gumbel-Softmax](https://arxiv.org/abs/1611.01144), as
    Equation 7 of Jones and Moore, Is the Discrete VAE's Power Stuck in its Prior? (2020) has it:
    with logits l of the posterior, standard Gumbel noise g and temperature t

        weights = softmax((l + g) / t)        vectors = weights @ codebook

    As t falls to 0 the weights approach one-hot draws of softmax(l). Outside of training nothing
    is drawn: each position takes its most probable code and that code's vector, exactly.

    ```python
    latent = GumbelSoftmaxLatent(256, 64)
    outputs = latent(keras.random.normal((8, 7, 5, 256)), training=True)
    outputs["vectors"]      # (8, 7, 5, 64)
    outputs["codes"]        # int32 (8, 7, 5): hard draws, where the weights are largest
    ```

    Logits, noise, weights and codebook are float32 under every dtype policy. The codes start at
    N(0, 1) and are trained by plain gradients; the layer adds no loss of its own.

    Args:
        num_embeddings: int, number of codes K.
        embedding_dim: int, dimension D of a code's vector.
        logits: how features become logits: `FeatureLogits()`, for features of K channels, or
            `DistanceLogits()`, for features of D channels.
        temperature: float above 0, where the variable `temperature` starts; `AnnealTemperature`
            moves it.
        hard: bool, whether training's weights are one-hot, with the gradient of the relaxed ones
            (straight-through), for models of one's own: the paper's are relaxed.
        seed: int or None; decides where the codes start and what training draws. None: from
            Keras' global seed.
        **kwargs: as for `keras.layers.Layer`.

    Call arguments:
        features: float tensor `(batch, height, width, feature_channels)`.
        training: bool, whether codes are drawn.

    Returns:
        dict: `codes`, int32 `(batch, height, width)`; `vectors` `(..., embedding_dim)` in the
        compute dtype; `weights` and `log_probs`, float32 `(..., num_embeddings)`, the relaxed
        one-hot sample and log q.

    Raises:
        ValueError: if an argument is out of its range or features have another last axis or rank.
    """

    stochastic = True
    watched = ("largest_weight",)

    def __init__(
        self,
        num_embeddings,
        embedding_dim,
        logits=None,
        temperature=1.0,
        hard=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(num_embeddings, embedding_dim, **kwargs)
        self.logits = FeatureLogits() if logits is None else logits
        if not hasattr(self.logits, "channels") or isinstance(self.logits, type):
            raise TypeError(
                f"`logits` must be FeatureLogits() or DistanceLogits(). Received: {shown(logits)}"
            )
        self._start = checked_number(
            temperature, "temperature", "above 0 and finite", lambda t: 0 < t < float("inf")
        )
        self.hard = checked_bool(hard, "hard")
        self.seed = None if seed is None else checked_seed(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.feature_channels = self.logits.channels(self.num_embeddings, self.embedding_dim)

    def build(self, input_shape):
        check_map_shape(input_shape, self.feature_channels, "features")
        exact = {"dtype": "float32", "autocast": False}
        self.codebook = self.add_weight(
            name="codebook",
            shape=(self.num_embeddings, self.embedding_dim),
            initializer=keras.initializers.RandomNormal(stddev=1.0, seed=self.seed),
            **exact,
        )
        start = keras.initializers.Constant(self._start)
        self.temperature = self.add_weight((), start, name="temperature", trainable=False, **exact)

    def call(self, features, training=False):
        log_probs = self.log_probs(features)
        weights = self._relaxed_draw(log_probs) if training else None
        codes = ops.cast(ops.argmax(log_probs if weights is None else weights, axis=-1), "int32")
        if weights is None or self.hard:
            one_hot = ops.one_hot(codes, self.num_embeddings, dtype="float32")
            # Straight-through: the difference is exactly 0, its gradient that of the weights.
            relaxed = 0.0 if weights is None else weights - ops.stop_gradient(weights)
            weights = one_hot + relaxed
        if training:
            vectors = ops.matmul(weights, ops.convert_to_tensor(self.codebook))
        else:  # not the product, whose rounding would differ from `codes_to_vectors`
            vectors = self.codes_to_vectors(codes)
        largest = ops.mean(ops.max(ops.stop_gradient(weights), axis=-1))
        self.see(codes, largest_weight=largest)
        vectors = ops.cast(vectors, self.compute_dtype)
        return {"codes": codes, "vectors": vectors, "weights": weights, "log_probs": log_probs}

    def _relaxed_draw(self, log_probs):
        noise = draw_for_replica(self._gumbel, ops.shape(log_probs))
        return ops.softmax((log_probs + noise) / self.temperature, axis=-1)

    def _gumbel(self, shape):
        uniform = keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)
        return -ops.log(-ops.log(ops.clip(uniform, SMALLEST, 1 - SMALLEST)))

    def log_probs(self, features):
        """log q(z = k | x), float32 `(batch, height, width, num_embeddings)`."""
        check_map(features, self.feature_channels, "features")
        codebook = ops.convert_to_tensor(self.codebook)
        return ops.log_softmax(self.logits(ops.cast(features, "float32"), codebook), axis=-1)

    def one_hot(self, outputs):
        """What a prior is given of a call's `outputs`: the relaxed sample `weights`."""
        return outputs["weights"]

    def divergence(self, outputs, prior_log_probs):
        """KL(q || p) of a call's `outputs`, float32 `(batch,)` nats.

        At each position the exact sum over codes, given the sample at the positions before:
        sum_i sum_k q_ik (log q_ik - log p(k | z_<i)). Its mean over hard samples is the divergence
        from an autoregressive prior; relaxed ones bias it, so it is for training only.

        Args:
            outputs: dict that the call gave.
            prior_log_probs: float32 `(batch, height, width, num_embeddings)`, log p(k | z_<i).
        """
        log_probs = outputs["log_probs"]
        terms = ops.exp(log_probs) * (log_probs - prior_log_probs)
        return ops.sum(terms, axis=(1, 2, 3))

    def compute_output_spec(self, features, training=False):
        codes = keras.KerasTensor(features.shape[:-1], dtype="int32")
        of_codes = (*features.shape[:-1], self.num_embeddings)
        vectors = (*features.shape[:-1], self.embedding_dim)
        return {
            "codes": codes,
            "vectors": keras.KerasTensor(vectors, dtype=self.compute_dtype),
            "weights": keras.KerasTensor(of_codes, dtype="float32"),
            "log_probs": keras.KerasTensor(of_codes, dtype="float32"),
        }

    def get_config(self):
        arguments = ("num_embeddings", "embedding_dim", "hard", "seed")
        logits = keras.saving.serialize_keras_object(self.logits)
        own = {"logits": logits, "temperature": self._start}
        return {**super().get_config(), **own, **{name: getattr(self, name) for name in arguments}}

    @classmethod
    def from_config(cls, config):
        """The layer that `get_config` came from, with new weights."""
        logits = keras.saving.deserialize_keras_object(config["logits"])
        return cls(**{**config, "logits": logits})
