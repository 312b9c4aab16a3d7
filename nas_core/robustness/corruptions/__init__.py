"""One image corruption a file; the folder is the list of names (see `nas_core.robustness.suite`).

Severities are those published with CIFAR-10-C, so that errors compare. Most rise in their distance to the clean image
with each severity. Six do not, as published: elastic_transform, frost, glass_blur, motion_blur, saturate, spatter.
Nor does pixelate on images so small that neighboring severities shrink them to the same size.
"""
