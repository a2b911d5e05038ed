"""MoMask: text to motion by masked modelling of residual motion tokens (Guo et al., CVPR 2024)."""
