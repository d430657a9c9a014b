"""From names to a finished run: building, the plan, the runner, the early stop, and runs spread over processes."""
