"""Every numeric option of the command line, the experiment and the catalog, told numbers far out of its range."""
