"""Three roles in the browser, and the command line."""
