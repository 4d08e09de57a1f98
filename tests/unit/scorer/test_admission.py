"""A turn's work is bounded, and nobody's share is taken by another."""

from tondo.faces.scorer.admission import Admission
from tondo.faces.scorer.metrics import RouteMetrics

MS = 1_000_000


def metrics(cost_ms):
    made = RouteMetrics()
    made.cost_ns = int(cost_ms * MS)
    return made


def admitted(admission, counted, asked):
    return sum(admission.admits(counted) for _ in range(asked))


def test_as_many_are_taken_up_as_fit_in_the_time_that_may_be_waited():
    assert admitted(Admission(10), metrics(1), 50) == 10
    assert admitted(Admission(10), metrics(0.1), 500) == 87  # each with 15 us around it


def test_a_request_that_costs_more_than_the_bound_is_taken_up_alone():
    assert admitted(Admission(10), metrics(50), 5) == 1


def test_the_next_turn_begins_anew():
    admission = Admission(10)
    slow = metrics(5)
    assert admitted(admission, slow, 5) == 2
    admission.turn()
    assert admitted(admission, slow, 5) == 2


def test_a_flood_for_one_model_leaves_room_for_another():
    admission = Admission(10)
    flooded, other = metrics(1), metrics(0.5)
    assert admitted(admission, flooded, 100) == 10
    assert admitted(admission, other, 100) == 10
    assert admitted(admission, flooded, 100) == 0
