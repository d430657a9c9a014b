"""From names to a finished run: wiring, the plan, the runner, the early stop, and runs spread over processes."""
