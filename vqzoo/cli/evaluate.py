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
    backend.start(arguments.debug)
    from vqzoo import data, evaluation

    config = zoo.describe(arguments.model)["config"]
    configs.check(config)
    if arguments.cas and configs.num_classes(config) is None:
        raise UsageError(f"argument --cas: {arguments.model} has no classes to learn")
    names = arguments.features
    networks = None if names is None else [evaluation.open_network(name) for name in names]
    model = zoo.load(arguments.model)
    test, train = (
        data.open_source(model.config["data"], split, arguments.data, arguments.skip_bad)
        for split in ("test", "train")
    )
    scores = evaluation.evaluate(
        model, test, train, None, arguments.samples, arguments.seed, networks
    )
    if arguments.cas:
        scores["cas"] = evaluation.cas_scores(model, train, test, seed=arguments.seed)
    for line in score_lines(scores):
        print(line)
    if arguments.neighbours:
        network = networks[0] if networks else None
        images = model.sample(SHOWN, seed=arguments.seed)
        picture = evaluation.neighbours_picture(images, train, network=network)
        evaluation.save_png(arguments.neighbours, picture)
        print(f"wrote {arguments.neighbours}")
    if arguments.output:
        files.write_json(arguments.output, files.finite(scores))
        print(f"wrote {arguments.output}")
