"""`vqzoo describe`: what one entry is."""

from vqzoo import config as configs
from vqzoo import zoo
from vqzoo.cli.arguments import add_model

HELP = "What a model is, and its scores."
EXAMPLE = "vqzoo describe vqvae_fashion_mnist"


def add_arguments(parser):
    """Adds the arguments of `vqzoo describe`."""
    add_model(parser)


def run(arguments):
    """Prints card, configuration and scores of a model; imports nothing heavy.

    Raises:
        FileNotFoundError: if there is no such model.
    """
    description = zoo.describe(arguments.model)
    print(description["card"] or f"# {description['name']}\n")
    print(configs.dump(description["config"]))
    if not description["pretrained"]:
        print(f"There are no weights of it here yet: vqzoo train {arguments.model}")
    elif zoo.is_tokenizer_only(description["name"]):
        print("Tokenizer only: there are no weights for its prior, so it encodes and decodes.")
    for line in score_lines(description["results"].get("scores", {})):
        print(line)


def score_lines(scores, prefix=""):
    """Lines such as `reconstruction.mse 0.0115` of nested scores, without long lists."""
    for key, value in scores.items():
        if isinstance(value, dict):
            yield from score_lines(value, f"{prefix}{key}.")
        elif not isinstance(value, list):
            shown = f"{value:.6g}" if isinstance(value, float) else value
            yield f"{prefix}{key} {shown}"
