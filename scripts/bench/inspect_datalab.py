"""Datalab with CleanVision on pictures.npz and features.npy: run by scripts/bench/inspect in its own environment."""

from __future__ import annotations

import json
import time

import numpy as np


def main() -> None:
    from cleanlab import Datalab
    from datasets import Dataset
    from PIL import Image
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    seconds = {}
    started = time.perf_counter()

    def took(name: str) -> None:
        nonlocal started
        seconds[name] = time.perf_counter() - started
        started = time.perf_counter()

    held = np.load("pictures.npz")
    x, y, features = held["x"], held["y"], np.load("features.npy")
    pictures = [Image.fromarray(one[0] if len(one) == 1 else one.transpose(1, 2, 0)) for one in x]
    dataset = Dataset.from_dict({"image": pictures, "label": y.tolist()})
    took("making the dataset")
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))
    probabilities = cross_val_predict(model, features, y, cv=5, method="predict_proba")
    took("probabilities")
    lab = Datalab(data=dataset, label_name="label", image_key="image")
    lab.find_issues(features=features, pred_probs=probabilities)
    took("issues")
    lab.report()
    took("report")
    print()
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
