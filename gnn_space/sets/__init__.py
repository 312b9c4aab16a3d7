"""The graph sets that can be named in params.yaml: one file a set, each with `load`."""
