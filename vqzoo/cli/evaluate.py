"""`vqzoo evaluate`: the numbers of a model, computed again."""

from vqzoo import files, zoo
from vqzoo.cli import backend
from vqzoo.cli.arguments import add_model, existing_path, output_file, seed
from vqzoo.cli.describe import score_lines

HELP = "Scores of a model on its test images."
EXAMPLE = "vqzoo evaluate vqvae_fashion_mnist"


def add_arguments(parser):
    """Adds the arguments of `vqzoo evaluate`."""
    add_model(parser)
    parser.add_argument(
        "--data", type=existing_path, metavar="FOLDER", help="images to use instead of its data set"
    )
    parser.add_argument("--seed", type=seed, default=0, help="of the samples (default 0)")
    parser.add_argument(
        "--output", type=output_file(".json"), metavar="JSON", help="write them to a file as well"
    )
    parser.add_argument(
        "--cas", action="store_true", help="train a classifier on samples alone; takes long"
    )
    parser.add_argument("--skip-bad", action="store_true", help="leave out unreadable images")


def run(arguments):
    """Prints every score of a model on its test images; `docs/numbers.md` defines them.

    Raises:
        FileNotFoundError: if the images are missing.
        ValueError: if an image or a class is not the model's.
    """
    backend.start(arguments.debug)
    from vqzoo import data, evaluation

    model = zoo.load(arguments.model)
    test, train = (
        data.open_source(model.config["data"], split, arguments.data, arguments.skip_bad)
        for split in ("test", "train")
    )
    scores = evaluation.evaluate(model, test, train, seed=arguments.seed)
    if arguments.cas:
        scores["cas"] = evaluation.cas_scores(model, train, test, seed=arguments.seed)
    for line in score_lines(scores):
        print(line)
    if arguments.output:
        files.write_json(arguments.output, files.finite(scores))
        print(f"wrote {arguments.output}")
