"""Figures of a grid: how codes are used, and bits per dimension by the number of draws."""

import numpy as np

from vqzoo.files import whole_file

BINS, TIMES_UNIFORM = 40, 5
"""Bars of a histogram, which ends at this many times the frequency of equally likely codes."""


def draw_usage(path, variants):
    """Histograms of how often each code is used: Figure 2 of the paper.

    Of Jones and Moore, Is the Discrete VAE's Power Stuck in its Prior? (2020). The first bar is of
    codes that are hardly used or not at all; the dashed line is where all would be if they were used equally often.

    Args:
        path: path of the PNG file.
        variants: dict as `vqzoo.grid.report.write_report` gives it.
    """
    figure, panels = _panels(len(variants))
    for axes, (name, variant) in zip(panels, variants.items(), strict=True):
        for seed, result in variant["seeds"].items():
            counts = np.array(result["scores"]["usage_counts"])
            uniform = 1 / len(counts)
            edges = np.linspace(0, TIMES_UNIFORM * uniform, BINS + 1)
            shares = np.minimum(counts / counts.sum(), edges[-1])
            bars, _ = np.histogram(shares, edges)
            axes.stairs(bars, edges, fill=True, alpha=0.5, label=f"seed {seed}")
        axes.axvline(uniform, color="black", linewidth=0.8, linestyle="--")
        rare = variant["mean"]["rare_codes"]
        axes.set_title(f"{name}\n{rare:.0%} of the codes below 1e-4")
        axes.set(yscale="symlog", ylim=(0, None))
        axes.set(xlabel="share of all codes (last bar: and above)", ylabel="number of codes")
    panels[0].legend()
    _save(figure, path)


def draw_bits(path, variants):
    """Bits per dimension by the number of draws, all on the same few images: Figure 1 of the paper.

    A dot is a seed, a line the mean over them.

    Args:
        path, variants: as for `draw_usage`.
    """
    figure, (axes,) = _panels(1, (7, 4))
    for name, variant in variants.items():
        runs = [result["scores"]["bits_per_dim_of_few"] for result in variant["seeds"].values()]
        draws = list(runs[0])
        bits = np.array([[run[count]["mean"] for count in draws] for run in runs])
        (line,) = axes.plot(draws, bits.mean(axis=0), label=name)
        for run in bits:
            axes.plot(draws, run, "o", color=line.get_color(), markersize=4)
    axes.set(xlabel="draws S of q(z | x)", ylabel="bits per dimension, at most")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    _save(figure, path)


def _panels(count, size=(4, 3)):
    """A figure of `count` panels, three in a row, each of that size in inches."""
    from matplotlib.figure import Figure  # without pyplot there is no window and no global state

    columns = min(count, 3)
    rows = -(-count // columns)
    figure = Figure(figsize=(size[0] * columns, size[1] * rows), layout="constrained")
    return figure, [figure.add_subplot(rows, columns, index + 1) for index in range(count)]


def _save(figure, path):
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100, metadata={"Software": None})
