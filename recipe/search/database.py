"""The study in a database, by Optuna: a file in the run directory, or a server that several machines share.

Trial i is a pure function of (seed, i) and of what was told before, so the database is no arbiter: whoever finds a
trial in it that it was about to run takes the result, whoever does not runs it, and both come to the same. Optuna's own
tools (its dashboard, its plots, its importance) read it like any study.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec

from recipe.record.axis import Axis
from recipe.record.journal import Journal
from recipe.record.plain import from_plain, to_plain
from recipe.record.refusal import Refusal
from recipe.record.secret import MASK, hidden, hidden_value
from recipe.record.tune import SearchPlan, Tried

_STATES = {"finished": "COMPLETE", "pruned": "PRUNED"}
_RECORD = "recipe"
_URL = "such as postgresql://USER:PASSWORD@HOST/NAME, with %40 for an @, %2F for a / and so on"


class Database:
    """One study. url: as SQLAlchemy has it. Raises Refusal when it cannot be opened; none of them quotes a password."""

    def __init__(self, url: str, name: str, plan: SearchPlan) -> None:
        import optuna
        from sqlalchemy.pool import NullPool

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna = optuna
        secrets = _secrets_of(url)
        try:
            # No connection outlives its use: a search trains for minutes between two of them.
            storage = optuna.storages.RDBStorage(_with_driver(url), engine_kwargs={"poolclass": NullPool})
            self._study = optuna.create_study(
                storage=storage, study_name=name, direction=plan.direction, load_if_exists=True
            )
        except Exception as error:  # SQLAlchemy, its drivers and Optuna each have their own
            said = (str(error).strip() or type(error).__name__).splitlines()[0]
            for secret in secrets:
                said = said.replace(secret, MASK)
            fix = "pip install 'recipe[postgresql]'" if isinstance(error, ImportError) else "see that it is there"
            raise Refusal(
                f"the study's database cannot be opened ({hidden(said)[:160]})",
                where="search.storage",
                fix=f"{fix}, or search.storage=null for a file in the run directory",
            ) from None  # its traceback, in a notebook, would quote the URL again

    def trials(self) -> dict[int, Tried]:
        """By number; of a trial that two machines ran at once, the one that was written first."""
        found: dict[int, Tried] = {}
        for trial in self._study.get_trials(deepcopy=False):
            if _RECORD in trial.user_attrs:
                tried = from_plain(msgspec.json.decode(trial.user_attrs[_RECORD]), Tried)
                found.setdefault(tried.number, tried)
        return found

    def add(self, tried: Tried, axes: Sequence[Axis]) -> None:
        """One trial, whatever came of it; once."""
        if tried.number in self.trials():
            return
        state = _STATES.get(tried.status, "FAIL")
        chosen = {axis.key: tried.change[axis.key] for axis in axes if axis.key in tried.change}
        steps = {round(1000 * epoch): value for epoch, value in tried.curve if math.isfinite(value)}
        self._study.add_trial(
            self._optuna.trial.create_trial(
                state=self._optuna.trial.TrialState[state],
                value=tried.value if state == "COMPLETE" and math.isfinite(tried.value) else None,
                params={key: scalar_of(value) for key, value in chosen.items()},
                distributions={axis.key: distribution_of(axis) for axis in axes if axis.key in chosen},
                intermediate_values=steps if state != "FAIL" else {},
                user_attrs={
                    _RECORD: msgspec.json.encode(to_plain(tried)).decode(),
                    "number": tried.number,
                    "status": tried.status,
                    "note": tried.note,
                },
            )
        )


class RecordedJournal(Journal):
    """A journal whose records are in the database too, and that finds there what another machine has finished."""

    def __init__(self, journal: Journal, database: Database, axes: Sequence[Axis]) -> None:
        super().__init__(journal.path)
        self._database, self._axes = database, axes
        for record in self.records:  # what was written here before a kill, and not there
            database.add(from_plain(record, Tried), axes)

    def append(self, record: object) -> None:
        """Here first: this machine's own search hangs on nothing but its disk."""
        super().append(record)
        if isinstance(record, Tried):
            self._database.add(record, self._axes)

    def refresh(self) -> None:
        """Looks for what others have finished since."""
        own = {from_plain(record, Tried).number for record in self.records}
        for number, tried in self._database.trials().items():
            if number not in own:
                Journal.append(self, tried)


def study_name(run: str, plan: SearchPlan, config: Mapping[str, Any]) -> str:
    """The same for the same search, on whatever machine: two different searches never share a study."""
    where = ("run", "engine", "device", "trust", "checks", "track")
    parts = {key: value for key, value in config.items() if key not in where}
    # Where the study is kept may be spelled in other ways: by another user, another name of the server.
    parts["search"] = {key: value for key, value in config.get("search", {}).items() if key != "storage"}
    identity = msgspec.json.encode(
        [to_plain(plan.axes), plan.seed, plan.trial_epochs, to_plain(plan.coarse), parts], order="sorted"
    )
    return f"{run}-{hashlib.blake2b(identity, digest_size=6).hexdigest()}"


def _secrets_of(url: str) -> list[str]:
    """The password and the like in it, as they stand there and as they are meant; longest first.

    Raises Refusal where SQLAlchemy would take a part of the password for something else, and name it in its errors.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise Refusal("is no URL of a database", where="search.storage", fix=_URL) from None
    if parsed.password is not None and url.count("@") > 1:
        raise Refusal("an @ within the password is written %40", where="search.storage", fix=_URL)
    named = [
        v
        for k, given in parsed.query.items()
        for v in ([given] if isinstance(given, str) else given)
        if hidden_value(f"?{k}={v}") != f"?{k}={v}"
    ]
    plain = [secret for secret in (parsed.password, *named) if secret]
    return sorted({*plain, *map(quote, plain), *map(quote_plus, plain)}, key=len, reverse=True)


def _with_driver(url: str) -> str:
    """postgresql:// by psycopg 3, which is what `recipe[postgresql]` brings."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1) if url.startswith("postgresql://") else url


def scalar_of(value: Any) -> Any:
    """Optuna's choices are plain values; lists and nodes are told as text."""
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def distribution_of(axis: Axis) -> Any:
    """An axis as Optuna has it."""
    from optuna import distributions as kinds

    if axis.scale == "choice":
        return kinds.CategoricalDistribution([scalar_of(choice) for choice in axis.choices])
    if axis.scale == "integer":
        return kinds.IntDistribution(int(axis.low), int(axis.high))
    return kinds.FloatDistribution(axis.low, axis.high, log=axis.scale == "log")
