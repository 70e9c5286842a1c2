"""One command each: a protocol from videos to figures, and comparisons of many short runs."""
