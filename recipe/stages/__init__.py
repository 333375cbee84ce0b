"""One flat story a command, read from top to bottom like the section of the post."""
