"""`vqzoo evaluate`: the numbers of a model, computed again."""

from vqzoo import zoo
from vqzoo.cli import backend
from vqzoo.cli.arguments import add_model, existing_path, seed
from vqzoo.cli.describe import score_lines

HELP = "Scores of a model on its test images."
EXAMPLE = "vqzoo evaluate vqvae_fashion_mnist"


def add_arguments(parser):
    add_model(parser)
    parser.add_argument(
        "--data", type=existing_path, metavar="FOLDER", help="images to use instead of its data set"
    )
    parser.add_argument("--seed", type=seed, default=0, help="of the samples (default 0)")
    parser.add_argument("--skip-bad", action="store_true", help="leave out unreadable images")


def run(arguments):
    backend.start(arguments.debug)
    from vqzoo import data, evaluation

    model = zoo.load(arguments.model)
    test, train = (
        data.open_source(model.config["data"], split, arguments.data, arguments.skip_bad)
        for split in ("test", "train")
    )
    for line in score_lines(evaluation.evaluate(model, test, train, seed=arguments.seed)):
        print(line)
