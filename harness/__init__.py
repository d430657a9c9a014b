"""harness: which tool should serve a labelled text task, with evidence.

The package's front door. It imports nothing heavy: `import harness` loads no SDK, no
data-frame library and no model.
"""

__version__ = "0.1.0"
