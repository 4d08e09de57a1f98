import itertools
import time

import msgspec
import pytest

import scored
from tondo.adapters.clocks.manual import ManualClock
from tondo.adapters.eventlog.memory.log import MemoryEventLog
from tondo.adapters.online.memory.store import MemoryStore
from tondo.core.errors import CallerError, DefinitionError, PlatformError
from tondo.core.ids import IdSource
from tondo.language.tree import Column
from tondo.scoring.frames import decode, encode, unpack_vector
from tondo.scoring.layout import ViewLayout
from tondo.scoring.model import load_model
from tondo.scoring.online import lookup_key, pack_lookup
from tondo.scoring.path import MAX_ROWS, ScoringPath
from tondo.scoring.plan import PlannedDeployment, PlannedVariant
from tondo.scoring.request import ScoreRequest
from tondo.scoring.serving import Serving, shared_inputs

NOW = 1_700_000_000_000_000


def variant(name="live", version=1, weight=1.0):
    return PlannedVariant(
        name=name,
        weight=weight,
        model="late",
        version=version,
        model_version_id=f"id-{version}",
        package="00",
    )


def make_path(*contents, log=None, online=None, **changes):
    share = 1 / len(contents)
    variants = [variant(f"v{at}", at, share) for at, _ in enumerate(contents, 1)]
    deployment = PlannedDeployment(name="late", variants=variants, **changes)
    servings = [
        Serving(planned, load_model(each, scored.LOADERS), online=online)
        for planned, each in zip(variants, contents, strict=True)
    ]
    return ScoringPath(
        deployment,
        servings,
        inputs=shared_inputs(servings, "late"),
        clock=ManualClock(NOW),
        ids=IdSource(),
        appender=log and log.appender("predictions/late", "w", durability="written"),
    )


def test_the_frame_that_is_written_has_the_shape_that_is_declared():
    log = MemoryEventLog()
    make_path(scored.contents(), log=log).score(rows(2))
    ((_, payload),) = log.read("predictions/late")
    assert encode(decode(payload)) == payload


def logged(log):
    return [decode(payload) for _, payload in log.read("predictions/late")]


def rows(number):
    return [{**scored.ROW, "tail": each} for each in range(number)]


def test_an_answer_names_what_produced_it():
    answer = make_path(scored.contents()).score(rows(1))
    assert answer.variants[0].model_version_id == "id-1"
    assert (answer.as_of_us, answer.log_mode, answer.predictions[0].decision) == (NOW, "off", True)


def test_the_frame_holds_inputs_vector_and_score():
    log = MemoryEventLog()
    answer = make_path(scored.contents(), log=log).score(rows(2), ids=["a", "b"], purpose="trial")
    (request,) = logged(log)
    assert (request.purpose, request.version, request.error) == ("trial", 1, None)
    assert [row.score for row in request.rows] == [each.score for each in answer.predictions]
    assert unpack_vector(request.rows[1].vector) == (1.4, 10.0, 1.0, 1.0)
    assert request.rows[1].inputs == rows(2)[1]


def test_ids_are_made_where_none_are_given():
    predictions = make_path(scored.contents()).score(rows(3)).predictions
    assert len({each.id for each in predictions}) == 3


@pytest.mark.parametrize("ids", [["a"], ["a", "a"], ["", "b"], ["a" * 200, "b"]])
def test_ids_that_cannot_be_are_refused(ids):
    with pytest.raises(CallerError, match="TD-SCORE-008"):
        make_path(scored.contents()).score(rows(2), ids=ids)


@pytest.mark.parametrize("number", [0, MAX_ROWS + 1])
def test_too_few_and_too_many_rows_are_refused(number):
    with pytest.raises(CallerError, match="TD-SCORE-007"):
        make_path(scored.contents()).score(rows(number))


def test_as_of_is_refused_unless_the_plan_allows_it():
    with pytest.raises(CallerError, match="TD-SCORE-006"):
        make_path(scored.contents()).score(rows(1), as_of_us=5)
    answer = make_path(scored.contents(), as_of="caller").score(rows(1), as_of_us=5)
    assert answer.as_of_us == 5


