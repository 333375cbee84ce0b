"""Scales, labels and the drawing of figures."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from recipe.render import svg
from recipe.render.blocks import Bar, Bars, Curve, Heatmap, Histogram, Mark, Panel, Panels, Series
from recipe.render.csv import to_csv
from recipe.render.describe import describe
from recipe.render.settle import settle
from recipe.render.svg.canvas import fitted, text_width, wrapped
from recipe.render.svg.scale import Scale, fit


def labels(scale: Scale, about: int = 5) -> list[str]:
    return [label for _, label in scale.ticks(about)]


def drawn(block) -> str:
    figure = svg.standalone(settle([block])[0])
    assert figure is not None
    return figure


def texts(figure: str) -> list[str]:
    return [e.text or "" for e in ElementTree.fromstring(figure).iter() if e.tag.endswith("text")]


def curve(x, y, **fields) -> Curve:
    return Curve(title="t", x_label="x", y_label="y", series=[Series(name="s", x=x, y=y)], **fields)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.95, 1, ["0.95", "0.96", "0.97", "0.98", "0.99", "1.00"]),
        (-3, 12, ["-2.5", "0", "2.5", "5.0", "7.5", "10.0"]),
        (0, 43_000, ["0", "10k", "20k", "30k", "40k"]),
        (0, 4e-5, ["0", "1e-5", "2e-5", "3e-5", "4e-5"]),
    ],
)
def test_linear_ticks_are_round(low, high, expected) -> None:
    assert labels(Scale(low, high, 0, 100)) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1e-4, 1, ["1e-4", "0.001", "0.01", "0.1", "1"]),
        (60, 1100, ["100", "200", "500", "1000"]),
        (0.3, 0.6, ["0.3", "0.4", "0.5", "0.6"]),
        (1e-12, 1, ["1e-12", "1e-9", "1e-6", "0.001", "1"]),
    ],
)
def test_log_ticks_are_round(low, high, expected) -> None:
    assert labels(Scale(low, high, 0, 100, log=True)) == expected


def test_scale_of_one_value_has_room_around_it() -> None:
    for log in (False, True):
        scale = fit([3.0, None], 0, 100, log=log)
        assert scale.low < 3 < scale.high
        assert 0 < scale(3.0) < 100


def test_scale_of_nothing_is_usable() -> None:
    assert fit([], 0, 10)(0.5) == 5
    assert fit([-1.0], 0, 10, log=True)(0.1) > 0


def test_words_are_cut_where_they_do_not_fit() -> None:
    assert fitted("short", 100) == "short"
    assert fitted("a very long class name", 60).endswith("…")
    assert text_width(fitted("日本語のクラス名前", 60)) <= 60
    assert " ".join(wrapped("one two three four", 60, 11)) == "one two three four"


def test_lines_with_ten_thousand_points_weigh_little_and_keep_their_spikes() -> None:
    spiked = [1.0] * 50_000
    spiked[31_234] = 9.0
    figure = drawn(curve(list(range(50_000)), spiked))
    assert len(figure) < 60_000
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", figure)]
    assert min(heights) < 40


def test_gaps_break_a_line() -> None:
    figure = drawn(curve([0, 1, 2, 3, 4], [1, 2, float("nan"), 2, 1]))
    assert figure.count('class="line s0"') == 2


def test_marks_widen_the_axes() -> None:
    figure = drawn(curve([0, 1], [0, 1], marks=[Mark(label="ln 10", y=2.3)]))
    assert "2.0" in texts(figure)
    assert "ln 10" in texts(figure)


def test_names_of_vertical_marks_do_not_touch() -> None:
    marks = [Mark(label=f"a rather long name {i}", x=i / 10) for i in range(4)]
    figure = drawn(curve([0, 1], [0, 1], marks=marks))
    rows = re.findall(r'<text x="[\d.]+" y="([\d.]+)" class="mark-name', figure)
    assert len(set(rows)) == 4


def test_few_lines_are_named_at_their_ends_and_many_above() -> None:
    few = Curve(title="t", x_label="x", y_label="y", series=[Series(name=n, x=[0, 1], y=[0, 1]) for n in ("a", "b")])
    ends = [e for e in ElementTree.fromstring(drawn(few)).iter() if e.get("class") == "label"]
    assert all(float(e.get("x", "0")) > 300 for e in ends)
    assert abs(float(ends[0].get("y", "0")) - float(ends[1].get("y", "0"))) >= 12
    many = Curve(
        title="t", x_label="x", y_label="y", series=[Series(name=f"line {i}", x=[0, 1], y=[0, i]) for i in range(8)]
    )
    above = [e for e in ElementTree.fromstring(drawn(many)).iter() if e.get("class") == "label"]
    assert {float(e.get("y", "0")) < 60 for e in above} == {True}


def test_bars_start_at_zero() -> None:
    figure = drawn(Bars(title="t", categories=["a"], bars=[Bar(name="n", values=[0.98])], label="accuracy"))
    assert "0" in texts(figure)


def test_long_names_lay_the_bars_down_and_a_hundred_stand_them_up() -> None:
    def rectangles(names):
        block = Bars(title="t", categories=names, bars=[Bar(name="n", values=[1.0] * len(names))], label="y")
        found = [e for e in ElementTree.fromstring(drawn(block)).iter() if e.get("class") == "fill s0"]
        return [(float(e.get("width", "0")), float(e.get("height", "0"))) for e in found]

    assert all(width > height for width, height in rectangles([f"a long class name {i}" for i in range(12)]))
    assert all(width < height for width, height in rectangles([f"a long class name {i}" for i in range(100)]))


def test_confusion_numbers_only_the_mistakes_that_happened() -> None:
    block = Heatmap(title="t", rows=["a", "b"], columns=["a", "b"], values=[[5, 0], [2, 7]], confusion=True)
    assert [word for word in texts(drawn(block)) if word.isdigit()] == ["5", "2", "7"]


def test_histogram_groups_share_their_edges() -> None:
    figure = drawn(Histogram(title="t", edges=[0, 1, 3], groups={"a": [1, 2], "b": [2, 1]}, x_label="x"))
    assert figure.count('class="area stroke') == 2


def test_figures_scale_and_speak() -> None:
    root = ElementTree.fromstring(drawn(curve([0, 1], [2, 1])))
    assert root.get("viewBox")
    assert root.get("role") == "img"
    space = "{http://www.w3.org/2000/svg}"
    assert root.findtext(f"{space}title") == "t"
    assert root.findtext(f"{space}desc") == "y against x. s: 2 at 0, 1 at 1."


def test_small_histograms_stand_in_rows_each_with_its_name_and_numbers() -> None:
    panels = [Panel(title=f"column {k}", note="1 ± 2", edges=[0, 5, 10], counts=[k, 9]) for k in range(5)]
    figure = drawn(Panels(title="t", panels=panels, across=2, heads=["as read", "to the net"]))
    assert figure.count("<path") == 5
    assert all(f"column {k}<" in figure for k in range(5))
    assert figure.count(">10<") == 5
    assert "as read" in figure


class TestNamedPlaces:
    """An x axis of names instead of numbers."""

    names = ("lr", "weight_decay", "batch_size", "label_smoothing", "width", "rank")

    def figure(self) -> str:
        return drawn(curve([*range(6)], [0.0, 1.0] * 3, x_names=self.names))

    def test_each_place_has_its_name_and_no_number(self):
        found = texts(self.figure())
        assert [one for one in found if one in self.names] == [*self.names]
        assert not {"3", "4", "5", "x"} & set(found)

    def test_no_name_lies_on_another_or_outside(self):
        figure = ElementTree.fromstring(self.figure())
        spans = [
            (float(e.get("y")), float(e.get("x")), float(e.get("x")) + text_width(e.text), e.text)
            for e in figure.iter()
            if e.tag.endswith("text") and e.text in self.names
        ]
        height = float(figure.get("viewBox").split()[3])
        for y, start, end, name in spans:
            assert y < height
            assert end <= 380
            assert not [o for o in spans if o[3] != name and o[0] == y and o[1] < end and o[2] > start]

    def test_words_and_numbers_beside_it_have_the_names_too(self):
        (block,) = settle([curve([0, 1, 0.5], [0.0, 1.0, 2.0], x_names=("lr", "rank"))])
        assert "0 at lr, 2 at 0.5" in describe(block)
        assert [line.split(",")[1] for line in to_csv(block).splitlines()] == ["x", "lr", "rank", "0.5"]
