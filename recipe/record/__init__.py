"""The ground floor: plain frozen data, and the one module that writes files."""
