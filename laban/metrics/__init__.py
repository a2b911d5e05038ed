"""Pure functions on arrays that measure motions. What embeds them is a system: `laban.systems.evaluator`."""
