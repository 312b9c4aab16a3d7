"""The poolings: what a block may do to the set of nodes, one file a pooling."""
