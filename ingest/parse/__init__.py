"""One module per format; `registry` finds the right one, `sandbox` runs it in a child process."""
