"""Our own text-motion evaluator: a judge that shares nothing with any generator."""
