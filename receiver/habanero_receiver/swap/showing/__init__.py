"""What tracebacks, `inspect` and `linecache` show: the source that runs, not the file on disk."""
