"""What was computed from something that changed: it follows where that is safe, or is named as stale."""
