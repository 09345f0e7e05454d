"""The weights that a run ended with, as its files hold them."""

import h5py


def weights_of(run):
    """All arrays of the weights files of a run's model, by file and name."""
    found = {}
    for path in sorted((run / "model").glob("*.weights.h5")):
        with h5py.File(path) as file:
            file.visititems(
                lambda name, item, path=path: found.update({(path.name, name): item[()]})
                if isinstance(item, h5py.Dataset)
                else None
            )
    return found