def test_a_full_log_refuses_the_answer():
    class FullAppender:
        def append(self, payload):
            raise PlatformError("TD-LOG-001", "full")

    class FullLog:
        def appender(self, *_, **__):
            return FullAppender()

    path = make_path(scored.contents(), log=FullLog())
    with pytest.raises(PlatformError, match="TD-LOG-001"):
        path.score(rows(1))


def test_sampling_logs_about_its_share():
    log = MemoryEventLog()
    path = make_path(scored.contents(), log=log, log_mode="sampled", sample_rate=0.2)
    for _ in range(500):
        path.score(rows(1))
    assert 60 < len(logged(log)) < 140


def test_rows_are_dealt_to_variants_and_answered_in_order():
    log = MemoryEventLog()
    path = make_path(scored.contents(), scored.contents(bias=1.0), log=log)
    answer = path.score(rows(40))
    by_variant = {"v1": scored.contents(), "v2": scored.contents(bias=1.0)}
    for prediction in answer.predictions:
        assert prediction.score == by_variant[prediction.variant].samples[0].score
    assert {each.variant for each in answer.variants} == {"v1", "v2"}
    assert sum(len(request.rows) for request in logged(log)) == 40


def test_a_sticky_column_keeps_a_caller_on_one_variant():
    path = make_path(scored.contents(), scored.contents(bias=1.0), sticky="carrier")
    assert len(path.score(rows(40)).variants) == 1


def test_a_column_that_one_variant_lacks_is_optional_until_that_variant_answers():
    inputs = {**scored.INPUTS, "gate": "double"}
    features = scored.trees_of({**scored.TEXTS, "gate": "gate"}, inputs)
    wider = scored.contents(inputs=inputs, features=features, samples=[{**scored.ROW, "gate": 1.0}])
    path = make_path(scored.contents(), wider)
    assert path.inputs.optional == {"gate"}
    with pytest.raises(CallerError, match=r"TD-SCORE-001: rows\[\d+\].gate is missing"):
        path.score(rows(40))
    answer = path.score([{**row, "gate": 2.0} for row in rows(40)])
    assert len(answer.variants) == 2


def test_variants_that_disagree_on_a_type_are_refused():
    inputs = {**scored.INPUTS, "tail": "string"}
    other = scored.contents(inputs=inputs, samples=[{**scored.ROW, "tail": "x"}])
    with pytest.raises(DefinitionError, match="TD-SCORE-014.*'tail'"):
        make_path(scored.contents(), other)


def test_a_model_without_a_finite_score_is_logged_and_refused():
    log = MemoryEventLog()
    path = make_path(scored.contents(), log=log)
    serving = path.servings["v1"]

    serving.model.score_packed = lambda data: float("nan")
    with pytest.raises(PlatformError, match="TD-SCORE-013"):
        path.score(rows(1))
    (request,) = logged(log)
    assert (request.error, request.rows[0].score) == ("TD-SCORE-013", None)


LAYOUT = ViewLayout(
    view="weather",
    version="00000000",
    kind="lookup",
    entity="airport",
    key="origin",
    key_type="string",
    features={"wind": "double"},
    freshness_us=3_600_000_000,
)
WIND = "@weather.wind[origin]"


def with_view():
    return scored.contents(
        inputs={"origin": "string"},
        features={"wind": Column(WIND, "double")},
        views={"weather": LAYOUT},
        view_features=[(WIND, "weather", "wind", "origin")],
        samples=[{"origin": "JFK", WIND: 3.0}],
    )


def test_view_features_are_fetched_as_of_the_time_asked_for():
    store = MemoryStore()
    for hour, wind in ((1, 10.0), (2, 20.0)):
        at = hour * 3_600_000_000
        store.put_many([(lookup_key(LAYOUT, "JFK", at), pack_lookup(LAYOUT, at, {"wind": wind}))])
    log = MemoryEventLog()
    path = make_path(with_view(), online=store, as_of="caller", log=log)
    answer = path.score([{"origin": "JFK"}], as_of_us=int(1.5 * 3_600_000_000))
    assert answer.freshness == {"weather": 1800.0}
    assert logged(log)[0].rows[0].inputs == {"origin": "JFK", WIND: 10.0}


def test_without_an_online_store_the_row_carries_the_view_features():
    path = make_path(with_view())
    assert set(path.inputs.types) == {"origin", WIND}
    fetched = make_path(with_view(), online=MemoryStore())
    assert set(fetched.inputs.types) == {"origin"}


