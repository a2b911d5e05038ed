"""Motion on a skeleton: rotations, skeletons, kinematics, clips, features. Layer 0."""
