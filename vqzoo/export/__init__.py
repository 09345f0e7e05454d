"""Zoo models for TensorFlow Serving; the one part of a model that needs TensorFlow."""
