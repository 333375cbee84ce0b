"""Every check there is: a file, or a folder of families, for each stage. Found by walking, not registered."""
