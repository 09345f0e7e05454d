"""`vqzoo train`: the whole recipe of an entry."""

from vqzoo.cli import backend
from vqzoo.cli.arguments import (
    device_ids,
    entry_or_yaml,
    existing_path,
    model_name,
    output_folder,
)

HELP = "The whole recipe: both stages, scores, pictures."
EXAMPLE = "vqzoo train vqvae_fashion_mnist --data my_images/ --folder runs/mine"


def add_arguments(parser):
    parser.add_argument(
        "model", type=entry_or_yaml, metavar="NAME_OR_YAML", help="what to train; see `vqzoo list`"
    )
    parser.add_argument("--smoke", action="store_true", help="the whole recipe, tiny: seconds")
    parser.add_argument(
        "--data",
        type=existing_path,
        action="append",
        metavar="FOLDER",
        help="train on the images in it instead; several are seen equally often",
    )
    parser.add_argument(
        "--folder",
        type=output_folder,
        metavar="RUN",
        help="default runs/NAME; the same command again goes on",
    )
    parser.add_argument(
        "--from",
        dest="start_from",
        type=model_name,
        metavar="MODEL",
        help="fine-tune: start from the weights of this entry, or of a model's folder",
    )
    parser.add_argument(
        "--devices", type=device_ids, metavar="I,J", help="ids of GPUs to use (otherwise: all)"
    )
    parser.add_argument(
        "--tokenizer-only", action="store_true", help="end after stage 1, without a prior"
    )
    parser.add_argument("--skip-bad", action="store_true", help="leave out unreadable images")


def run(arguments):
    backend.start(arguments.debug, arguments.devices)
    from vqzoo.training import recipe

    recipe.train(
        arguments.model,
        data=arguments.data,
        folder=arguments.folder,
        smoke=arguments.smoke,
        skip_bad=arguments.skip_bad,
        start_from=arguments.start_from,
        tokenizer_only=arguments.tokenizer_only,
    )
