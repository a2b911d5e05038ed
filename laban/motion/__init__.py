"""Motion on a skeleton: rotations, skeletons, kinematics, features, retargeting, clean-up."""
