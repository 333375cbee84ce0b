from hypothesis import given
from hypothesis import strategies as st

from recipe.render.svg.scale import fit

FINITE = st.floats(-1e12, 1e12, allow_nan=False, allow_subnormal=False)
NUMBERS = st.lists(FINITE | st.none() | st.just(0.0), max_size=8)


@given(NUMBERS, st.booleans(), st.booleans())
def test_any_numbers_have_a_scale_that_holds_them_and_ticks(values, log, zero):
    scale = fit(values, 0.0, 100.0, log=log, zero=zero)
    assert scale.low < scale.high
    assert scale.ticks()
    for value in values:
        if value is not None and (value > 0 or not log):
            assert -1e-6 <= scale(value) <= 100.0 + 1e-6


def test_bars_that_are_all_zero_stand_on_the_axis():
    scale = fit([0.0, 0.0], 100.0, 0.0, zero=True)
    assert (scale.low, scale(0.0)) == (0.0, 100.0)
