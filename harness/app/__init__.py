"""What people type: the command line, the workbench and the pytest plugin, over one project."""
