"""`vqzoo sample`: a grid of new images, and reconstructions of sample images beside it."""

import pathlib

from vqzoo import config as configs
from vqzoo import zoo
from vqzoo.cli import backend
from vqzoo.cli.arguments import (
    UsageError,
    add_model,
    add_sampling,
    labels_of,
    output_file,
    positive_float,
    positive_int,
    probability,
)
from vqzoo.cli.image_files import counted, read_images

HELP = "New images in a grid, and reconstructions of real ones."
EXAMPLE = "vqzoo sample vqvae_fashion_mnist --labels sneaker,bag --num 8 --seed 1"
COLUMNS, UNCONDITIONAL = 8, 64
"""Images a class, and images of a model without classes, unless `--num` is given."""
MOST = 10_000
"""Images that one grid may hold."""


def add_arguments(parser):
    add_model(parser)
    add_sampling(parser, without="all classes")
    parser.add_argument("--num", type=positive_int, help=f"images a class (default {COLUMNS})")
    parser.add_argument("--temperature", type=positive_float, default=1.0, help="default 1")
    parser.add_argument("--top-k", type=positive_int, help="only the K most likely codes")
    parser.add_argument("--top-p", type=probability, help="only codes that reach probability P")
    parser.add_argument(
        "--critic", metavar="CLASSIFIER", help="draw more, and keep those that it is most sure of"
    )
    parser.add_argument(
        "--keep", type=probability, help="share that the critic keeps (default 0.1)"
    )
    parser.add_argument(
        "--output", type=output_file(".png"), metavar="PNG", help="default NAME_samples.png"
    )


def run(arguments):
    labels = labels_of(arguments.labels, arguments.model)
    if arguments.keep is not None and arguments.critic is None:
        raise UsageError("argument --keep: needs a --critic that says which to keep")
    # Resolved, so that a model that is called `.` has a name.
    name = pathlib.Path(arguments.model).resolve().name
    output = arguments.output or pathlib.Path(f"{name}_samples.png")
    beside = output.with_name(f"{name}_reconstructions.png")
    if beside == output:
        raise UsageError(f"argument --output: {output} is where the reconstructions go")
    backend.start(arguments.debug)
    from vqzoo.evaluation import pictures

    config = zoo.describe(arguments.model)["config"]
    configs.check(config)
    classes = configs.num_classes(config)
    if labels is None and classes is not None:
        labels = list(range(classes))
    columns = arguments.num or COLUMNS
    count = (arguments.num or UNCONDITIONAL) if labels is None else columns * len(labels)
    if count > MOST:
        raise UsageError(f"argument --num: a grid holds at most {MOST} images, not {count}")
    model = zoo.load(arguments.model)
    images = model.sample(
        count,
        labels if labels is None else [label for label in labels for _ in range(columns)],
        arguments.seed,
        arguments.temperature,
        arguments.top_k,
        arguments.top_p,
        batch_size=128,
        critic=arguments.critic,
        keep=arguments.keep,
    )
    pictures.save_png(output, pictures.grid(images, columns if labels else COLUMNS))
    print(f"wrote {counted(count, 'sample')} to {output}")
    _write_reconstructions(model, zoo.describe(arguments.model)["folder"] / "examples", beside)


def _write_reconstructions(model, examples, path):
    """Writes the images of the folder `examples`, if there is one, beside what becomes of them."""
    from vqzoo.evaluation import pictures

    if examples.is_dir() and model.autoencoder.latent_shapes:
        originals, _ = read_images([examples], model.autoencoder.image_shape)
        pictures.save_png(path, pictures.comparison(originals, model.reconstruct(originals)))
        shown = counted(len(originals), "image")
        print(f"wrote {shown} and their reconstructions to {path}")
