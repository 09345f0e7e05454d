"""TensorBoard event files, written without TensorFlow."""

import contextlib
import io
import pathlib
import time

import numpy as np
from PIL import Image
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter


class EventLog:
    """One event file in a folder that `tensorboard --logdir FOLDER` shows.

    Records of `Event` messages, as https://github.com/tensorflow/tensorboard reads them.

    A run that goes on after a kill repeats the steps since its last checkpoint: what an earlier
    file of the folder says about steps after `step` is dropped by TensorBoard.

    Args:
        folder: path, made if it does not exist.
        step: int, optimizer steps done before.

    Raises:
        OSError: naming the file, here and in each method, if the disk is full.
    """

    def __init__(self, folder, step=0):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._file = open(folder / f"events.out.tfevents.{time.time():.6f}", "wb")
        self._writer = RecordWriter(self._file)
        self._write(file_version="brain.Event:2")
        start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        self._write(step=step + 1, session_log=start)  # this step and later ones are dropped

    def scalars(self, step, values):
        """Writes `values`, a dict of floats by name."""
        values = [summary_pb2.Summary.Value(tag=k, simple_value=float(v)) for k, v in values.items()]
        self._write(step=step, summary=summary_pb2.Summary(value=values))

    def image(self, step, name, image):
        """Writes one uint8 image `[H, W, C]`, C being 1 or 3."""
        file, (height, width, channels) = io.BytesIO(), image.shape
        Image.fromarray(image[..., 0] if channels == 1 else image).save(file, "PNG")
        encoded = summary_pb2.Summary.Image(
            height=height, width=width, colorspace=channels, encoded_image_string=file.getvalue()
        )
        self._summary(step, name, image=encoded)

    def usage(self, step, name, counts):
        """Writes how often each code occurs, int `[K]`, as a histogram over the codes' numbers."""
        codes = np.arange(len(counts))
        histogram = summary_pb2.HistogramProto(
            min=0,
            max=len(counts),
            num=counts.sum(),
            sum=codes @ counts,
            sum_squares=codes**2 @ counts,
            bucket_limit=codes + 1,
            bucket=counts,
        )
        self._summary(step, name, histo=histogram)

    def close(self):
        """Ends the file; nothing more can be written."""
        self._writer.close()

    def _summary(self, step, name, **value):
        value = summary_pb2.Summary.Value(tag=name, **value)
        self._write(step=step, summary=summary_pb2.Summary(value=[value]))

    def _write(self, **content):
        event = event_pb2.Event(wall_time=time.time(), **content)
        try:
            self._writer.write(event.SerializeToString())
            self._writer.flush()
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.close()  # it would try to write once more when it is forgotten
            raise OSError(f"cannot write {self._file.name}: {error.strerror}") from error
