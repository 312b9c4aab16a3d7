"""The graph search space; empty until graph convolutions and pooling come."""
