"""Abstract interpretation: what code would read, call and change if it ran again, told without running it."""
