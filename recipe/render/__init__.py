"""Evidence told to people: blocks drawn as terminal view, HTML, Markdown, SVG and CSV. Never measures, never judges."""
