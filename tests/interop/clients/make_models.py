# SPDX-License-Identifier: Apache-2.0
"""Trains two scikit-learn models and lays them out for MLServer.

`make_models.py FOLDER`: FOLDER/good and FOLDER/weak, one server's each, with
the model under the names `digits` and `digits-weak`. The ports are the
caller's to set, in the environment.
"""

import json
import pathlib
import sys

import joblib
from sklearn.datasets import load_digits
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def halves():
    """(train images, test images, train digits, test digits)."""
    data = load_digits()
    return train_test_split(
        data.data, data.target, test_size=0.5, random_state=1,
        stratify=data.target,
    )


def lay_out(folder, name, version, model):
    folder.mkdir(parents=True)
    joblib.dump(model, folder / "model.joblib")
    (folder / "settings.json").write_text(json.dumps({
        "host": "127.0.0.1", "parallel_workers": 0, "metrics_endpoint": None,
    }))
    (folder / "model-settings.json").write_text(json.dumps({
        "name": name,
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib", "version": version},
    }))


def main():
    folder = pathlib.Path(sys.argv[1])
    images, _, digits, _ = halves()
    good = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    weak = DummyClassifier(strategy="most_frequent")
    lay_out(folder / "good", "digits", "1", good.fit(images, digits))
    lay_out(folder / "weak", "digits-weak", "2", weak.fit(images, digits))


if __name__ == "__main__":
    main()
