"""`vqzoo evaluate`: the numbers of a model, computed again."""

from vqzoo import config as configs
from vqzoo import files, zoo
from vqzoo.cli import backend
from vqzoo.cli.arguments import (
    UsageError,
    add_model,
    existing_path,
    output_file,
    positive_int,
    seed,
)
from vqzoo.cli.describe import score_lines

HELP = "Scores of a model on its test images."
EXAMPLE = "vqzoo evaluate vqvae_fashion_mnist"
NUM_SAMPLES, SHOWN = 2000, 10


def add_arguments(parser):
    """Adds the arguments of `vqzoo evaluate`."""
    add_model(parser)
    parser.add_argument(
        "--data", type=existing_path, metavar="FOLDER", help="images to use instead of its data set"
    )
    parser.add_argument("--seed", type=seed, default=0, help="of the samples (default 0)")
    parser.add_argument(
        "--samples", type=positive_int, default=NUM_SAMPLES, metavar="N",
        help=f"how many to score (default {NUM_SAMPLES})",
    )  # fmt: skip
    parser.add_argument(
        "--features", action="append", metavar="NETWORK",
        help="compare samples with test images by this network: inception_v3, a classifier, a file",
    )  # fmt: skip
    parser.add_argument(
        "--cas", action="store_true", help="train a classifier on samples alone; takes long"
    )
    parser.add_argument(
        "--judge", metavar="CLASSIFIER", help="sees labels in samples (default that of the data)"
    )
    parser.add_argument(
        "--keep-curve", type=output_file(".png"), metavar="PNG",
        help="figure of scores against the share of samples that --critic keeps",
    )  # fmt: skip
    parser.add_argument("--critic", metavar="CLASSIFIER", help="not the judge")
    parser.add_argument(
        "--neighbours", type=output_file(".png"), metavar="PNG",
        help="picture of samples and the training images nearest to them",
    )  # fmt: skip
    parser.add_argument(
        "--output", type=output_file(".json"), metavar="JSON", help="write them to a file as well"
    )
    parser.add_argument("--skip-bad", action="store_true", help="leave out unreadable images")


def run(arguments):
    """Prints every score of a model on its test images; `docs/numbers.md` defines them.

    Raises:
        FileNotFoundError: if the images or a network are missing.
        ValueError: if an image or a class is not the model's.
    """
    if (arguments.keep_curve is None) != (arguments.critic is None):
        raise UsageError("arguments --keep-curve and --critic: one needs the other")
    backend.start(arguments.debug)
    from vqzoo import data, evaluation

    config = zoo.describe(arguments.model)["config"]
    configs.check(config)
    if configs.num_classes(config) is None and (arguments.cas or arguments.critic):
        raise UsageError(f"arguments --cas, --critic: {arguments.model} has no classes")
    names = arguments.features
    networks = None if names is None else [evaluation.open_network(name) for name in names]
    model = zoo.load(arguments.model)
    if not model.has_prior and (names or arguments.cas or arguments.critic or arguments.neighbours):
        raise UsageError(
            "arguments --features, --cas, --critic, --neighbours: "
            f"{arguments.model} has no weights for its prior, so there are no samples to score"
        )
    test, train = (
        data.open_source(
            model.config["data"], split, arguments.data, arguments.skip_bad, model.has_prior
        )
        for split in ("test", "train")
    )
    if not model.has_prior:  # no maps of codes of one size are wanted of them
        train = data.training_source(train, model.config["data"].get("crop"))
    judge, asked = _judge(arguments, config), (arguments.samples, arguments.seed)
    scores = {}
    if arguments.critic:  # first, since a critic that does not fit shows at once
        points = evaluation.keep_curve(model, test, arguments.critic, judge, *asked)
        scores["keep_curve"] = {f"{point['keep']:g}": point for point in points}
        evaluation.save_curve(arguments.keep_curve, points)
    scores = evaluation.evaluate(model, test, train, judge, *asked, networks) | scores
    if arguments.cas:
        scores["cas"] = evaluation.cas_scores(model, train, test, seed=arguments.seed)
    for line in score_lines(scores):
        print(line)
    if arguments.neighbours:
        network = networks[0] if networks else None
        images = model.sample(SHOWN, seed=arguments.seed)
        picture = evaluation.neighbours_picture(images, train, network=network)
        evaluation.save_png(arguments.neighbours, picture)
    if arguments.output:
        files.write_json(arguments.output, files.finite(scores))
    for path in (arguments.keep_curve, arguments.neighbours, arguments.output):
        if path is not None:
            print(f"wrote {path}")


def _judge(arguments, config):
    """The `Classifier` that judges samples, or None if there is none and none is needed."""
    from vqzoo import evaluation

    if arguments.judge:
        return evaluation.load_classifier(arguments.judge)
    judge = evaluation.find_classifier(config["data"])
    if judge is None and arguments.critic:
        raise UsageError(f"argument --judge: there is no classifier of {arguments.model}'s classes")
    return judge