def test_every_log_mode_is_named_in_the_answer():
    modes = [
        make_path(scored.contents(), log=MemoryEventLog(), log_mode=mode).score(rows(1)).log_mode
        for mode in ("written", "synced", "sampled", "off")
    ]
    assert modes == list(itertools.chain(["written", "synced", "sampled", "off"]))


def test_requests_answered_together_stand_each_for_itself():
    log = MemoryEventLog()
    path = make_path(scored.contents(), log=log)
    asked = [
        ScoreRequest(rows(1), ids=["a"]),
        ScoreRequest(rows(2), ids=["same", "same"]),
        ScoreRequest(rows(1), as_of_us=5),
        ScoreRequest(rows(3), ids=["b", "c", "d"]),
    ]
    first, repeated, as_of, last = path.score_requests(asked)
    assert [each.id for each in (*first.predictions, *last.predictions)] == ["a", "b", "c", "d"]
    assert (repeated.code, as_of.code) == ("TD-SCORE-008", "TD-SCORE-006")
    assert [len(request.rows) for request in logged(log)] == [1, 3]


def test_a_row_that_cannot_be_computed_fails_its_own_request_only():
    path = make_path(scored.contents())
    broken = {**scored.ROW, "distance": "far"}
    good, bad = path.score_requests([ScoreRequest(rows(1)), ScoreRequest([broken])])
    assert good.predictions[0].score > 0
    assert bad.code == "TD-LANG-008"


class Picky:
    """A runtime that fails, or gives no number, on rows of a certain distance."""

    few_rows = 0

    def __init__(self, runtime):
        self._runtime = runtime

    def predict_table(self, matrix):
        if (matrix[:, 0] == 6.0).any():
            raise PlatformError("TD-TEST-001", "not this row")
        scores = self._runtime.predict_table(matrix)
        scores[matrix[:, 0] == 7.0] = float("nan")
        return scores


def picky_path(log):
    path = make_path(scored.contents(), log=log)
    model = path.servings["v1"].model
    model.runtime = Picky(model.runtime)
    return path


def asked_at(*distances):
    return [
        ScoreRequest([{**scored.ROW, "distance": distance}] * 2, ids=[f"{at}a", f"{at}b"])
        for at, distance in enumerate(distances)
    ]


@pytest.mark.parametrize(("distance", "code"), [(6000.0, "TD-TEST-001"), (7000.0, "TD-SCORE-013")])
def test_a_prediction_that_fails_fails_its_own_request_only(distance, code):
    log = MemoryEventLog()
    first, bad, last = picky_path(log).score_requests(asked_at(1000.0, distance, 2000.0))
    alone = [picky_path(None).score_requests([each])[0] for each in asked_at(1000.0, 2000.0)]
    assert [[each.score for each in one.predictions] for one in (first, last)] == [
        [each.score for each in one.predictions] for one in alone
    ]
    assert bad.code == code
    assert [request.error for request in logged(log)] == [None, code, None]


def test_requests_answered_together_are_predicted_in_one_call():
    path = make_path(scored.contents())
    model = path.servings["v1"].model
    sizes = []
    predict = model.runtime.predict_table
    seen = {"few_rows": 0, "predict_table": lambda _, m: sizes.append(len(m)) or predict(m)}
    model.runtime = type("Seen", (), seen)()
    path.score_requests([ScoreRequest(rows(number)) for number in (1, 2, 3)])
    assert sizes == [6]


def in_canary(log, **changes):
    return make_path(scored.contents(), scored.contents(bias=1.0), log=log, **changes)


class Slow:
    few_rows = 0

    def __init__(self, runtime):
        self.runtime = runtime

    def predict_table(self, matrix):
        time.sleep(0.06)
        return self.runtime.predict_table(matrix)


def many_asked():
    return [
        ScoreRequest(rows(number), ids=[f"{number}-{at}" for at in range(number)])
        for number in (5, 1, 9, 3)
    ]


def frames_of(log):
    return [msgspec.structs.replace(each, latency_us=0) for each in logged(log)]


def test_a_canary_answers_and_logs_requests_together_as_it_does_alone():
    joint, single = MemoryEventLog(), MemoryEventLog()
    together = in_canary(joint).score_requests(many_asked())
    path = in_canary(single)
    assert together == [path.score_requests([each])[0] for each in many_asked()]
    assert frames_of(joint) == frames_of(single)
    assert {each.variant for each in together[2].variants} == {"v1", "v2"}


