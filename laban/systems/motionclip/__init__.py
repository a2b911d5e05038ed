"""MotionCLIP: a motion auto-encoder whose latent lies in a language space (Tevet et al., ECCV 2022)."""
