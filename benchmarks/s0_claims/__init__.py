"""The claims of Jones and Moore about discrete VAEs."""
