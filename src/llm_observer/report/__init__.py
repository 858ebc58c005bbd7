"""What the command line prints: the local store summed up by prompt family, and the state of the installation."""
