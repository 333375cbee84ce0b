"""Faults of language models, of autoencoders and of inputs in several parts; and their healthy twins."""

from __future__ import annotations

from catalogue import DIGITS, ZOO, Fault

LANGUAGE = [*ZOO, "data._target_=zoo.sequences.language"]
RATE = "optimizer.lr=3e-3"
AUTO = [*DIGITS, "task=autoencoder"]


def net(name: str, data: str = "language", *more: str) -> list[str]:
    return [
        *ZOO,
        f"data._target_=zoo.sequences.{data}",
        "model=custom",
        f"model._target_=zoo.sequences.{name}",
        RATE,
        *more,
    ]


SEQUENCE_FAULTS = [
    Fault("attention without a mask", net("SeesAhead"), "nothing-later-is-seen", "sees-ahead"),
    Fault("a mean over all positions", net("NormsOverTime"), "nothing-later-is-seen", "sees-ahead"),
    Fault("a net that reads backwards", net("ReadsBackwards"), "nothing-later-is-seen", "sees-ahead"),
    Fault(
        "targets not shifted", net("Attending", "language", "data.offset=0"), "targets-come-next", "targets-not-shifted"
    ),
    Fault(
        "shifted by two", net("Attending", "language", "data.offset=2"), "targets-come-next", "targets-shifted-too-far"
    ),
    Fault("shifted back", net("Attending", "language", "data.offset=-1"), "targets-come-next", "targets-shifted-back"),
    Fault(
        "shifted again by the loss",
        net("Attending", "language", "loss._target_=zoo.sequences.shifts_again"),
        "targets-come-next",
        "loss-shifts-targets",
    ),
    Fault("softmax at each step", net("SoftmaxAtEachStep"), "outputs-fit-the-loss", "softmax-before-cross-entropy"),
    Fault("tokens not heard", net("DeafToTokens", "mixed"), "inputs-are-used", "input-unused"),
    Fault("numbers not heard", net("DeafToNumbers", "mixed"), "inputs-are-used", "input-unused"),
    Fault(
        "an autoencoder that ends in a sigmoid",
        [*AUTO, "model=custom", "model._target_=zoo.sequences.SigmoidCode", "data.preprocess=standardize"],
        "outputs-reach-targets",
        "outputs-cannot-reach-targets",
    ),
]

SEQUENCES = {
    "attention with a mask": net("Attending"),
    "sequences of several lengths": net("Attending", "padded_language"),
    "language by the shipped GRU": [*LANGUAGE, "model=gru", "model.width=32", RATE],
    "language by the shipped transformer": [*LANGUAGE, "model=transformer", "model.width=32", RATE],
    "torch's own cross-entropy": net("Attending", "language", "loss._target_=torch.nn.CrossEntropyLoss"),
    "texts by a bag of words": [*ZOO, "data._target_=zoo.sequences.sentences", "model.width=64"],
    "texts by a GRU": [*ZOO, "data._target_=zoo.sequences.sentences", "model=gru", "model.width=32", RATE],
    "texts by word vectors": [*ZOO, "data._target_=zoo.sequences.sentences", "model=word_average", RATE],
    "a mapping of inputs": net("Listener", "mixed"),
    "a tuple of inputs": net("PairListener", "paired"),
    "autoencoder": [*AUTO, "model=autoencoder"],
    "convolutional autoencoder": [*AUTO, "model=conv_autoencoder", "optimizer.lr=1e-3"],
    "autoencoder of shares": [
        *AUTO, "model=autoencoder", "data.preprocess=none", "loss._target_=torch.nn.BCEWithLogitsLoss",
    ],
    "transformer on patches": [*DIGITS, "model=transformer", "optimizer.lr=1e-3"],
}  # fmt: skip
