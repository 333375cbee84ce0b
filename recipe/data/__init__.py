"""Data: sources, splits, preprocessing. Every source gives one mapping; `data.assemble` makes a `Data` of it."""
