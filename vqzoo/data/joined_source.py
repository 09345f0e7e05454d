"""Several sources as one."""

import numpy as np

from vqzoo.checks import shown
from vqzoo.data.image_source import ImageSource


class JoinedSource(ImageSource):
    """The images of several sources, one source after the other; each image once.

    Args:
        sources: list of `ImageSource`, not empty, with the same `image_shape` and `class_names`.

    Attributes:
        sources: that list.

    Raises:
        ValueError: if class names differ.
    """

    def __init__(self, sources):
        first = sources[0]
        for source in sources:
            if source.class_names != first.class_names:
                raise ValueError(
                    "`data` must be folders of the same classes, or all without. Received: "
                    f"{shown(first.class_names)} in {first.name}, {shown(source.class_names)} in "
                    f"{source.name}"
                )
        skipped = [name for source in sources for name in source.skipped_names]
        name = " + ".join(source.name for source in sources)
        super().__init__(name, first.image_shape, first.class_names, skipped)
        self.sources = sources
        self._ends = np.cumsum([len(source) for source in sources])

    @property
    def has_labels(self):
        return self.sources[0].has_labels

    def __len__(self):
        return int(self._ends[-1])

    def read(self, index):
        source, position = self._place(index)
        return source.read(position)

    def describe(self, index):
        source, position = self._place(index)
        return source.describe(position)

    def _place(self, index):
        """The source that holds an index, and the position in it."""
        number = int(np.searchsorted(self._ends, index, side="right"))
        source = self.sources[number]
        return source, int(index - self._ends[number]) + len(source)


class MixedSource(JoinedSource):
    """The images of several sources, every source equally often.

    A pass over it takes from each as many images as the largest one has: smaller sources are
    repeated. Arguments and errors as for `JoinedSource`.
    """

    def __len__(self):
        return len(self.sources) * max(map(len, self.sources))

    def _place(self, index):
        position, number = divmod(index, len(self.sources))
        source = self.sources[number]
        return source, position % len(source)
