"""Numbers in words, a letter a token, for a language model."""

import numpy as np

LENGTH = 32
SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def in_words(n):
    """17 → seventeen, 2001 → two thousand one."""
    if n < 20:
        return SMALL[n]
    if n < 100:
        return TENS[n // 10 - 2] + ("-" + SMALL[n % 10] if n % 10 else "")
    if n < 1000:
        return SMALL[n // 100] + " hundred" + (" and " + in_words(n % 100) if n % 100 else "")
    return in_words(n // 1000) + " thousand" + (" " + in_words(n % 1000) if n % 1000 else "")


def data(seed):
    """Inputs and labels are the same tokens, as one gives them to libraries whose models shift labels inside."""
    codes = lines(seed)[:, :LENGTH]
    return {"train": (codes, codes)}


def mended(seed):
    """At each position the token that comes next; shifted once, here."""
    codes = lines(seed)
    return {"train": (codes[:, :-1], codes[:, 1:])}


def lines(seed, count=4000):
    """Whole numbers (count, LENGTH + 1): numbers below 100,000 in words, a letter a token, filled with line ends."""
    alphabet = {letter: code for code, letter in enumerate("\n abcdefghijklmnopqrstuvwxyz-")}
    drawn = np.random.default_rng(seed).permutation(100_000)[:count]
    return np.array([[alphabet[c] for c in in_words(int(n)).ljust(LENGTH + 1, "\n")[: LENGTH + 1]] for n in drawn])