def test_a_slow_variant_is_seen_to_be_slow_and_slows_the_latency_of_no_other():
    log = MemoryEventLog()
    path = in_canary(log)
    model = path.servings["v2"].model
    model.runtime = Slow(model.runtime)
    now = time.perf_counter_ns()
    path.score_requests([ScoreRequest(rows(1), ids=[str(at)], started_ns=now) for at in range(40)])
    slow = [each.latency_us for each in logged(log) if each.variant == "v2"]
    others = [each.latency_us for each in logged(log) if each.variant == "v1"]
    assert min(slow) > 50_000 > max(others)


def test_what_a_library_raises_is_logged_under_a_code():
    log = MemoryEventLog()
    path = make_path(scored.contents(), log=log)
    model = path.servings["v1"].model
    model.score_packed = lambda data: {}[data]
    (answer,) = path.score_requests([ScoreRequest(rows(1))])
    assert answer.code == "TD-SCORE-015"
    assert [request.error for request in logged(log)] == ["TD-SCORE-015"]


def test_in_a_canary_a_request_that_fails_harms_no_other():
    inputs = {**scored.INPUTS, "gate": "double"}
    features = scored.trees_of({**scored.TEXTS, "gate": "gate"}, inputs)
    wider = scored.contents(inputs=inputs, features=features, samples=[{**scored.ROW, "gate": 1.0}])
    log = MemoryEventLog()
    whole = [{**row, "gate": 2.0} for row in rows(20)]
    asked = [ScoreRequest(whole), ScoreRequest(rows(20)), ScoreRequest(whole)]
    first, bad, last = make_path(scored.contents(), wider, log=log).score_requests(asked)
    assert bad.code == "TD-SCORE-001"
    assert [len(each.predictions) for each in (first, last)] == [20, 20]
    assert sum(len(request.rows) for request in logged(log)) == 40


def test_a_part_that_fails_ends_its_request_and_is_the_last_that_is_logged():
    log = MemoryEventLog()
    path = in_canary(log)
    model = path.servings["v2"].model
    model.runtime = Picky(model.runtime)
    good, bad = path.score_requests(
        [
            ScoreRequest(rows(20), request_id="good"),
            ScoreRequest([{**row, "distance": 6000.0} for row in rows(20)], request_id="bad"),
        ]
    )
    assert (len(good.predictions), bad.code) == (20, "TD-TEST-001")
    told = [request.error for request in logged(log) if request.request_id == "bad"]
    assert told[-1] == "TD-TEST-001"
    assert [each.error for each in logged(log) if each.request_id == "good"] == [None, None]


def test_requests_of_one_instant_share_reads_and_a_wrong_key_is_its_own_fault():
    store = MemoryStore()
    store.put_many([(lookup_key(LAYOUT, "JFK", 5), pack_lookup(LAYOUT, 5, {"wind": 4.0}))])
    path = make_path(with_view(), online=store, as_of="caller")
    asked = [ScoreRequest([{"origin": key}], as_of_us=at) for key, at in (("JFK", 9), (7, 9))]
    asked += [ScoreRequest([{"origin": "JFK"}], as_of_us=at) for at in (9, 4)]
    first, wrong, same, earlier = path.score_requests(asked)
    assert wrong.code == "TD-ONLINE-001"
    assert (first.ages_us, same.ages_us) == ({"weather": 4}, {"weather": 4})
    assert earlier.ages_us == {"weather": None}


def test_variants_that_read_the_same_features_read_them_once_for_a_request():
    class Counting(MemoryStore):
        def __init__(self):
            super().__init__()
            self.asked = []

        def scan_many(self, ranges):
            self.asked.append(len(ranges))
            return super().scan_many(ranges)

    store = Counting()
    store.put_many([(lookup_key(LAYOUT, "JFK", 5), pack_lookup(LAYOUT, 5, {"wind": 4.0}))])
    path = make_path(with_view(), with_view(), online=store)
    answer = path.score([{"origin": "JFK"} for _ in range(20)])
    # One call for both variants: the row, and which load of its view is published.
    assert (len(answer.variants), store.asked) == (2, [2])
    assert answer.ages_us == {"weather": NOW - 5}
