"""Pure functions on arrays that measure motions (layer L2), and the T2M evaluator that embeds them."""
