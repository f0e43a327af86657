"""What lives in the process: reached from modules, from running code, or anywhere in the heap."""
