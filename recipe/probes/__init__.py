"""One measurement a file: takes a learner or data, returns one evidence record. probe.py is their contract."""
