"""Data: image sets and their loaders (one file a set), splits, storage, manifests."""
