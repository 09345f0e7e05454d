"""What the runs say: tables in Markdown and a picture of the curves."""

from benchmarks.claims import markdown_table, verdict_table
from benchmarks.s3_claims.claims import judge
from vqzoo.files import whole_file

PANELS = {
    "MNIST: commitment": ["mnist", "mnist_beta_quarter"],
    "MNIST: codebook, batch, normalisation": [
        "mnist", "mnist_frozen", "mnist_batch_128", "mnist_no_batch_norm", "mnist_vae"
    ],  # fmt: skip
    "Fashion-MNIST": ["fashion_mnist", "fashion_mnist_no_batch_norm", "fashion_mnist_vae"],
    "CIFAR-10": ["cifar10", "cifar10_no_batch_norm", "cifar10_vae"],
}
"""Title to the runs shown together."""


def make_tables(results):
    """The tables of a report: dict of a name to Markdown."""
    return {"verdicts": verdict_table(judge(results)), "runs": run_table(results)}


def run_table(results):
    """Markdown: the figures of every run at its end, on all held-out images."""
    header = ["run", "seed", "epochs", "MSE", "PSNR", "perplexity", "usage", "bits/dim", "Eq. 7"]
    return markdown_table(header, [_run_row(result) for result in results])


def _run_row(result):
    head = [f"`{result['name']}`", str(result["seed"]), str(len(result["curve"]))]
    scores = result["scores"]
    if scores is None:
        return [*head, result["ended_early"], "", "", "", "", ""]
    codes = ["–", "–"]
    if "usage" in scores:
        codes = [f"{scores['perplexity']:.0f}", f"{scores['usage']:.0%}"]
    return [
        *head,
        f"{scores['mse']:.4f}",
        f"{scores['psnr_db']:.1f} dB",
        *codes,
        f"{scores['bits_per_dim']:.3f}",
        f"{scores['legacy']['s3_eq7_bits']:.3f}",
    ]


def draw_curves(path, results):
    """Writes a PNG: held-out error by epoch above, perplexity below, a line for each run."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16, 7), layout="constrained")
    axes = figure.subplots(2, len(PANELS), sharex="col")
    for column, (title, names) in enumerate(PANELS.items()):
        axes[0, column].set(title=title, yscale="log")
        axes[1, column].set(xlabel="epoch")
        for result in (result for result in results if result["name"] in names):
            _draw(axes[:, column], result, names.index(result["name"]))
        if axes[0, column].lines:
            axes[0, column].legend(fontsize="small")
    axes[0, 0].set_ylabel("held-out MSE, pixels in -1..1")
    axes[1, 0].set_ylabel("perplexity of 512 codes")
    with whole_file(path) as temporary, open(temporary, "wb") as file:
        FigureCanvasAgg(figure).print_png(file)


def _draw(axes, result, color):
    """Lines of one run into two axes; seeds differ by the dashes."""
    style = {"color": f"C{color}", "linestyle": ["-", "--", ":", "-."][result["seed"] % 4]}
    label = f"{result['name']}, seed {result['seed']}"
    for axis, key in zip(axes, ("mse", "perplexity"), strict=True):
        rows = [row for row in result["curve"] if row.get(key) is not None]
        axis.plot([row["epoch"] for row in rows], [row[key] for row in rows], label=label, **style)
