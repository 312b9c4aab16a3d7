"""One image corruption a file; the folder is the list of names (see `nas_core.robustness.suite`)."""
