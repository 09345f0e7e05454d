"""Images and codes: where they come from, and in which order they are seen."""

from vqzoo.data.array_source import ArraySource
from vqzoo.data.batches import (
    code_batches,
    eval_batches,
    images_at_once,
    training_batches,
)
from vqzoo.data.code_store import CodeStore
from vqzoo.data.image_file import read_image
from vqzoo.data.image_folder import folder_class_names
from vqzoo.data.image_source import ImageSource
from vqzoo.data.sources import open_source, training_source

__all__ = [
    "ArraySource",
    "CodeStore",
    "ImageSource",
    "code_batches",
    "eval_batches",
    "folder_class_names",
    "open_source",
    "read_image",
    "training_batches",
    "training_source",
]
